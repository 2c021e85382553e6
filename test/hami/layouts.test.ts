/**
 * A cluster is taken over from any version of HAMi: whatever form its annotations have, the same cards are known and
 * the pods that run are charged what they hold, as the right containers (spec Appendix A and D.3).
 */
import { describe, expect, it } from '@jest/globals';
import { plan } from '../../src/placement/planner.ts';
import { binpackBinpack } from '../scheduler/support/scheduler-world.ts';
import { cardsOf, gpuPod, makeState } from '../state/support/device-states.ts';
import { type ContainerObjectFields, gpuLimits } from '../support/kubernetes-objects.ts';
import { a100Profiles, makeMigDevice } from '../support/mig-devices.ts';
import { makePodRequest } from '../support/requests.ts';
import { allocationOf, type Entry, type Version, versions, wantedDevices } from './versions.ts';

const registerKey = 'hami.io/node-nvidia-register';

function nodeOf({ register, annotations }: Version, slots = '20') {
  return {
    annotations: { [registerKey]: register, ...annotations },
    allocatable: { 'nvidia.com/gpu': slots },
  };
}

const idle = { 'GPU-a': '0/0/0', 'GPU-b': '0/0/0' };
const limits = (memoryMiB: number, count = 1) => gpuLimits({ count, memoryMiB, corePercent: 10 });
const onA = (memoryMiB: number) => `GPU-a,NVIDIA,${memoryMiB},10:`;
const onB = (memoryMiB: number) => `GPU-b,NVIDIA,${memoryMiB},10:`;
const ended = { role: 'init', state: { exitCode: 0 } } as const;
const running = { state: 'running' } as const;

describe.each(versions)('a node of $name', (version) => {
  it('offers the cards of its register', () => {
    const state = makeState({ nodes: [nodeOf(version)] });
    expect(state.view('n1')?.devices.map(({ device }) => device)).toEqual(wantedDevices(version));
    expect(state.node('n1')?.inventory('NVIDIA')?.entries).toBe(version.wantEntries);
  });

  it('is chosen by a fragment of the product name, whatever stands before that', () => {
    const view = makeState({ nodes: [nodeOf(version)] }).view('n1');
    const wants = (fragment: string) =>
      makePodRequest({ containers: [{ memoryMiB: 100 }], selectors: { NVIDIA: { useTypes: [fragment] } } });
    if (view === undefined) throw new Error('the node is not known');
    expect(plan(view, wants('nvidia a100'), binpackBinpack)).toMatchObject({ ok: true });
    expect(plan(view, wants('h100'), binpackBinpack)).toMatchObject({ ok: false });
  });

  it('offers nothing once kubelet offers none of its cards, whatever its handshake says', () => {
    const state = makeState({ nodes: [nodeOf(version, '0')] });
    expect(state.view('n1')?.devices).toEqual([]);
    expect(state.view('n1')?.unavailable.has('NVIDIA')).toBe(true);
  });

  interface Running {
    readonly name: string;
    readonly containers: readonly (ContainerObjectFields & { readonly entry: string })[];
    readonly want: Readonly<Record<string, string>>;
    /** By versions that wrote no entries of init containers: the least used card is set aside for theirs. */
    readonly wantOfApps?: Readonly<Record<string, string>>;
  }
  const pods: readonly Running[] = [
    {
      name: 'one container',
      containers: [{ ...running, limits: limits(3000), entry: onA(3000) }],
      want: { ...idle, 'GPU-a': '1/3000/10' },
    },
    {
      name: 'an init container without cards, which has ended',
      containers: [
        { ...ended, entry: '' },
        { ...running, limits: limits(3000), entry: onA(3000) },
      ],
      want: { ...idle, 'GPU-a': '1/3000/10' },
    },
    {
      name: 'containers without cards on both sides',
      containers: [
        { ...ended, entry: '' },
        { ...running, entry: '' },
        { ...running, limits: limits(3000), entry: onB(3000) },
        { ...running, entry: '' },
      ],
      want: { ...idle, 'GPU-b': '1/3000/10' },
    },
    {
      name: 'two containers on one card and one on both',
      containers: [
        { ...running, limits: limits(3000), entry: onA(3000) },
        { ...running, entry: '' },
        { ...running, limits: limits(2000, 2), entry: `${onA(2000)}${onB(2000)}` },
      ],
      want: { 'GPU-a': '2/5000/20', 'GPU-b': '1/2000/10' },
    },
    {
      name: 'an init container with a card, which has ended',
      containers: [
        { ...ended, limits: limits(8000), entry: onA(8000) },
        { ...running, limits: limits(5000), entry: onB(5000) },
      ],
      want: { ...idle, 'GPU-b': '1/5000/10' },
    },
    {
      name: 'an init container with a card, which runs',
      containers: [
        { role: 'init', ...running, limits: limits(8000), entry: onA(8000) },
        { limits: limits(5000), entry: onA(5000) },
      ],
      want: { ...idle, 'GPU-a': '1/8000/10' },
      wantOfApps: { 'GPU-a': '1/5000/10', 'GPU-b': '0/0/0 withheld' },
    },
  ];
  /** As a snapshot file is believed, and as a cluster's pods without a seal are. */
  const trusts = ['as-written', 'at-least-request'] as const;
  it.each(pods)('charges a pod with $name', ({ containers, want, wantOfApps = want }) => {
    const entries = containers.map(({ entry, role = 'app' }): Entry => ({
      text: entry,
      init: role === 'init',
    }));
    const allocated = allocationOf(version, entries);
    for (const trust of trusts) {
      const state = makeState({ trust, nodes: [nodeOf(version)] });
      expect(state.applyPod(gpuPod({ nodeName: 'n1', allocated, containers }), 0)).toEqual([]);
      expect(cardsOf(state)).toEqual(version.entries === 'apps' ? wantOfApps : want);
      expect(state.entry('uid-pod-1')?.allocation.map((shares) => shares.length > 0)).toEqual(
        entries.map(({ text, init = false }) => text !== '' && !(init && version.entries === 'apps')),
      );
    }
  });
});

