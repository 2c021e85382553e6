/** Allocate on a card in MIG mode (spec §1.10, §7.3): exactly what was reserved, or a failed pod. */
import { describe, expect, it } from '@jest/globals';
import { AgentApi } from '../../../../src/emulator/node-agent/agent-api.ts';
import { migCard } from '../../../../src/emulator/node-agent/mig-cards.ts';
import type { PluginVersion } from '../../../../src/emulator/node-agent/plugin-version.ts';
import { BehaviourSwitch } from '../../../../src/emulator/node-agent/plugin-behaviour.ts';
import { makeNvidia } from '../../../../src/emulator/node-agent/plugins/nvidia.ts';
import type { PodObject } from '../../../../src/model/cluster-objects.ts';
import { parsePod } from '../../../../src/wire/kubernetes.ts';
import { gpuLimits, makeNodeObject, makePod, type PodFields } from '../../../support/kubernetes-objects.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemoryApi } from '../memory-api.ts';

const node = '/api/v1/nodes/n1';
const lockKey = 'hami.io/mutex.lock';
const phaseKey = 'hami.io/bind-phase';
const toAllocateKey = 'hami.io/vgpu-devices-to-allocate';
const reservationsKey = 'hami.io/vgpu-mig-allocations';

const pathOf = (name: string) => `/api/v1/namespaces/default/pods/${name}`;

const small = '1g.5gb';
const smallEntry = 'GPU-a,NVIDIA,4864,15:';

function reservation(containerIndex: number, deviceIndex: number, start: number, more: object = {}) {
  return {
    containerIndex,
    deviceIndex,
    gpuUUID: 'GPU-a',
    profile: small,
    placement: { start, size: 1 },
    ...more,
  };
}

interface Gift {
  readonly toAllocate?: string;
  /** None: the annotation is missing. */
  readonly reservations?: readonly object[] | string;
  readonly containers?: PodFields['containers'];
}

function setup(version: PluginVersion = '2.10') {
  const api = new MemoryApi();
  const host = {
    node: 'n1',
    api: new AgentApi(api),
    clock: new ManualClock(),
    behaviour: new BehaviourSwitch(),
  };
  const made = makeNvidia(host, () => ({
    name: 'n1',
    cpu: '8',
    memory: '32Gi',
    gpus: [
      { ...migCard('A100-40GB'), id: 'GPU-a' },
      { type: 'NVIDIA A10', memoryMiB: 24_576, id: 'GPU-b' },
    ],
    plugin: { version },
  }));
  const books = { podUid: 'whoever', role: 'app' } as const;
  const plugin = {
    allocate: (count: number) => made.allocate({ resource: 'nvidia.com/gpu', count, books }),
    release: (podUid: string) => made.release?.(podUid),
    adopt: (pod: PodObject) => made.adopt?.(pod),
  };
  /** Puts the pod as a scheduler leaves it behind and asks for its first container. */
  const serve = (name: string, { toAllocate = `${smallEntry};`, reservations, containers }: Gift) => {
    api.put(node, makeNodeObject({ annotations: { [lockKey]: `2026-01-01T00:00:00Z,default,${name}` } }));
    const written = typeof reservations === 'object' ? JSON.stringify(reservations) : reservations;
    api.put(
      pathOf(name),
      makePod({
        name,
        nodeName: 'n1',
        containers: containers ?? [{ limits: gpuLimits({ count: 1 }) }],
        annotations: {
          'hami.io/vgpu-node': 'n1',
          [phaseKey]: 'allocating',
          'hami.io/bind-time': '1767225600',
          [toAllocateKey]: toAllocate,
          ...(written === undefined ? {} : { [reservationsKey]: written }),
        },
      }),
    );
    const [entry = ''] = toAllocate.split(';').filter((text) => text !== '');
    return plugin.allocate(entry.split(':').length - 1);
  };
  const writtenFor = (name: string) =>
    JSON.parse(api.annotation(pathOf(name), reservationsKey) ?? '[]') as readonly Record<string, unknown>[];
  return { api, plugin, serve, writtenFor };
}

