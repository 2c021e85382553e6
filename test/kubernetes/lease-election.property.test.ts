/** Elections under messages that are late or lost, and processes that stand still: never two leaders, and soon one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { LeaseElection } from '../../src/kubernetes/lease-election.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { LeaseProcess, LeaseWorld, type Network } from './support/lease-world.ts';

const candidates = 3;
const troubledMs = 90_000;
/** A lease that somebody may still hold, twice the time for taking it, and some for messages. */
const quietMs = 30_000;
const swift: Network = { delayMs: () => 5, isLost: () => false };

interface Standstill {
  readonly who: number;
  readonly atMs: number;
  readonly forMs: number;
}

const standstills: fc.Arbitrary<readonly Standstill[]> = fc.array(
  fc.record({
    who: fc.integer({ min: 0, max: candidates - 1 }),
    atMs: fc.integer({ min: 0, max: troubledMs }),
    forMs: fc.integer({ min: 1, max: 25_000 }),
  }),
  { maxLength: 8 },
);

/** Mostly milliseconds; one message in eight takes up to 15 s, and some never arrive. */
function troubled(random: () => number, lostPart: number): Network {
  return {
    delayMs: () => Math.floor(random() < 1 / 8 ? random() * 15_000 : random() * 100),
    isLost: () => random() < lostPart,
  };
}

function play(seed: number, lostPart: number, pauses: readonly Standstill[]) {
  const random = seededRandom(seed);
  const world = new LeaseWorld(troubled(random, lostPart));
  let ids = 0;
  const processes = Array.from({ length: candidates }, (_, index) => new LeaseProcess(world, index * 7919));
  const elections = processes.map(
    ({ client, clock }, index) =>
      new LeaseElection({
        client,
        clock,
        lease: { namespace: 'default', name: 'lease' },
        identity: `s-${index}`,
        random,
        newTermId: () => `id${(ids += 1)}`,
        log: makeLogger({ level: 'silent' }),
        onRole: () => undefined,
      }),
  );
  for (const { who, atMs, forMs } of pauses) {
    world.at(atMs, () => processes[who]?.standStill());
    world.at(atMs + forMs, () => processes[who]?.goOn());
  }
  for (const election of elections) election.start();
  /** By term, who led in it. */
  const terms = new Map<string, number>();
  const check = () => {
    const leading = elections.flatMap(({ term }, index) => (term === undefined ? [] : [{ term, index }]));
    expect(leading.length).toBeLessThan(2);
    for (const { term, index } of leading) {
      expect(terms.get(term) ?? index).toBe(index);
      terms.set(term, index);
    }
  };
  return { world, processes, elections, terms, check };
}

describe('several candidates', () => {
  it('never lead at once, whatever is late, lost or standing still, and in quiet times one does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom(0, 0.05, 0.3),
        standstills,
        async (seed, lost, pauses) => {
          const { world, processes, elections, check } = play(seed, lost, pauses);
          await world.playUntil(troubledMs, check);
          for (const process of processes) process.goOn();
          world.network = swift;
          await world.playUntil(troubledMs + quietMs, check);
          expect(elections.filter(({ term }) => term !== undefined)).toHaveLength(1);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it('each leave the lease to the next when they stop, in no time but that of messages', async () => {
    const { world, elections, terms, check } = play(1, 0, []);
    world.network = swift;
    await world.playUntil(10_000, check);
    for (let left = candidates; left > 1; left -= 1) {
      const leader = elections.find(({ term }) => term !== undefined);
      void leader?.stop();
      const sinceMs = world.nowMs;
      await world.playUntil(sinceMs + 100, check);
      expect(elections.filter(({ term }) => term !== undefined)).toHaveLength(1);
    }
    expect(terms.size).toBe(candidates);
  });

  it('take over from one that has died within its duration and an attempt', async () => {
    const { world, processes, elections, check } = play(1, 0, []);
    world.network = swift;
    await world.playUntil(10_000, check);
    const dead = elections.findIndex(({ term }) => term !== undefined);
    processes[dead]?.standStill();
    await world.playUntil(world.nowMs + 10_500, check);
    const next = elections.findIndex(({ term }) => term !== undefined);
    expect(next).not.toBe(dead);
    expect(next).toBeGreaterThanOrEqual(0);
  });
});
