/** The policies on a small part of the openb trace (excerpt/NOTICE.md), against the same experiment by brute force. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '../../src/model/node-view.ts';
import type { Parsed } from '../../src/model/result.ts';
import { makeFragmentationMeasure } from '../../src/placement/fragmentation/fragmentation-measure.ts';
import { arrivalsOf } from '../../src/simulator/arrivals.ts';
import { parseOpenbNodes } from '../../src/simulator/openb-nodes.ts';
import { parseOrders } from '../../src/simulator/openb-orders.ts';
import { parseOpenbPods } from '../../src/simulator/openb-pods.ts';
import { makePolicy } from '../../src/simulator/policies/policies.ts';
import { targetWorkload } from '../../src/simulator/policies/target-workload.ts';
import { type PolicyName, policyNames } from '../../src/simulator/policy.ts';
import { replay } from '../../src/simulator/replay.ts';
import { seededRandom } from '../../src/simulator/seeded-random.ts';
import { readSimulatedPods, requestMix } from '../../src/simulator/simulated-pod.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import { fits, fragmented, place, readMachines, readTasks, type Rule, targetsOf } from './brute-force.ts';

const textOf = (name: string) => readFileSync(new URL(`./excerpt/${name}`, import.meta.url), 'utf8');
const [nodesText, podsText] = [textOf('nodes.csv'), textOf('pods.csv')];
const views = viewsOf(nodesText);
const pods = readSimulatedPods(
  valueOf(parseOpenbPods(podsText)).map(({ pod }) => pod),
  nvidiaVendors,
);
const orders = valueOf(parseOrders(textOf('orders.jsonl'), { pods: pods.length, nodes: views.length }));
const tasks = readTasks(podsText);

function valueOf<T>(read: Parsed<T>): T {
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

function viewsOf(text: string): readonly NodeView[] {
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
  const nodes = valueOf(parseOpenbNodes(text));
  for (const node of nodes) state.applyNode(node);
  return nodes.map(({ name }) => state.view(name)!);
}

function run(policy: PolicyName, seed: number) {
  const order = orders.get(seed)!;
  const mix = requestMix(pods);
  const random = seededRandom(seed);
  const defaults = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
  const fragmentedNow = new Map<string, number>();
  const measure = makeFragmentationMeasure(targetWorkload(mix));
  const result = replay({
    views,
    pods,
    arrivals: arrivalsOf(order.arrivals),
    policy: makePolicy(policy, { views, mix, defaults, random }),
    rank: order.nodeRank,
    random,
    fragmentedMilli: (view) => {
      const milli = measure.fragmentedMilli(view);
      fragmentedNow.set(view.name, milli);
      return milli;
    },
  });
  return {
    ...result,
    nodes: result.placements.map((placement) => (placement.ok ? placement.node : -1)),
    fragmentedMilli: [...fragmentedNow.values()].reduce((sum, milli) => sum + milli, 0),
  };
}

const rules: readonly Rule[] = ['fgd', 'bestfit', 'dotprod', 'gpupacking', 'gpuclustering'];
const runs = rules.flatMap((rule) => [...orders.keys()].map((seed) => ({ rule, seed })));

describe('the published policies on the excerpt', () => {
  it.each(runs)('$rule puts every pod of seed $seed where brute force puts it', ({ rule, seed }) => {
    const machines = readMachines(nodesText);
    const wanted = place(rule, machines, tasks, orders.get(seed)!);
    const { nodes, allocatedMilli, capacityMilli, fragmentedMilli } = run(rule, seed);
    expect(nodes).toEqual(wanted);
    const idle = machines.flatMap(({ free }) => free).reduce((sum, milli) => sum + milli, 0);
    expect(allocatedMilli).toBe(capacityMilli - idle);
    const targets = targetsOf(tasks);
    const lost = machines.reduce((sum, machine) => sum + fragmented(machine, targets), 0);
    expect(fragmentedMilli).toBeCloseTo(lost, 6);
  });
});

describe('every policy on the excerpt', () => {
  it.each(policyNames)('%s places what fits somewhere, and only where it fits', (policy) => {
    const { placements } = run(policy, 42);
    const machines = readMachines(nodesText);
    for (const [event, placement] of placements.entries()) {
      const task = tasks[orders.get(42)!.arrivals[event]!]!;
      const open = machines.filter((machine) => fits(machine, task));
      if (!placement.ok) {
        expect(open).toEqual([]);
        continue;
      }
      const machine = machines[placement.node]!;
      expect(open).toContain(machine);
      const shares = placement.allocation.flat();
      expect(shares).toHaveLength(task.cards);
      for (const { deviceId } of shares) {
        const card = Number(deviceId.split('-').at(-1));
        expect(machine.free[card]).toBeGreaterThanOrEqual(task.milli);
        machine.free[card]! -= task.milli;
      }
      machine.cpu -= task.cpu;
      machine.memory -= task.memory;
    }
  });

  it('fragmentation allocates more than any published policy', () => {
    for (const seed of orders.keys()) {
      const { allocatedMilli } = run('fragmentation', seed);
      const others = rules.map((rule) => run(rule, seed).allocatedMilli);
      expect(allocatedMilli).toBeGreaterThan(Math.max(...others));
    }
  });
});
