/** Nodes on which a pod that was bound past us waits for devices take no pods that need the node's lock. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeFields } from '../support/kubernetes-objects.ts';
import { gpuPod, nvidiaVendors, podObject } from '../state/support/device-states.ts';
import { dcuRegister, dcuVendor } from '../state/support/second-vendor.ts';
import { byName, byObject, makeWorld, verdictOf } from './support/scheduler-world.ts';

const gpu = { count: 1, memoryMiB: 3000 };
const pod = gpuPod({ gpu });
const nodes: readonly NodeFields[] = [{ devices: [{}, {}, {}] }, { name: 'n2', devices: [{}] }];
/** It withholds a card as well. */
const stray = { name: 'stray', namespace: 'kube-system', nodeName: 'n1', gpu };

describe('a closed node', () => {
  it('is left out until the stray has started, is over or is gone', () => {
    const world = makeWorld({ nodes });
    const ask = () => verdictOf(world.scheduler.filter(byName(pod, 'n1', 'n2')));
    const open = { feasible: ['n1', 'n2'], refused: {} };
    const closed = { feasible: ['n2'], refused: { n1: 'NodeClosed' } };
    world.pod(stray);
    expect(ask()).toEqual(closed);
    world.pod({ ...stray, running: true });
    expect(ask()).toEqual(open);
    world.pod({ ...stray, name: 'rejected' });
    expect(ask()).toEqual(closed);
    world.pod({ ...stray, name: 'rejected', phase: 'Failed' });
    expect(ask()).toEqual(open);
    const { uid } = world.pod({ ...stray, name: 'deleted' });
    expect(ask()).toEqual(closed);
    world.state.removePod(uid, 0);
    expect(ask()).toEqual(open);
  });

  it('is refused for good where no other would do: the pod is woken when the node opens', () => {
    const world = makeWorld({ nodes });
    world.pod(stray);
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1')))).toEqual({
      feasible: [],
      refused: { n1: 'NodeClosed' },
    });
  });

  it('is refused for its cards where those are what is missing', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.pod(stray);
    expect(verdictOf(world.scheduler.filter(byName(gpuPod({ gpu: { count: 2 } }), 'n1')))).toMatchObject({
      refused: { n1: 'NodeInsufficientDevice' },
    });
  });

  it('takes pods without devices, and those whose devices are handed out without the lock', () => {
    const register = '[{"id":"dcu-0","count":1,"devmem":8192,"devcore":100,"type":"DCU","health":true}]';
    const world = makeWorld({
      vendors: [...nvidiaVendors, dcuVendor],
      nodes: [
        { devices: [{}], annotations: { [dcuRegister]: register }, allocatable: { 'hygon.com/dcunum': '1' } },
      ],
    });
    world.pod(stray);
    const unlocked = podObject({ name: 'dcu', containers: [{ limits: { 'hygon.com/dcunum': '1' } }] });
    for (const one of [podObject({ name: 'plain' }), unlocked]) {
      expect(verdictOf(world.scheduler.filter(byName(one, 'n1')))).toMatchObject({ feasible: ['n1'] });
    }
  });

  it('is left out when it is sent as an object, too', () => {
    const world = makeWorld({ nodes });
    world.pod(stray);
    expect(verdictOf(world.scheduler.filter(byObject(pod, ...nodes)))).toEqual({
      feasible: ['n2'],
      refused: { n1: 'NodeClosed' },
    });
  });

  it('is no reason to ask for another sample', () => {
    const sample = Array.from({ length: 100 }, (_, index) => `empty-${index}`);
    const world = makeWorld({ nodes: [...sample.map((name) => ({ name })), { devices: [{}, {}] }] });
    const ask = () => verdictOf(world.scheduler.filter(byName(pod, ...sample)));
    world.pod(stray);
    expect(ask()).toMatchObject({ feasible: [] });
    world.pod({ ...stray, phase: 'Running', running: true });
    expect(ask()).toBe('OutsideSample');
  });

  it('is explained with the pod that closes it', () => {
    const world = makeWorld({ nodes });
    world.pod(stray);
    world.pod({ gpu });
    expect(world.scheduler.explain({ namespace: 'default', name: 'pod-1' })).toMatchObject({
      reasons: [{ reason: 'NodeClosed', nodes: 1 }],
      nodes: [
        {
          node: 'n1',
          fits: false,
          reason: 'NodeClosed',
          sentence: expect.stringContaining('pod kube-system/stray was bound there past the scheduler'),
        },
        { node: 'n2', fits: true },
      ],
    });
  });

  it('is the same to filter and to explain on any cluster', () => {
    const arbitraryNode = fc.record({
      cards: fc.integer({ min: 1, max: 4 }),
      closed: fc.boolean(),
    });
    let closed = 0;
    fc.assert(
      fc.property(
        fc.array(arbitraryNode, { maxLength: 6 }),
        fc.integer({ min: 1, max: 2 }),
        (fields, count) => {
          const names = fields.map((_, index) => `n${index}`);
          const world = makeWorld({
            nodes: fields.map(({ cards }, index) => ({
              name: `n${index}`,
              devices: Array.from({ length: cards }, () => ({})),
            })),
          });
          for (const [index, field] of fields.entries()) {
            if (field.closed)
              world.pod({ ...stray, name: `stray-${index}`, nodeName: `n${index}`, gpu: { count: 1 } });
          }
          const asking = world.pod({ gpu: { ...gpu, count } });
          const explained = world.scheduler.explain({ namespace: 'default', name: 'pod-1' });
          const nodesExplained = explained?.state === 'pending' ? explained.nodes : [];
          const answer = world.scheduler.filter(byName(asking, ...names));
          const refused = new Map(answer.kind === 'answered' ? answer.refused : []);
          expect(nodesExplained.map(({ node, refusal }) => [node, refusal])).toEqual(
            names.map((name) => [name, refused.get(name)]),
          );
          closed += [...refused.values()].filter((refusal) => refusal.code === 'NodeClosed').length;
        },
      ),
    );
    expect(closed).toBeGreaterThan(20);
  });
});
