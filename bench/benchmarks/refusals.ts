/**
 * Pods that fit nowhere and are asked about again and again while others are bound: every bind wakes them, and
 * kube-scheduler waits from one up to ten seconds before it asks about the same pod again. The same binds without them
 * tell which part of the processor's time they cost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.ts';
import { Scheduling } from '../caller/scheduling.ts';
import { withTestBed } from '../caller/test-bed.ts';
import { floorFigures, latencyFigures, processFigures } from '../report/row.ts';

const defaults = {
  nodes: 5000,
  cards: 8,
  fill: 0.7,
  names: 500,
  pending: 1000,
  perSecond: 20,
  seconds: 20,
  warmup: 100,
};
type RefusalsSettings = typeof defaults;

export const refusalsBenchmark: Benchmark<RefusalsSettings> = {
  name: 'refusals',
  description: 'pods that fit nowhere, asked about while others are bound',
  defaults,
  run: async (settings, { seed, tell, profileFile }) => {
    const { nodes, cards, fill, names, pending, perSecond, seconds, warmup } = settings;
    const size = { nodes, cards, until: { fill }, seed };
    return withTestBed(size, async (bed) => {
      const { server, cluster } = bed;
      const binds = new Scheduling(bed, names);
      const refusals = new Scheduling(bed, names);
      try {
        for (let pod = 0; pod < warmup; pod += 1) await binds.schedulePod();

        await server.ask('begin', { profile: false });
        const alone = await keepGoing({ binds, perSecond, seconds, waiting: undefined });
        const before = await server.ask('end', {});

        const waiting = new WaitingPods();
        for (let pod = 0; pod < pending; pod += 1) {
          const created = await cluster.ask('createPod', { impossible: true });
          waiting.add(created, refusals);
        }
        // Everybody has been refused once, and their turns are spread over the longest wait.
        await keepGoing({ binds, perSecond, seconds: warmUpSeconds(settings), waiting });
        refusals.beginFigures();
        await server.ask('begin', { profile: profileFile !== undefined });
        const beside = await keepGoing({ binds, perSecond, seconds, waiting });
        const during = await server.ask('end', profileFile === undefined ? {} : { profileFile });

        const { filter, failed, firstFailure } = refusals.figures;
        tell(
          `binds per second: ${alone.toFixed(1)} alone, ${beside.toFixed(1)} beside refusals; ${failed} failed ${firstFailure}`,
        );
        const cpu = (during.cpuMs * 100) / during.elapsedMs;
        return [
          {
            name: 'refusals',
            params: {
              nodes,
              cards,
              names,
              pending,
              binds_per_second: round(beside),
              binds_per_second_alone: round(alone),
            },
            ...latencyFigures(filter.ours),
            per_second: (filter.ours.count * 1000) / during.elapsedMs,
            ...floorFigures(filter.floor),
            ...processFigures(during),
            cpu_percent: cpu,
            cpu_percent_added: cpu - (before.cpuMs * 100) / before.elapsedMs,
          },
        ];
      } finally {
        binds.close();
        refusals.close();
      }
    });
  },
};

/** kube-scheduler's `podInitialBackoffSeconds` and `podMaxBackoffSeconds`. */
const firstBackoffMs = 1000;
const longestBackoffMs = 10_000;

function warmUpSeconds({ seconds }: RefusalsSettings): number {
  return Math.min(seconds, longestBackoffMs / 1000);
}

interface WaitingPod {
  readonly ask: () => Promise<unknown>;
  backoffMs: number;
  dueMs: number;
}

class WaitingPods {
  readonly #pods: WaitingPod[] = [];

  add(pod: object, scheduling: Scheduling): void {
    this.#pods.push({ ask: () => scheduling.filterPod(pod), backoffMs: firstBackoffMs, dueMs: 0 });
  }

  /** Asks about the pod that is due for the longest time; answers whether there was one. */
  async askOne(): Promise<boolean> {
    const nowMs = performance.now();
    const [longest] = this.#pods.filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
    if (longest === undefined) return false;
    await longest.ask();
    longest.dueMs = performance.now() + longest.backoffMs;
    longest.backoffMs = Math.min(longestBackoffMs, longest.backoffMs * 2);
    return true;
  }
}

interface Going {
  readonly binds: Scheduling;
  readonly perSecond: number;
  readonly seconds: number;
  readonly waiting: WaitingPods | undefined;
}

/** Schedules pods at the given rate, or as near to it as it gets, and asks about others in between. Answers the rate. */
async function keepGoing({ binds, perSecond, seconds, waiting }: Going): Promise<number> {
  binds.beginFigures();
  const startedMs = performance.now();
  const elapsedMs = () => performance.now() - startedMs;
  let scheduled = 0;
  while (elapsedMs() < seconds * 1000) {
    if (scheduled * 1000 <= elapsedMs() * perSecond) {
      await binds.schedulePod();
      scheduled += 1;
    } else if (waiting === undefined || !(await waiting.askOne())) await pause(1);
  }
  return (binds.figures.bound * 1000) / elapsedMs();
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
