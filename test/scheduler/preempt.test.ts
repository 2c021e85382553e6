import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/model/clock.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { preempt } from '../../src/scheduler/preempt.ts';
import { Requests } from '../../src/scheduler/requests.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { NodeVictims, PreemptionArgs } from '../../src/wire/preemption.ts';
import { gpuPod, ledgerOf, nvidiaVendors, podObject } from '../state/support/device-states.ts';
import type { NodeFields } from '../support/kubernetes-objects.ts';
import { binpackBinpack, makeWorld, type World } from './support/scheduler-world.ts';

/** A pod on a node: `gpu-0` of `n1` and 4000 MiB where nothing else is said. */
interface Held {
  readonly name: string;
  readonly priority: number;
  readonly node?: string;
  readonly card?: string;
  readonly memoryMiB?: number;
  readonly namespace?: string;
  readonly running?: boolean;
}

function heldPod({
  name,
  priority,
  node = 'n1',
  card = 'gpu-0',
  memoryMiB = 4000,
  ...rest
}: Held): PodObject {
  const gpu = { count: 1, memoryMiB };
  const allocated = `${card},NVIDIA,${memoryMiB},0:;`;
  return { ...gpuPod({ name, nodeName: node, gpu, allocated, ...rest }), priority };
}

function worldOf(pods: readonly Held[], nodes: readonly NodeFields[] = [{ devices: [{}] }]): World {
  const world = makeWorld({ nodes });
  for (const pod of pods) world.state.applyPod(heldPod(pod), world.clock.nowMs());
  return world;
}

/** Fits a card of 8192 MiB beside one of two pods of 4000. */
const urgentPod = (memoryMiB = 4100, fields = {}) => ({
  ...gpuPod({ name: 'urgent', gpu: { count: 1, memoryMiB }, ...fields }),
  priority: 10,
});

/** Victims by node and name, e.g. `{ n1: ['a'] }`; UIDs are made of names. */
type Victims = Readonly<Record<string, readonly string[]>>;

function argsFor(pod: PodObject, given: Victims, nominatedNode?: string): PreemptionArgs {
  const victims = Object.entries(given).map(([node, names]): [string, NodeVictims] => [
    node,
    { podUids: names.map((name) => `uid-${name}`), pdbViolations: names.length },
  ]);
  return { pod, victims: new Map(victims), ...(nominatedNode === undefined ? {} : { nominatedNode }) };
}

function ask(world: World, given: Victims, { pod = urgentPod(), nominatedNode = '' } = {}): unknown {
  const answer = world.scheduler.preempt(
    argsFor(pod, given, nominatedNode === '' ? undefined : nominatedNode),
  );
  if (answer.kind === 'error') return answer.code;
  return Object.fromEntries(
    [...answer.victims].map(([node, { podUids }]) => [node, podUids.map((uid) => uid.replace('uid-', ''))]),
  );
}

