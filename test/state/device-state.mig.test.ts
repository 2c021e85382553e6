/** Cards in MIG mode in the cache: which slices bound pods hold, and what happens when nobody can tell. */
import { describe, expect, it } from '@jest/globals';
import type { MigProfile } from '../../src/model/mig.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { gpuPod, makeState, nodeObject, podObject } from './support/device-states.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';

const key = 'hami.io/vgpu-mig-allocations';
const profiles: readonly MigProfile[] = [
  { name: '1g.5gb', memoryMiB: 4864, corePercent: 15, slices: 1, placements: [{ start: 0, size: 1 }] },
  { name: '2g.10gb', memoryMiB: 9984, corePercent: 29, slices: 2, placements: [{ start: 2, size: 2 }] },
];
const cut = { mode: 'mig', slots: 7, memoryMiB: 40960, migProfiles: profiles };
const reservation = (deviceIndex: number, gpuUUID: string, start: number, containerIndex = 0) => ({
  containerIndex,
  deviceIndex,
  gpuUUID,
  profile: '2g.10gb',
  placement: { start, size: 2 },
});

interface HeldFields {
  readonly allocated: string;
  readonly reserved?: readonly object[] | string;
  readonly count?: number;
}

/** A bound pod with an allocation and its reservations. */
function holder({ allocated, reserved = [], count = 1 }: HeldFields) {
  const value = typeof reserved === 'string' ? reserved : JSON.stringify(reserved);
  const gpu = { count, memoryMiB: 9000 };
  return gpuPod({ nodeName: 'n1', gpu, allocated, annotations: { [key]: value } });
}

/** `slices held` or `unclear`, by card. */
function cardsOf(state: DeviceState): Record<string, string> {
  const devices = state.view('n1')?.devices ?? [];
  return Object.fromEntries(
    devices.map(({ device, occupied, unclear }) => [
      device.id,
      unclear ? 'unclear' : occupied.map(({ start, size }) => `${start}+${size}`).join(' '),
    ]),
  );
}