describe('a reserved instance', () => {
  it('is made, handed out by its UUID and written beside its reservation', async () => {
    const { api, serve, writtenFor } = setup();
    const answer = await serve('p1', { reservations: [reservation(0, 0, 6)] });
    const [written] = writtenFor('p1');
    expect(written).toEqual(
      reservation(0, 0, 6, {
        migUUID: expect.stringMatching(/^MIG-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        gpuInstanceID: 0,
        computeInstanceID: 0,
      }),
    );
    expect(Object.keys(written!)).toEqual([
      'containerIndex',
      'deviceIndex',
      'gpuUUID',
      'profile',
      'placement',
      'migUUID',
      'gpuInstanceID',
      'computeInstanceID',
    ]);
    expect(answer).toMatchObject({
      kind: 'given',
      container: 'c0',
      env: { NVIDIA_VISIBLE_DEVICES: written!['migUUID'] },
      instances: [{ deviceId: 'GPU-a', profile: small, placement: { start: 6, size: 1 } }],
    });
    expect(answer.kind === 'given' && Object.keys(answer.env)).toEqual(['NVIDIA_VISIBLE_DEVICES']);
    expect(api.annotation(pathOf('p1'), toAllocateKey)).toBe(';;');
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('success');
    expect(api.annotation(node, lockKey)).toBeUndefined();
  });

  it('is one of several on one card for one container, in the order of the devices', async () => {
    const { serve, writtenFor } = setup();
    const answer = await serve('p1', {
      toAllocate: `${smallEntry}${smallEntry};`,
      reservations: [reservation(0, 1, 5), reservation(0, 0, 6)],
    });
    const uuids = writtenFor('p1').map(({ migUUID }) => migUUID);
    expect(new Set(uuids).size).toBe(2);
    expect(answer).toMatchObject({
      instances: [{ placement: { start: 6 } }, { placement: { start: 5 } }],
      env: { NVIDIA_VISIBLE_DEVICES: `${String(uuids[1])},${String(uuids[0])}` },
    });
  });

  it('of a later container is made by the later call', async () => {
    const { api, plugin, serve, writtenFor } = setup();
    const containers = [
      { name: 'prepare', role: 'init' as const },
      { name: 'a', limits: gpuLimits({ count: 1 }) },
      { name: 'b', limits: gpuLimits({ count: 1 }) },
    ];
    const first = await serve('p1', {
      toAllocate: `;${smallEntry};${smallEntry};`,
      reservations: [reservation(1, 0, 6), reservation(2, 0, 5)],
      containers,
    });
    expect(first).toMatchObject({ container: 'a', instances: [{ placement: { start: 6 } }] });
    expect(writtenFor('p1').map((written) => 'migUUID' in written)).toEqual([true, false]);
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('allocating');
    const second = await plugin.allocate(1);
    expect(second).toMatchObject({ container: 'b', instances: [{ placement: { start: 5 } }] });
    expect(writtenFor('p1').map((written) => 'migUUID' in written)).toEqual([true, true]);
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('success');
  });

  it('goes with its pod, and its place is free again', async () => {
    const { plugin, serve } = setup();
    const whole = {
      toAllocate: 'GPU-a,NVIDIA,40448,100:;',
      reservations: [reservation(0, 0, 0, { profile: '7g.40gb', placement: { start: 0, size: 8 } })],
    };
    expect(await serve('p1', whole)).toMatchObject({ kind: 'given' });
    expect(await serve('p2', whole)).toMatchObject({ kind: 'refused' });
    plugin.release('uid-p1');
    expect(await serve('p3', whole)).toMatchObject({ kind: 'given' });
  });

  it('of a pod from before the plugin is there still', async () => {
    const { plugin, serve } = setup();
    const made = { migUUID: 'MIG-old', gpuInstanceID: 0, computeInstanceID: 0 };
    const annotations = { [reservationsKey]: JSON.stringify([reservation(0, 0, 6, made)]) };
    const before = parsePod(makePod({ name: 'before', annotations }));
    if (!before.ok) throw new Error(before.problem);
    plugin.adopt(before.value);
    expect(await serve('p1', { reservations: [reservation(0, 0, 6)] })).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('overlaps'),
    });
    expect(await serve('p2', { reservations: [reservation(0, 0, 5)] })).toMatchObject({
      instances: [{ gpuInstanceId: 1 }],
    });
  });
});

