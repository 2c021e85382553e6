import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wireReason } from '../../src/scheduler/refusal-text.ts';
import type { NodeFields } from '../support/kubernetes-objects.ts';
import { gpuPod } from '../state/support/device-states.ts';
import { byName, makeWorld } from './support/scheduler-world.ts';

const name = { namespace: 'default', name: 'pod-1' };
const gpu = { count: 1, memoryMiB: 3000 };

describe('the explanation of a pending pod', () => {
  it('names every node with its verdict, by name, and groups the reasons, most frequent first', () => {
    const world = makeWorld({
      nodes: [
        { name: 'n4' },
        { name: 'n3', devices: [{ memoryMiB: 100 }, { healthy: false }] },
        { name: 'n2' },
        { devices: [{}] },
      ],
    });
    world.pod({ gpu });
    const explanation = world.scheduler.explain(name);
    expect(explanation).toMatchObject({
      state: 'pending',
      problems: [],
      reasons: [
        { reason: 'node unregistered', nodes: 2 },
        { reason: 'CardInsufficientMemory, CardNotHealth', nodes: 1 },
      ],
      nodes: [
        { node: 'n1', fits: true },
        { node: 'n2', fits: false, reason: 'node unregistered' },
        {
          node: 'n3',
          fits: false,
          reason: '1/2 CardInsufficientMemory, 1/2 CardNotHealth',
          sentence:
            'container "c0" needs 1 of 2 NVIDIA cards, 0 would do; refused: 1 CardInsufficientMemory, 1 CardNotHealth',
        },
        { node: 'n4', fits: false },
      ],
    });
  });

  it.each([
    {
      name: 'no node fits',
      memoryMiB: 6000,
      want: { memory: { wanted: 6000, free: 10_384, largest: 5192 } },
    },
    { name: 'and not where one does', memoryMiB: 5000, want: undefined },
  ])('says that there is room in sum alone where $name', ({ memoryMiB, want }) => {
    const nodes = ['n1', 'n2'];
    const world = makeWorld({ nodes: nodes.map((node) => ({ name: node, devices: [{}] })) });
    for (const nodeName of nodes)
      world.pod({ name: `on-${nodeName}`, nodeName, allocated: 'gpu-0,NVIDIA,3000,0:;' });
    world.pod({ gpu: { count: 1, memoryMiB } });
    const explanation = world.scheduler.explain(name);
    if (explanation?.state !== 'pending') throw new Error('not pending');
    if (want === undefined) expect(explanation).not.toHaveProperty('scattered');
    else expect(explanation.scattered).toMatchObject(want);
  });

  it('says what cannot be read, and asks no node', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.pod({ gpu: { count: 1, memoryMiB: '16Gi' } });
    expect(world.scheduler.explain(name)).toEqual({
      state: 'pending',
      problems: [
        'container "c0": nvidia.com/gpumem: "16Gi" has a binary suffix, but the value counts MiB; write 16384',
      ],
      reasons: [],
      nodes: [],
    });
  });

  it('agrees with filter on every node of any cluster', () => {
    const node = fc.record({
      cards: fc.array(fc.record({ memoryMiB: fc.constantFrom(100, 8192), healthy: fc.boolean() }), {
        maxLength: 3,
      }),
      bound: fc.boolean(),
      count: fc.constantFrom('0', '1', '20'),
    });
    fc.assert(
      fc.property(fc.array(node, { maxLength: 6 }), fc.integer({ min: 1, max: 3 }), (nodes, count) => {
        const fields = nodes.map(({ cards, count: free }, index): NodeFields => ({
          name: `n${index}`,
          devices: cards,
          allocatable: { 'nvidia.com/gpu': free },
        }));
        const world = makeWorld({ nodes: fields });
        for (const [index, { bound }] of nodes.entries()) {
          if (bound)
            world.pod({ name: `on-${index}`, nodeName: `n${index}`, allocated: 'gpu-0,NVIDIA,6000,0:;' });
        }
        const pod = world.pod({ gpu: { count, memoryMiB: 3000 } });
        const explained = world.scheduler.explain(name);
        const filtered = world.scheduler.filter(byName(pod, ...fields.map((field) => field.name ?? '')));
        if (explained?.state !== 'pending' || filtered.kind !== 'answered') throw new Error('no answer');
        const fitting = explained.nodes.filter(({ fits }) => fits).map((entry) => entry.node);
        expect(fitting).toEqual(filtered.feasible);
        for (const [refusedNode, refusal] of filtered.refused) {
          expect(explained.nodes.find((entry) => entry.node === refusedNode)).toMatchObject({
            refusal,
            reason: wireReason(refusal, true),
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the explanation of a pod in the ledger', () => {
  it('says where it is and what each container has', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.pod({ gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,0:;' });
    expect(world.scheduler.explain(name)).toEqual({
      state: 'bound',
      node: 'n1',
      containers: [
        { name: 'c0', shares: [{ vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 0 }] },
      ],
      withheld: {},
    });
  });

  it('says what is withheld for it', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.pod({ gpu, nodeName: 'n1' });
    expect(world.scheduler.explain(name)).toMatchObject({
      withheld: { NVIDIA: 1 },
      containers: [{ shares: [] }],
    });
  });

  it('says assumed while the bind is under way', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    void world.bind(world.pod({ gpu }));
    expect(world.scheduler.explain(name)).toMatchObject({ state: 'assumed', node: 'n1' });
  });
});

describe('a pod that is unknown', () => {
  it('has no explanation, though filter has seen it', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.scheduler.filter(byName(gpuPod({ gpu }), 'n1'));
    expect(world.scheduler.explain(name)).toBeUndefined();
  });

  it('has none any longer when it is deleted', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.state.removePod(world.pod({ gpu }).uid, 0);
    expect(world.scheduler.explain(name)).toBeUndefined();
  });
});
