/** Whatever happened before, the cache holds what the objects say; and no change of a view goes unannounced. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceKey, noUsage } from '../../src/model/device.ts';
import type { NodeView } from '../../src/model/node-view.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { ledgerOf, pictureOf } from './support/device-states.ts';
import { nodeNames, operations, RandomHistory } from './support/random-history.ts';

const history = fc.array(fc.tuple(fc.constantFrom(...operations), fc.nat(59), fc.nat(1023)), {
  minLength: 10,
  maxLength: 120,
  size: 'max',
});

/** The views' usage must be the sum of the ledger's entries, neither more nor less. */
function expectViewsMatchLedger(state: DeviceState): void {
  for (const node of nodeNames) {
    const sums = new Map<string, { slots: number; memoryMiB: number; corePercent: number }>();
    for (const { load } of [...state.entries()].filter((entry) => entry.node === node)) {
      for (const [key, usage] of load.usage) {
        const sum = sums.get(key) ?? { ...noUsage };
        sum.slots += usage.slots;
        sum.memoryMiB += usage.memoryMiB;
        sum.corePercent += usage.corePercent;
        sums.set(key, sum);
      }
    }
    for (const { device, used } of state.view(node)?.devices ?? []) {
      expect(used).toEqual(sums.get(deviceKey(device.vendor, device.id)) ?? noUsage);
    }
  }
}

function everything(state: DeviceState): unknown {
  return {
    nodes: nodeNames.map((name) => ({
      view: pictureOf(state, name),
      idle: state.idleView(name)?.devices,
      host: [state.node(name)?.hostUsed, state.node(name)?.hostAllocatable],
    })),
    ledger: Object.entries(ledgerOf(state)).sort(),
    pending: [...state.pendingPods()].map(({ pod }) => pod.uid).sort(),
  };
}

describe('the device state', () => {
  it('after any history equals one built from the objects alone', () => {
    const seen = { bound: 0, withheld: 0, pending: 0 };
    fc.assert(
      fc.property(history, fc.boolean(), (steps, reversed) => {
        const cluster = new RandomHistory();
        for (const step of steps) cluster.step(...step);
        cluster.settle();
        expectViewsMatchLedger(cluster.state);
        expect(everything(cluster.state)).toEqual(everything(cluster.fromScratch(reversed)));
        for (const entry of cluster.state.entries()) {
          seen.bound += 1;
          if (entry.load.withheld.size > 0) seen.withheld += 1;
        }
        seen.pending += [...cluster.state.pendingPods()].length;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.bound, seen.withheld, seen.pending)).toBeGreaterThan(100);
  });

  it('grows the generation of a node with every new view, and answers the same view until then', () => {
    let changes = 0;
    fc.assert(
      fc.property(history, (steps) => {
        const cluster = new RandomHistory();
        const last = new Map<string, { view: NodeView; picture: unknown }>();
        for (const step of steps) {
          cluster.step(...step);
          for (const name of nodeNames) {
            const view = cluster.state.view(name);
            const before = last.get(name);
            last.delete(name);
            if (view === undefined) continue;
            const now = { view, picture: pictureOf(cluster.state, name) };
            last.set(name, now);
            // Plain comparisons: a matcher for each of the many steps would take most of the time.
            if (before === undefined || before.view === view) continue;
            if (!isDeepStrictEqual(now.picture, before.picture)) changes += 1;
            // One generation, one view.
            if (view.generation <= before.view.generation) expect(now).toBe(before);
          }
        }
      }),
      { numRuns: 200 },
    );
    expect(changes).toBeGreaterThan(300);
  });

  it('keeps nothing of nodes and pods that are all gone', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const cluster = new RandomHistory();
        for (const step of steps) cluster.step(...step);
        cluster.settle();
        for (const { podUid } of [...cluster.state.entries()]) cluster.state.removePod(podUid, cluster.nowMs);
        for (const { pod } of [...cluster.state.pendingPods()])
          cluster.state.removePod(pod.uid, cluster.nowMs);
        for (const name of nodeNames) cluster.state.removeNode(name);
        cluster.state.expireDraining(Number.MAX_SAFE_INTEGER);
        expect(ledgerOf(cluster.state)).toEqual({});
        expect(nodeNames.map((name) => cluster.state.node(name))).toEqual(nodeNames.map(() => undefined));
      }),
      { numRuns: 200 },
    );
  });
});