describe('a plugin refuses', () => {
  const cases: (Gift & { name: string; want: string })[] = [
    { name: 'a pod without reservations', want: 'has no hami.io/vgpu-mig-allocations' },
    { name: 'an unreadable annotation', reservations: '{', want: 'not valid JSON' },
    { name: 'no reservation for the container', reservations: [reservation(1, 0, 6)], want: '0 MIG' },
    {
      name: 'more reservations than devices',
      reservations: [reservation(0, 0, 6), reservation(0, 1, 5)],
      want: '2 MIG reservations for 1 devices',
    },
    {
      name: 'a reservation on another card',
      reservations: [reservation(0, 0, 6, { gpuUUID: 'GPU-b' })],
      want: 'does not match',
    },
    {
      name: 'an unknown profile',
      reservations: [reservation(0, 0, 6, { profile: '1g.10gb' })],
      want: 'no MIG profile 1g.10gb',
    },
    {
      name: 'a place where the profile cannot be',
      reservations: [reservation(0, 0, 7)],
      want: 'cannot be placed at 7',
    },
    {
      name: 'a size that is not the profile’s',
      reservations: [reservation(0, 0, 4, { placement: { start: 4, size: 2 } })],
      want: 'cannot be placed at 4 with 2',
    },
    {
      name: 'two instances of one container that overlap',
      toAllocate: `${smallEntry}${smallEntry};`,
      reservations: [
        reservation(0, 0, 4, { profile: '2g.10gb', placement: { start: 4, size: 2 } }),
        reservation(0, 1, 5),
      ],
      want: 'overlaps 2g.10gb at 4',
    },
  ];
  it.each(cases)('$name, with phase failed and the lock released', async ({ want, ...gift }) => {
    const { api, serve } = setup();
    const before = gift.toAllocate ?? `${smallEntry};`;
    expect(await serve('p1', gift)).toEqual({ kind: 'refused', message: expect.stringContaining(want) });
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('failed');
    expect(api.annotation(pathOf('p1'), toAllocateKey)).toBe(before);
    expect(api.annotation(node, lockKey)).toBeUndefined();
    // Nothing is left on the card of what was made in vain.
    expect(
      await serve('p2', {
        toAllocate: 'GPU-a,NVIDIA,40448,100:;',
        reservations: [reservation(0, 0, 0, { profile: '7g.40gb', placement: { start: 0, size: 8 } })],
      }),
    ).toMatchObject({ kind: 'given' });
  });

  it('over a pod that somebody changed between its reading and its writing', async () => {
    const { api, serve } = setup();
    api.failNext(`PATCH ${pathOf('p1')}`, {
      kind: 'status',
      status: 409,
      reason: 'Conflict',
      message: 'changed',
    });
    expect(await serve('p1', { reservations: [reservation(0, 0, 6)] })).toMatchObject({ kind: 'refused' });
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('failed');
  });

  it.each(['2.7', '2.8', '2.9'] as const)('reserved instances in v%s', async (version) => {
    const { serve } = setup(version);
    expect(await serve('p1', { reservations: [reservation(0, 0, 6)] })).toMatchObject({ kind: 'refused' });
  });
});

it('the reservations of a pod are not looked at for a card that is shared', async () => {
  const { serve } = setup();
  expect(await serve('p1', { toAllocate: 'GPU-b,NVIDIA,1000,10:;', reservations: '{' })).toMatchObject({
    kind: 'given',
    env: { NVIDIA_VISIBLE_DEVICES: 'GPU-b' },
  });
});
