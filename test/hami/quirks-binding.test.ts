/**
 * Quirks of the reference about the node lock and the Binding (spec §13.1): Q13, Q34, Q35. Each test fails on what the
 * reference does, which a comment in it states. Q14, Q15, Q16 and Q31 are among the tests of the lock, the writer and
 * the flags.
 */
import { describe, expect, it } from '@jest/globals';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { BindRig, nodePath, pathOf, term } from '../kubernetes/support/bind-rig.ts';
import { testClusters } from '../kubernetes/support/test-cluster.ts';
import { bindingArgs, schedulerOver } from '../scheduler/support/scheduler-world.ts';
import { cardsOf, makeState } from '../state/support/device-states.ts';
import { gpuLimits, type PodFields } from '../support/kubernetes-objects.ts';

const startCluster = testClusters();
const limits = gpuLimits({ count: 1, memoryMiB: 3000, corePercent: 30 });

/** A scheduler over one node with one card, on the wire, with a pod that waits. */
async function scheduling(fields: PodFields, lock?: string) {
  const rig = new BindRig(await startCluster());
  const state = makeState({ nodes: [{ devices: [{}] }] });
  rig.addNode(lock === undefined ? {} : { lock });
  const pod = rig.addPod(fields);
  state.applyPod(pod, rig.clock.nowMs());
  const scheduler = schedulerOver({ state, clock: rig.clock, writer: rig.writer, term: () => term });
  const bind = () => rig.cluster.drive(scheduler.bind(bindingArgs(pod, 'n1'), new AbortController().signal));
  return { rig, state, pod, bind };
}

const lockOf = ({ namespace, name }: PodObject) => `2026-01-01T00:00:00Z,${namespace},${name}`;

describe('the node lock', () => {
  it('Q13: is taken for a pod whose only user of cards is an init container', async () => {
    const { rig, pod, bind } = await scheduling({ containers: [{ role: 'init', limits }, {}] });
    expect(await bind()).toMatchObject({ ok: true });
    // The reference looks at app containers alone and sends the Binding without a lock.
    expect(rig.cluster.journal).toEqual([`PATCH ${nodePath}`, `POST ${pathOf(pod)}/binding`]);
    expect(rig.lock).toBe(lockOf(pod));
  });

  it('Q35: is not taken from an owner that waits for its devices, however old it is, and nothing is bound without', async () => {
    const old = '2025-12-31T23:00:00Z,default,other';
    const { rig, pod, bind } = await scheduling({ containers: [{ limits }] }, old);
    rig.addPod({ name: 'other', nodeName: 'n1', annotations: { 'hami.io/bind-phase': 'allocating' } });
    // The reference takes the lock over after five minutes; the plugin then finds two pods and no word whose turn it is.
    expect(await bind()).toMatchObject({ ok: false });
    expect(rig.lock).toBe(old);
    expect(rig.cluster.bodies('POST /binding')).toEqual([]);
    expect(rig.stored(pod).nodeName).toBeUndefined();
  });
});

describe('a bind that fails', () => {
  it('Q34: leaves nothing on the pod, the node and the card', async () => {
    const { rig, state, pod, bind } = await scheduling({ containers: [{ limits }] });
    rig.cluster.fail('POST /binding', { kind: 'answer', status: 403 });
    expect(await bind()).toMatchObject({ ok: false, code: 'WriteFailed' });
    // The reference has patched `hami.io/bind-phase: allocating` and `bind-time` by then, and leaves them.
    expect(rig.stored(pod)).toEqual(pod);
    expect(rig.lock).toBeUndefined();
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0' });
  });
});