describe('a pod on a card in MIG mode', () => {
  const share = 'gpu-0,NVIDIA,9984,29:';
  const cases: { name: string; pod: HeldFields; want: Record<string, string>; wantProblems?: number }[] = [
    {
      name: 'holds the slices reserved for it',
      pod: { allocated: `${share};`, reserved: [reservation(0, 'gpu-0', 2)] },
      want: { 'gpu-0': '2+2', 'gpu-1': '' },
    },
    {
      name: 'holds two instances of one card',
      pod: {
        allocated: `${share}${share};`,
        reserved: [reservation(0, 'gpu-0', 2), reservation(1, 'gpu-0', 4)],
        count: 2,
      },
      want: { 'gpu-0': '2+2 4+2', 'gpu-1': '' },
    },
    {
      name: 'finds a reservation whose place was lost among empty containers (Q1)',
      pod: { allocated: `${share};`, reserved: [reservation(0, 'gpu-0', 2, 1)] },
      want: { 'gpu-0': '2+2', 'gpu-1': '' },
    },
    {
      name: 'without a reservation closes the card: nobody knows what is free',
      pod: { allocated: `${share};` },
      want: { 'gpu-0': 'unclear', 'gpu-1': '' },
    },
    {
      name: 'with one reservation for two instances closes the card',
      pod: { allocated: `${share}${share};`, reserved: [reservation(0, 'gpu-0', 2)], count: 2 },
      want: { 'gpu-0': 'unclear', 'gpu-1': '' },
    },
    {
      name: 'with an unreadable value closes the card and is reported',
      pod: { allocated: `${share};`, reserved: '[{"containerIndex":-1}]' },
      want: { 'gpu-0': 'unclear', 'gpu-1': '' },
      wantProblems: 1,
    },
    {
      name: 'named as schedulers before v2.10 did, by a suffix of the card, closes the card (D.3)',
      pod: { allocated: 'gpu-0[1-0],NVIDIA,9984,29:;' },
      want: { 'gpu-0': 'unclear', 'gpu-1': '' },
    },
    {
      name: 'Q11: with a stale reservation of a card that the node does not have leaves every card open',
      pod: {
        allocated: `${share};`,
        reserved: [reservation(0, 'gpu-0', 2), reservation(0, 'GPU-elsewhere', 0, 3)],
      },
      want: { 'gpu-0': '2+2', 'gpu-1': '' },
      wantProblems: 1,
    },
  ];
  it.each(cases)('$name', ({ pod, want, wantProblems = 0 }) => {
    const state = makeState({ nodes: [{ devices: [cut, cut] }] });
    expect(state.applyPod(holder(pod), 0)).toHaveLength(wantProblems);
    expect(cardsOf(state)).toEqual(want);
  });

  it('that reserved slices of a card which is not cut closes that card', () => {
    const state = makeState({ nodes: [{ devices: [{}, {}] }] });
    state.applyPod(holder({ allocated: `${share};`, reserved: [reservation(0, 'gpu-0', 2)] }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': 'unclear', 'gpu-1': '' });
  });

  it('gives its slices back when it ends', () => {
    const state = makeState({ nodes: [{ devices: [cut] }] });
    const pod = holder({ allocated: `${share};`, reserved: [reservation(0, 'gpu-0', 2)] });
    state.applyPod(pod, 0);
    state.removePod(pod.uid, 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '' });
  });

  it('keeps the slices of an init container that has ended: the plugin destroys instances with the pod', () => {
    const state = makeState({ nodes: [{ devices: [cut] }] });
    const limits = gpuLimits({ count: 1, memoryMiB: 9000 });
    state.applyPod(
      podObject({
        nodeName: 'n1',
        annotations: {
          'hami.io/vgpu-node': 'n1',
          'hami.io/vgpu-devices-allocated': `${share};${share};`,
          [key]: JSON.stringify([reservation(0, 'gpu-0', 0), reservation(0, 'gpu-0', 2, 1)]),
        },
        containers: [
          { name: 'first', role: 'init', limits, state: { exitCode: 0 } },
          { name: 'main', limits, state: 'running' },
        ],
      }),
      0,
    );
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0+2 2+2' });
    expect(state.view('n1')?.devices[0]?.used).toEqual({ slots: 1, memoryMiB: 9984, corePercent: 29 });
  });

  it('is completed by what the plugin reports of its instances', () => {
    const state = makeState({ nodes: [{ devices: [cut] }] });
    const reserved = reservation(0, 'gpu-0', 2);
    state.applyPod(holder({ allocated: `${share};`, reserved: [reserved] }), 0);
    const made = { ...reserved, migUUID: 'MIG-1', gpuInstanceID: 0, computeInstanceID: 0 };
    const pod = holder({ allocated: `${share};`, reserved: [made] });
    state.applyPod(pod, 0);
    expect(state.entry(pod.uid)?.migReservations).toMatchObject([
      { deviceId: 'gpu-0', runtime: { migUuid: 'MIG-1', gpuInstanceId: 0, computeInstanceId: 0 } },
    ]);
  });
});

describe('a pod from before the take-over on a card in MIG mode', () => {
  it('with two instances of one card has all it asks for, and sets no other card aside', () => {
    const state = makeState({ trust: 'at-least-request', nodes: [{ devices: [cut, cut] }] });
    const share = 'gpu-0,NVIDIA,9984,29:';
    const reserved = [reservation(0, 'gpu-0', 2), reservation(1, 'gpu-0', 4)];
    state.applyPod(holder({ allocated: `${share}${share};`, reserved, count: 2 }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2+2 4+2', 'gpu-1': '' });
    expect(state.view('n1')?.devices.map(({ withheld }) => withheld)).toEqual([false, false]);
  });
});

describe('a view without some pods', () => {
  it('has their shares and slices free, and leaves the node as it is', () => {
    const state = makeState({ nodes: [{ devices: [cut] }] });
    const pod = holder({
      allocated: 'gpu-0,NVIDIA,9984,29:;',
      reserved: [reservation(0, 'gpu-0', 2)],
    });
    state.applyPod(pod, 0);
    const before = state.view('n1');
    const free = state.viewWithout('n1', [pod.uid, pod.uid, 'unknown']);
    expect(free?.devices[0]).toMatchObject({ used: { slots: 0, memoryMiB: 0 }, occupied: [] });
    expect(free?.countFree).toEqual(new Map([['nvidia.com/gpu', 7]]));
    expect(state.view('n1')).toBe(before);
    expect(state.viewWithout('n2', [])).toBeUndefined();
  });
});

describe('a cordoned card (spec §1.7)', () => {
  const cordon = 'hami.io/device-cordon';
  const cordoned = (state: DeviceState) =>
    state.view('n1')?.devices.flatMap(({ device, cordoned: is }) => (is ? [device.id] : []));

  it.each([
    { name: 'one id', value: 'gpu-1', want: ['gpu-1'] },
    { name: 'a list with spaces and a comma at its end', value: ' gpu-0, gpu-1,', want: ['gpu-0', 'gpu-1'] },
    { name: 'ids that the node does not have', value: 'gpu-9,GPU-0', want: [] },
    { name: 'nothing', value: ' , ', want: [] },
  ])('is named by $name', ({ value, want }) => {
    const state = makeState({ nodes: [{ devices: [{}, {}], annotations: { [cordon]: value } }] });
    expect(cordoned(state)).toEqual(want);
  });

  it('Q4: is closed and opened by the very event that says so', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const before = state.view('n1')?.generation ?? 0;
    state.applyNode(nodeObject({ devices: [{}], annotations: { [cordon]: 'gpu-0' } }));
    expect(cordoned(state)).toEqual(['gpu-0']);
    expect(state.view('n1')?.generation).toBeGreaterThan(before);
    state.applyNode(nodeObject({ devices: [{}] }));
    expect(cordoned(state)).toEqual([]);
  });

  it('stays so while the register cannot be read', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const broken = { [cordon]: 'gpu-0', 'hami.io/node-nvidia-register': '[{' };
    state.applyNode(nodeObject({ devices: [{}], annotations: broken }));
    expect(cordoned(state)).toEqual(['gpu-0']);
  });

  it('keeps the pods it has', () => {
    const state = makeState({ nodes: [{ devices: [{}], annotations: { [cordon]: 'gpu-0' } }] });
    state.applyPod(gpuPod({ nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' }), 0);
    expect(state.view('n1')?.devices[0]?.used).toEqual({ slots: 1, memoryMiB: 3000, corePercent: 30 });
  });

  it('could serve all the same once it is opened: the idle view does not know cordons', () => {
    const state = makeState({ nodes: [{ devices: [{}], annotations: { [cordon]: 'gpu-0' } }] });
    expect(state.idleView('n1')?.devices[0]?.cordoned).toBe(false);
  });
});