describe('preempt keeps a node', () => {
  it.each<{ name: string; pods: readonly Held[]; given: readonly string[]; want: readonly string[] }>([
    {
      name: 'where the given victims make room, and adds nobody',
      pods: [
        { name: 'a', priority: 1 },
        { name: 'b', priority: 0 },
      ],
      given: ['a'],
      want: ['a'],
    },
    {
      name: 'with all given victims, also those that it would not need',
      pods: [
        { name: 'a', priority: 1 },
        { name: 'b', priority: 2 },
      ],
      given: ['b', 'a', 'cpu-only'],
      want: ['b', 'a', 'cpu-only'],
    },
    {
      name: 'with victims of its own where kube-scheduler asks for none',
      pods: [
        { name: 'a', priority: 1 },
        { name: 'b', priority: 2 },
      ],
      given: [],
      want: ['a'],
    },
    {
      name: 'with more victims, the most important one first',
      pods: [
        { name: 'a', priority: 1, memoryMiB: 1000 },
        { name: 'b', priority: 5, memoryMiB: 4000 },
        { name: 'c', priority: 6, memoryMiB: 3192 },
      ],
      given: ['a'],
      want: ['b', 'a'],
    },
    {
      name: 'at the price of the lowest priority, though more have to go',
      pods: [
        { name: 'a', priority: 1, memoryMiB: 2000 },
        { name: 'b', priority: 1, memoryMiB: 2000 },
        { name: 'c', priority: 2 },
      ],
      given: [],
      want: ['a', 'b'],
    },
    {
      name: 'at the price of one where several of that priority would have to go',
      pods: [
        { name: 'a', priority: 1, memoryMiB: 2000 },
        { name: 'b', priority: 1, memoryMiB: 2000 },
        { name: 'c', priority: 1 },
      ],
      given: [],
      want: ['c'],
    },
  ])('$name', ({ pods, given, want }) => {
    const gone = given.includes('cpu-only') ? [podObject({ name: 'cpu-only', nodeName: 'n1' })] : [];
    const world = worldOf(pods);
    for (const pod of gone) world.state.applyPod({ ...pod, priority: 0 }, 0);
    expect(ask(world, { n1: given })).toEqual({ n1: want });
  });

  it('with victims of one card, not of every card by turns', () => {
    const nodes = [{ devices: [{}, {}] }];
    const pods: readonly Held[] = [
      { name: 'a0', priority: 1, card: 'gpu-0' },
      { name: 'b0', priority: 3, card: 'gpu-0' },
      { name: 'a1', priority: 2, card: 'gpu-1' },
      { name: 'b1', priority: 2, card: 'gpu-1' },
    ];
    expect(ask(worldOf(pods, nodes), { n1: [] }, { pod: urgentPod(8192) })).toEqual({ n1: ['a1', 'b1'] });
  });

  it('passing on what kube-scheduler counts of disruption budgets', () => {
    const world = worldOf([{ name: 'a', priority: 1 }]);
    const answer = world.scheduler.preempt(argsFor(urgentPod(), { n1: ['a'] }));
    expect(answer).toMatchObject({
      victims: new Map([['n1', { podUids: ['uid-a'], pdbViolations: 1 }]]),
    });
  });

  it('for a pod that a given victim, unknown to the ledger, does not help', () => {
    const world = worldOf([{ name: 'a', priority: 1, memoryMiB: 8000 }]);
    expect(ask(world, { n1: ['stranger'] })).toEqual({ n1: ['stranger', 'a'] });
  });

  it('when the count of the resource, not the cards, is what victims give back', () => {
    const world = worldOf(
      [
        { name: 'a', priority: 1, memoryMiB: 1 },
        { name: 'b', priority: 2, memoryMiB: 1 },
      ],
      [{ devices: [{}], allocatable: { 'nvidia.com/gpu': '2' } }],
    );
    expect(ask(world, { n1: [] })).toEqual({ n1: ['a'] });
  });
});

describe('preempt leaves a node out', () => {
  it.each<{ name: string; pods: readonly Held[]; given: Victims; memoryMiB?: number }>([
    {
      name: 'where only pods of the same or a higher priority are in the way',
      pods: [
        { name: 'a', priority: 10 },
        { name: 'b', priority: 11 },
      ],
      given: { n1: [] },
    },
    {
      name: 'where not even all victims make room',
      pods: [
        { name: 'a', priority: 1 },
        { name: 'b', priority: 10 },
      ],
      given: { n1: ['a'] },
      memoryMiB: 8192,
    },
    { name: 'that it does not know', pods: [], given: { n9: ['a'] } },
    {
      name: 'on which the pod fits as it is, for a node without victims is an error',
      pods: [],
      given: { n1: [] },
    },
    {
      name: 'where those who could leave are on other nodes',
      pods: [
        { name: 'a', priority: 1, node: 'n2' },
        { name: 'b', priority: 10, memoryMiB: 8000 },
      ],
      given: { n1: [] },
    },
  ])('$name', ({ pods, given, memoryMiB = 4100 }) => {
    const world = worldOf(pods, [{ devices: [{}] }, { name: 'n2', devices: [{}] }]);
    expect(ask(world, given, { pod: urgentPod(memoryMiB) })).toEqual({});
  });

  it('and answers the others', () => {
    const world = worldOf(
      [
        { name: 'a', priority: 1, memoryMiB: 8000 },
        { name: 'b', priority: 10, memoryMiB: 8000, node: 'n2' },
      ],
      [{ devices: [{}] }, { name: 'n2', devices: [{}] }],
    );
    expect(ask(world, { n1: [], n2: [] })).toEqual({ n1: ['a'] });
  });

  it('where what it waits for drains already, and evicts nobody in its place', () => {
    const pods: readonly Held[] = [
      { name: 'a', priority: 1, running: true },
      { name: 'b', priority: 2 },
    ];
    const world = worldOf(
      [...pods, { name: 'c', priority: 2, memoryMiB: 8000, node: 'n2' }],
      [{ devices: [{}] }, { name: 'n2', devices: [{}] }],
    );
    world.state.removePod('uid-a', world.clock.nowMs());
    // A pod that did not cause it may evict others: draining pods are no victims, however.
    expect(ask(world, { n1: [], n2: [] })).toEqual({ n1: ['b'], n2: ['c'] });
    expect(ask(world, { n1: [], n2: [] }, { nominatedNode: 'n1' })).toEqual({});
    // On n2 nothing drains.
    expect(ask(world, { n1: [] }, { nominatedNode: 'n2' })).toEqual({ n1: ['b'] });
    // What drains is not enough.
    const large = { nominatedNode: 'n1', pod: urgentPod(8192, { resourceVersion: '2' }) };
    expect(ask(world, { n1: [], n2: [] }, large)).toEqual({ n2: ['c'] });
  });

  it('where the only victim is being bound: kube-scheduler may not know it there', () => {
    const world = worldOf([]);
    const young = { ...gpuPod({ name: 'young', gpu: { count: 1, memoryMiB: 8000 } }), priority: 1 };
    world.state.applyPod(young, 0);
    const { request } = readPodRequest(young, nvidiaVendors);
    const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 8000, corePercent: 0 };
    world.state.assume({ pod: young, request, node: 'n1', allocation: [[share]] });
    expect(ledgerOf(world.state)).toEqual({ 'uid-young': 'n1 assumed' });
    expect(ask(world, { n1: [] })).toEqual({});
    expect(ask(world, { n1: ['young'] })).toEqual({ n1: ['young'] });
  });
});

