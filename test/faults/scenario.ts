/**
 * One history: pods come and go while things go wrong; then nothing goes wrong any more, and the cluster must come to
 * rest, with every card of every node to be had again. A history that fails is thrown with its seed and its last lines.
 */
import { pickWeighted } from '../../src/emulator/demo-cluster-random.ts';
import { machine } from '../integration/scenarios/scenario.ts';
import { refusalOf } from '../integration/scenarios/pods.ts';
import type { FaultRates } from './fault-dice.ts';
import { type Misfortune, strike } from './misfortunes.ts';
import { planPod, podManifest } from './pod-mix.ts';
import { faultsOf, unrestOf } from './quiescence.ts';
import { shownLines } from './settings.ts';
import { World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly pods: number;
  readonly rates: FaultRates;
  readonly misfortunes: readonly (readonly [weight: number, misfortune: Misfortune])[];
  /** On average between two misfortunes. */
  readonly misfortuneEveryMs: number;
  readonly replicas?: number;
  readonly audits?: boolean;
}

export interface Outcome {
  /** Equal for equal histories. */
  readonly digest: string;
  /** How often each fault, misfortune and step of a bind came about. */
  readonly counts: ReadonlyMap<string, number>;
  /** Containers that were given devices. */
  readonly served: number;
}

export const noFaults: FaultRates = { requests: [], ofBindCalls: 0, ofOtherCalls: 0 };
export const machines = [
  machine('n1', 2, { memoryMiB: 16_000 }),
  machine('n2', 2, { memoryMiB: 16_000 }),
  machine('n3', 1, { memoryMiB: 16_000 }),
];

const podEveryMs = 400;
/** Longer than any time-out, drain and back-off, three minutes of a silent watch among them. */
const restLimitMs = 20 * 60_000;
const clearLimitMs = 5 * 60_000;

export async function play(scenario: Scenario, seed: number): Promise<Outcome> {
  const { rates, replicas = 1, audits = false } = scenario;
  const world = new World({ seed, nodes: machines, rates, replicas, audits });
  try {
    await world.start();
    await trouble(world, scenario);
    await rest(world);
    await everyCardIsFree(world);
  } catch (error) {
    throw failureOf(world, scenario.name, seed, error);
  }
  return {
    digest: world.journal.digest(),
    counts: world.dice.counts,
    served: world.agent.book.records.length,
  };
}

async function trouble(world: World, { pods, misfortunes, misfortuneEveryMs }: Scenario): Promise<void> {
  const random = world.random('scenario');
  const scheduleMisfortune = () => {
    world.time.after(random() * 2 * misfortuneEveryMs, () => {
      if (world.isCalm) return;
      strike(pickWeighted(misfortunes, random), world, random);
      scheduleMisfortune();
    });
  };
  if (misfortunes.length > 0) scheduleMisfortune();
  for (let index = 0; index < pods; index += 1) {
    const plan = planPod(`pod-${index}`, world.schedulerName, random);
    await world.await(world.objects.createPod(plan.manifest));
    if (plan.deletedAfterMs !== undefined) {
      world.time.after(plan.deletedAfterMs, () => {
        // A pod that is gone already is gone.
        void world.objects.deletePod(plan.name, plan.isForced);
      });
    }
    await world.time.runFor(random() * 2 * podEveryMs);
    throwFaults(world);
  }
}

/** Nothing goes wrong from now on; what has gone wrong puts itself right. */
export async function rest(world: World): Promise<void> {
  world.calm();
  const isAtRest = () => faultsOf(world).length > 0 || unrestOf(world).length === 0;
  await world.time.runFor(90_000);
  for (let waitedMs = 0; waitedMs < restLimitMs && !isAtRest(); waitedMs += 15_000)
    await world.time.runFor(15_000);
  throwFaults(world);
  const unrest = unrestOf(world);
  if (unrest.length > 0) throw new Error(unrest.join('\n'));
}

/** With nobody left, a pod that asks for all of a node gets it: no lock, no charge and no assumption is left over. */
export async function everyCardIsFree(world: World): Promise<void> {
  for (const { metadata } of world.objects.pods())
    await world.await(world.objects.deletePod(metadata.name, false));
  await world.until('all pods are gone', () => world.objects.pods().length === 0, clearLimitMs);
  // What was last seen running drains.
  await world.time.runFor(60_000);
  for (const { name, gpus } of world.nodes) {
    const amounts = [{ count: gpus.length, memoryPercent: 100, corePercent: 100 }];
    const { schedulerName } = world;
    await world.await(
      world.objects.createPod(podManifest(`all-of-${name}`, { schedulerName, amounts, node: name })),
    );
  }
  const allRun = () => world.objects.pods().every(({ status }) => status?.phase === 'Running');
  await world.time.runUntil(allRun, clearLimitMs);
  const waiting = world.objects.pods().filter(({ status }) => status?.phase !== 'Running');
  const why = waiting.map(
    (pod) => `${pod.metadata.name}: ${pod.status?.message ?? JSON.stringify(refusalOf(pod))}`,
  );
  if (why.length > 0) throw new Error(`cards are not to be had: ${why.join('; ')}`);
  throwFaults(world);
}

function throwFaults(world: World): void {
  const faults = faultsOf(world);
  if (faults.length > 0) throw new Error(faults.slice(0, 5).join('\n'));
}

/** With everything that is needed to see the history again. */
export function failureOf(world: World, name: string, seed: number, error: unknown): Error {
  const problem = error instanceof Error ? error.message : String(error);
  const shown = shownLines();
  const counts = [...world.dice.counts].map(([what, count]) => `${what} ${count}`).join(', ');
  return new Error(
    [
      `seed ${seed} of "${name}" (TESSERA_FAULT_SEED=${seed} replays it): ${problem}`,
      `so far: ${counts}`,
      ...world.journal.last(shown.count, shown.about),
    ].join('\n'),
    { cause: error },
  );
}
