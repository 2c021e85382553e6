/** What a quota leaves to a pod, container by container: the check of spec §8.3 with every container's own role (Q10). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ContainerRole, effectiveAmount } from '../../src/model/container-role.ts';
import type { QuotaLimit } from '../../src/model/quota.ts';
import { QuotaRoom } from '../../src/placement/quota-room.ts';

function limit(resource: string, used: number, most: number): QuotaLimit {
  return { resource, quota: 'gpu', limit: most, used };
}

/** A pod as its containers with the amounts of their cards, in MiB or in percent. */
interface RoomCase {
  readonly name: string;
  readonly used?: number;
  readonly limit: number;
  readonly pod: readonly (readonly [ContainerRole, ...number[]])[];
  readonly wantRefusedAt?: readonly [container: number, card: number];
}

const cases: readonly RoomCase[] = [
  { name: 'what just fits is allowed', used: 1000, limit: 2000, pod: [['app', 1000]] },
  {
    name: 'one MiB more is not',
    used: 1000,
    limit: 2000,
    pod: [['app', 1001]],
    wantRefusedAt: [0, 0],
  },
  {
    name: 'the cards of one container add up',
    used: 1000,
    limit: 2000,
    pod: [['app', 400, 400, 400]],
    wantRefusedAt: [0, 2],
  },
  {
    name: 'init containers do not',
    used: 1000,
    limit: 2000,
    pod: [
      ['init', 800],
      ['init', 800],
      ['app', 500],
    ],
  },
  {
    name: 'an init container is refused for its own peak',
    used: 1000,
    limit: 2000,
    pod: [
      ['init', 1500],
      ['app', 100],
    ],
    wantRefusedAt: [0, 0],
  },
  {
    name: 'Q10: app containers behind an init container add up, the first ones, too',
    used: 1000,
    limit: 2000,
    pod: [
      ['init', 100],
      ['app', 600],
      ['app', 600],
    ],
    wantRefusedAt: [2, 0],
  },
  {
    name: 'a sidecar counts beside later init containers',
    limit: 1000,
    pod: [
      ['sidecar', 300],
      ['init', 800],
    ],
    wantRefusedAt: [1, 0],
  },
  {
    name: 'and not beside earlier ones',
    limit: 1000,
    pod: [
      ['init', 800],
      ['sidecar', 300],
      ['app', 700],
    ],
  },
  {
    name: 'and beside the apps',
    limit: 1000,
    pod: [['init', 800], ['sidecar', 300], ['app'], ['app', 701]],
    wantRefusedAt: [3, 0],
  },
  { name: 'an explicit 0 allows nothing that counts', limit: 0, pod: [['app', 1]], wantRefusedAt: [0, 0] },
  {
    name: 'a namespace beyond its limit gets no more',
    used: 3000,
    limit: 2000,
    pod: [['app', 1]],
    wantRefusedAt: [0, 0],
  },
];

describe('a quota room', () => {
  it.each(cases)('$name', ({ used = 0, limit: most, pod, wantRefusedAt }) => {
    const memory = limit('mem', used, most);
    const inMemory = refusedAt(new QuotaRoom({ memory }), pod, (amount) => [amount, 0]);
    expect(inMemory).toEqual(wantRefusedAt === undefined ? undefined : [...wantRefusedAt, memory]);
    const cores = limit('cores', used, most);
    const inCores = refusedAt(new QuotaRoom({ cores }), pod, (amount) => [0, amount]);
    expect(inCores).toEqual(wantRefusedAt === undefined ? undefined : [...wantRefusedAt, cores]);
  });

  it('names memory where both limits are in the way', () => {
    const memory = limit('mem', 0, 10);
    const cores = limit('cores', 0, 10);
    const room = new QuotaRoom({ memory, cores });
    room.begin('app');
    expect(room.allows(11, 11)).toBe(memory);
    expect(room.allows(10, 11)).toBe(cores);
    expect(room.allows(10, 10)).toBeUndefined();
  });

  it.each([undefined, {}])('without limits (%p) allows everything', (quota) => {
    const room = new QuotaRoom(quota);
    room.begin('app');
    room.take(1e9, 1e9);
    expect(room.allows(1e9, 1e9)).toBeUndefined();
  });

  it('refuses a card iff the pod with it would hold more than the quota leaves', () => {
    const amount = fc.nat({ max: 6 });
    const cards = fc.array(fc.tuple(amount, amount), { maxLength: 3 });
    const starting = fc.array(fc.tuple(fc.constantFrom<ContainerRole>('init', 'sidecar'), cards), {
      maxLength: 4,
    });
    const apps = fc.array(fc.tuple(fc.constant<ContainerRole>('app'), cards), { maxLength: 4 });
    const bound = fc.option(fc.tuple(fc.nat({ max: 10 }), fc.nat({ max: 30 })), { nil: undefined });
    fc.assert(
      fc.property(starting, apps, bound, bound, (first, then, ofMemory, ofCores) => {
        const memory = ofMemory && limit('mem', ...ofMemory);
        const cores = ofCores && limit('cores', ...ofCores);
        const room = new QuotaRoom({ ...(memory && { memory }), ...(cores && { cores }) });
        const roles: ContainerRole[] = [];
        const taken: [memoryMiB: number, corePercent: number][] = [];
        const isBeyond = (which: QuotaLimit | undefined, dimension: 0 | 1, more: number) => {
          const peak = effectiveAmount(
            roles,
            (index) => (taken[index]?.[dimension] ?? 0) + (index === roles.length - 1 ? more : 0),
          );
          return which !== undefined && which.used + peak > which.limit;
        };
        for (const [role, shares] of [...first, ...then]) {
          roles.push(role);
          taken.push([0, 0]);
          room.begin(role);
          for (const [mib, percent] of shares) {
            const want = isBeyond(memory, 0, mib) ? memory : isBeyond(cores, 1, percent) ? cores : undefined;
            expect(room.allows(mib, percent)).toBe(want);
            if (want !== undefined) continue;
            room.take(mib, percent);
            const sum = taken.at(-1) ?? [0, 0];
            taken[taken.length - 1] = [sum[0] + mib, sum[1] + percent];
          }
          room.end();
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** Plans a pod card by card; answers the first card that is not allowed, and the limit in its way. */
function refusedAt(
  room: QuotaRoom,
  pod: RoomCase['pod'],
  shareOf: (amount: number) => readonly [memoryMiB: number, corePercent: number],
): readonly [container: number, card: number, inTheWay: QuotaLimit] | undefined {
  for (const [container, [role, ...cards]] of pod.entries()) {
    room.begin(role);
    for (const [card, amount] of cards.entries()) {
      const inTheWay = room.allows(...shareOf(amount));
      if (inTheWay !== undefined) return [container, card, inTheWay];
      room.take(...shareOf(amount));
    }
    room.end();
  }
  return undefined;
}