describe('preempt under a quota', () => {
  const quota = { namespace: 'default', name: 'q', resourceVersion: '1' };
  const limited = (pods: readonly Held[], gpumem: number) => {
    const world = worldOf(pods, [{ devices: [{}, {}] }, { name: 'n2', devices: [{}] }]);
    world.state.applyQuota({ ...quota, hard: { 'limits.nvidia.com/gpumem': String(gpumem) } });
    return world;
  };
  const pod = urgentPod(6000);

  it('counts what victims of the namespace give back', () => {
    const pods = [{ name: 'a', priority: 1, memoryMiB: 3000 }];
    expect(ask(limited(pods, 7000), { n1: [] }, { pod })).toEqual({ n1: ['a'] });
    expect(ask(limited(pods, 7000), { n1: ['a'] }, { pod })).toEqual({ n1: ['a'] });
    expect(ask(limited(pods, 5999), { n1: ['a'] }, { pod })).toEqual({});
  });

  it('counts nothing that victims of another namespace give back', () => {
    const own = { name: 'own', priority: 1, memoryMiB: 3000, node: 'n2' };
    const other = { name: 'other', priority: 1, memoryMiB: 3000, namespace: 'other' };
    expect(ask(limited([own, other], 7000), { n1: ['other'] }, { pod })).toEqual({});
  });

  it('evicts for the quota whom it would not evict for the card, and nobody else', () => {
    const pods: readonly Held[] = [
      { name: 'low', priority: 1, memoryMiB: 2000, namespace: 'other' },
      { name: 'own', priority: 5, memoryMiB: 2000 },
    ];
    expect(ask(limited(pods, 7000), { n1: [] }, { pod })).toEqual({ n1: ['own'] });
  });

  it('gives nothing back twice: what drains counts against no quota', () => {
    const world = limited(
      [
        { name: 'gone', priority: 1, memoryMiB: 3000, running: true },
        { name: 'own', priority: 10, memoryMiB: 3000 },
      ],
      8000,
    );
    world.state.removePod('uid-gone', world.clock.nowMs());
    expect(ask(world, { n1: ['gone'] }, { pod })).toEqual({});
  });
});

describe('preempt answers', () => {
  it('every node unchanged for a pod without cards', () => {
    const world = worldOf([]);
    const pod = podObject({ name: 'plain' });
    expect(ask(world, { n1: ['a'], n9: [] }, { pod })).toEqual({ n1: ['a'], n9: [] });
  });

  it('no node for a request that cannot be read', () => {
    const pod = { ...gpuPod({ gpu: { count: 1, memoryMiB: '16Gi' } }), priority: 10 };
    expect(ask(worldOf([{ name: 'a', priority: 1 }]), { n1: ['a'] }, { pod })).toEqual({});
  });

  it('an error while the state is not complete', () => {
    const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
    expect(ask(makeWorld({ state }), { n1: ['a'] })).toBe('NotSynced');
  });

  it('an error rather than a late list', () => {
    let nowMs = 0;
    const clock: Clock = { nowMs: () => (nowMs += 10), after: () => () => undefined };
    const { state } = worldOf([{ name: 'a', priority: 1 }]);
    const deps = { state, clock, policies: binpackBinpack, requests: new Requests(nvidiaVendors) };
    const args = argsFor(urgentPod(), { n1: [], n2: [], n3: [] });
    expect(preempt(args, { ...deps, filterDeadlineMs: 15 })).toMatchObject({ code: 'DeadlineExceeded' });
    expect(preempt(args, { ...deps, filterDeadlineMs: 100 })).toMatchObject({ kind: 'answered' });
  });

  it('by what drains no longer', () => {
    const world = worldOf([{ name: 'a', priority: 1, running: true }]);
    world.state.removePod('uid-a', world.clock.nowMs());
    world.clock.advance(45_000);
    expect(ask(world, { n1: ['x'] })).toEqual({ n1: ['x'] });
    expect(ledgerOf(world.state)).toEqual({});
  });
});