describe('a card in MIG mode', () => {
  const free = makePodRequest({ containers: [{ memoryMiB: 4000 }] });
  const planOn = (state: ReturnType<typeof makeState>) => {
    const view = state.view('n1');
    if (view === undefined) throw new Error('the node is not known');
    return plan(view, free, binpackBinpack);
  };
  const pod = (allocated: string, reserved?: string) =>
    gpuPod({
      nodeName: 'n1',
      gpu: { count: 1, memoryMiB: 9000 },
      allocated,
      ...(reserved === undefined ? {} : { annotations: { 'hami.io/vgpu-mig-allocations': reserved } }),
    });
  const csvCard = 'GPU-a,7,40960,100,NVIDIA-NVIDIA A100-SXM4-40GB,0,true,0,mig:';
  const jsonCard = JSON.stringify([
    {
      id: 'GPU-a',
      count: 7,
      devmem: 40_960,
      devcore: 100,
      type: 'NVIDIA A100-SXM4-40GB',
      mode: 'mig',
      health: true,
      devicepairscore: {},
    },
  ]);

  it.each([
    { name: 'v2.5 to v2.7', register: csvCard },
    { name: 'v2.8 and v2.9', register: jsonCard },
  ])('of $name charges the instance to the card and takes no more pods', ({ register }) => {
    const node = { annotations: { [registerKey]: register }, allocatable: { 'nvidia.com/gpu': '7' } };
    const state = makeState({ nodes: [node] });
    expect(planOn(state)).toMatchObject({ ok: false, refusal: { refused: { ModeNotFit: 1 } } });
    state.applyPod(pod('GPU-a[1-0],NVIDIA,9984,29:;'), 0);
    expect(cardsOf(state)).toEqual({ 'GPU-a': '1/9984/29' });
    expect(planOn(state)).toMatchObject({ ok: false, refusal: { refused: { CardNotHealth: 1 } } });
  });

  it('of v2.10 charges the instance, and the next one goes beside it', () => {
    const state = makeState({ nodes: [{ devices: [makeMigDevice({ id: 'GPU-a' })] }] });
    expect(state.view('n1')?.devices[0]?.device.migProfiles).toEqual(a100Profiles);
    const placement = { start: 4, size: 2 };
    const reservation = {
      containerIndex: 0,
      deviceIndex: 0,
      gpuUUID: 'GPU-a',
      profile: '2g.10gb',
      placement,
    };
    const made = { migUUID: 'MIG-1', gpuInstanceID: 0, computeInstanceID: 0 };
    state.applyPod(pod('GPU-a,NVIDIA,9984,29:;', JSON.stringify([{ ...reservation, ...made }])), 0);
    expect(cardsOf(state)).toEqual({ 'GPU-a': '1/9984/29' });
    expect(planOn(state)).toMatchObject({
      ok: true,
      allocation: [[{ mig: { placement: { start: 6, size: 1 } } }]],
    });
  });

  it('of v2.10 takes no pods while an instance named the old way is left on it', () => {
    const state = makeState({ nodes: [{ devices: [makeMigDevice({ id: 'GPU-a' })] }] });
    state.applyPod(pod('GPU-a[1-0],NVIDIA,9984,29:;'), 0);
    expect(planOn(state)).toMatchObject({ ok: false, refusal: { refused: { CardNotHealth: 1 } } });
    state.removePod('uid-pod-1', 0);
    expect(planOn(state)).toMatchObject({ ok: true });
  });
});
