/** The promise of the whole: whatever comes in whatever order, no card is ever given more than it has. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeviceState } from '../../src/state/device-state.ts';
import { ledgerOf, nvidiaVendors, pictureOf } from '../state/support/device-states.ts';
import { RandomCluster } from './support/random-cluster.ts';
import { operations } from './support/random-operations.ts';

const history = fc.array(fc.tuple(fc.constantFrom(...operations), fc.nat(255), fc.nat(255)), {
  minLength: 50,
  maxLength: 120,
  size: 'max',
});

function fromScratch(cluster: RandomCluster): DeviceState {
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
  for (const node of cluster.nodes()) state.applyNode(node);
  for (const pod of cluster.pods()) state.applyPod(pod, cluster.clock.nowMs());
  state.expireDraining(Number.MAX_SAFE_INTEGER);
  return state;
}

describe('binds, failures, doubts, releases and changing nodes in any order', () => {
  it('never over-commit a card, and leave exactly the bound pods in the ledger', async () => {
    const counts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const cluster = new RandomCluster();
        for (const step of steps) {
          await cluster.step(...step);
          const fault = cluster.checkNow();
          if (fault !== undefined) throw new Error(fault);
        }
        await cluster.settle();
        const fault = cluster.checkNow();
        if (fault !== undefined) throw new Error(fault);
        const bound = Object.entries(cluster.boundPods).map(([uid, node]) => [uid, `${node} bound`]);
        expect(ledgerOf(cluster.state)).toEqual(Object.fromEntries(bound));
        const rebuilt = fromScratch(cluster);
        for (const node of ['n1', 'n2'])
          expect(pictureOf(cluster.state, node)).toEqual(pictureOf(rebuilt, node));
        expect(cluster.clock.pending).toBe(0);
        for (const [what, count] of cluster.counts) counts.set(what, (counts.get(what) ?? 0) + count);
      }),
      { numRuns: 1500 },
    );
    // Every way a bind can end, and everything that can cross it, came up often enough to mean something.
    const wanted = [
      'bound',
      'NoFit',
      'PodBound',
      'PodUnknown',
      'GateBusy',
      'CallerGone',
      'WriteFailed',
      'OutcomeUnknown',
      'doubt: bound',
      'doubt: not',
      'died running',
      'deleted bound',
      'deleted unbound',
      'reshaped',
    ];
    expect(wanted.filter((what) => (counts.get(what) ?? 0) < 20)).toEqual([]);
  }, 60_000);
});
