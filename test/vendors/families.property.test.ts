/**
 * All families together on one node, whatever its cards and whatever pods come: what is given is what is charged, before
 * and after a restart, never more than a card has or a quota allows, and nothing stays behind. Seeds are printed.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView } from '../../src/model/node-view.ts';
import type { PodJson } from '../support/kubernetes-objects.ts';
import { podFrom } from '../../src/wire/kubernetes.ts';
import { type Card, type FamilyNode, nodeFields } from './families/arbitrary-nodes.ts';
import { arbitraryScene, families, type ScenePod } from './families/arbitrary-pods.ts';
import { faultsOf } from './families/families-judge.ts';
import { everyVendor, FamiliesWorld, node, type Policies } from './families/families-world.ts';
import { heldOf, worstOf } from './families/held-shares.ts';

const runs = { numRuns: 150 };
const trusts = ['as-written', 'at-least-request'] as const;
const policies: fc.Arbitrary<Policies> = fc.record({
  nodePolicy: fc.constantFrom('binpack', 'spread'),
  devicePolicy: fc.constantFrom('binpack', 'spread', 'binpack,numa'),
});

/** A view without what tells only when it was made; shares' kinds come in no order. */
function pictureOf(view: NodeView | undefined): unknown {
  if (view === undefined) return undefined;
  const { devices, countFree, unavailable } = view;
  return {
    devices: devices.map((card) => ({ ...card, kinds: card.kinds.toSorted() })),
    countFree,
    unavailable,
  };
}

function isEmpty({ devices }: Pick<NodeView, 'devices'>): boolean {
  return devices.every(
    ({ used, kinds, withheld }) =>
      used.slots === 0 && used.memoryMiB === 0 && used.corePercent === 0 && kinds.length === 0 && !withheld,
  );
}

/** How many pods have cards of a family: a judge who sees none finds no faults. */
function countOfFamily({ parts }: FamilyNode, pods: readonly PodJson[]): number {
  const vendor = parts[0]?.vendor ?? '';
  return pods.filter((raw) => heldOf(raw, vendor).length > 0).length;
}

describe('pods of all families on one node', () => {
  it.each(families)(
    'never have more than there is, nor what is not to be shared: %s and others',
    (family) => {
      let given = 0;
      fc.assert(
        fc.property(arbitraryScene(16, family), policies, ({ where, pods }, inForce) => {
          const world = new FamiliesWorld(nodeFields(where), { policies: inForce });
          const bound: PodJson[] = [];
          for (const [index, fields] of pods.entries()) {
            const raw = world.come(fields);
            const own = raw === undefined ? undefined : world.bind(raw);
            if (own !== undefined) {
              bound.push(own);
              given += countOfFamily(where, [own]);
            }
            expect(faultsOf(where, bound)).toEqual([]);
            // Every third one ends while others go on.
            const gone = index % 3 === 2 ? bound.shift() : undefined;
            if (gone !== undefined) world.release(podFrom(gone));
          }
        }),
        { numRuns: 60 },
      );
      expect(given).toBeGreaterThan(15);
    },
  );

  it.each(trusts)('are charged after a restart exactly what they were at the bind, %s', (trust) => {
    fc.assert(
      fc.property(arbitraryScene(8), policies, ({ where, pods }, inForce) => {
        const before = new FamiliesWorld(nodeFields(where), { policies: inForce, trust });
        const bound = before.bindAll(pods);
        const after = new FamiliesWorld(nodeFields(where), { policies: inForce, trust });
        for (const raw of bound.toReversed()) after.take(raw);
        expect(pictureOf(after.state.view(node))).toEqual(pictureOf(before.state.view(node)));
        for (const raw of bound) {
          const { uid } = podFrom(raw);
          const [own, read] = [before, after].map(({ state }) => state.entry(uid));
          expect(read?.allocation).toEqual(own?.allocation);
          expect(read?.quota).toEqual(own?.quota);
        }
      }),
      runs,
    );
  });

  it('leave nothing behind when they go, in whatever order, and no card is used when all are gone', () => {
    let taken = 0;
    fc.assert(
      fc.property(arbitraryScene(8), fc.infiniteStream(fc.nat()), ({ where, pods }, chance) => {
        const world = new FamiliesWorld(nodeFields(where));
        const idle = pictureOf(world.state.view(node));
        const left = [...world.bindAll(pods)];
        if (left.length > 0 && !isEmpty(world.state.view(node)!)) taken += 1;
        while (left.length > 0) {
          const [gone] = left.splice((chance.next().value ?? 0) % left.length, 1);
          if (gone !== undefined) world.release(podFrom(gone));
          const others = new FamiliesWorld(nodeFields(where));
          for (const raw of left) others.take(raw);
          expect(pictureOf(world.state.view(node))).toEqual(pictureOf(others.state.view(node)));
        }
        expect(pictureOf(world.state.view(node))).toEqual(idle);
        expect(isEmpty(world.state.view(node)!)).toBe(true);
      }),
      runs,
    );
    expect(taken).toBeGreaterThan(50);
  });
});

const rated = new Set(
  everyVendor.flatMap(({ key, cardRules }) => (cardRules?.rating === undefined ? [] : [key])),
);

/** Cards and score of each pod, one after the other; undefined for one that is denied or does not fit. */
function outcomes(world: FamiliesWorld, pods: readonly ScenePod[]): readonly unknown[] {
  return pods.map((fields) => {
    const raw = world.come(fields);
    if (raw === undefined) return undefined;
    const planned = world.plan(raw);
    if (!planned.ok) return undefined;
    world.bind(raw);
    const { allocation, score } = planned;
    const cards = allocation.map((shares) => shares.map((share) => JSON.stringify(share)).toSorted());
    // Of several families' ratings the last weighs most; it does so on all nodes.
    const raters = new Set(allocation.flat().flatMap(({ vendor }) => (rated.has(vendor) ? [vendor] : [])));
    return raters.size > 1 ? { cards } : { cards, score };
  });
}

describe('the choice of cards', () => {
  it('does not depend on the order in which plugins list their cards', () => {
    fc.assert(
      fc.property(arbitraryScene(5), policies, fc.nat(), ({ where, pods }, inForce, turn) => {
        const turned = (cards: readonly Card[]) => {
          const start = turn % cards.length;
          return [...cards.slice(start), ...cards.slice(0, start)].reverse();
        };
        const inOrder = new FamiliesWorld(nodeFields(where), { policies: inForce });
        const shuffled = new FamiliesWorld(nodeFields(where, turned), { policies: inForce });
        expect(outcomes(shuffled, pods)).toEqual(outcomes(inOrder, pods));
      }),
      runs,
    );
  });

  it('does not depend on the order of the vendors', () => {
    const orders = fc.shuffledSubarray([...everyVendor], { minLength: everyVendor.length });
    fc.assert(
      fc.property(arbitraryScene(5), policies, orders, ({ where, pods }, inForce, vendors) => {
        const inOrder = new FamiliesWorld(nodeFields(where), { policies: inForce });
        const shuffled = new FamiliesWorld(nodeFields(where), { policies: inForce, vendors });
        expect(outcomes(shuffled, pods)).toEqual(outcomes(inOrder, pods));
      }),
      runs,
    );
  });
});

/** A limit as people write it: what it amounts to in MiB or percent of all cards. */
interface Limit {
  readonly vendor: string;
  readonly resource: string;
  readonly written: string;
  readonly amount: number;
}

const memoryUnits: Readonly<Record<string, number>> = { MLU: 256, 'Metax-SGPU': 1024 };

/** Every resource that a quota may limit, with what one written unit of it is. */
const limitable = everyVendor.flatMap(({ key: vendor, resources: { memory, cores } }) => [
  ...(memory === undefined ? [] : [{ vendor, resource: `limits.${memory}`, unit: memoryUnits[vendor] ?? 1 }]),
  ...(cores === undefined ? [] : [{ vendor, resource: `limits.${cores}`, unit: 1 }]),
]);

const limits: fc.Arbitrary<readonly Limit[]> = fc
  .tuple(...limitable.map(() => fc.tuple(fc.constantFrom(0, 4, 8, 16, 16, 33), fc.boolean())))
  .map((chosen) =>
    limitable.flatMap(({ vendor, resource, unit }, index): readonly Limit[] => {
      const [size, isSet] = chosen[index] ?? [0, false];
      const units = isMemory(resource) ? Math.floor((size * 2048) / unit) : size * 10;
      return isSet ? [{ vendor, resource, written: String(units), amount: units * unit }] : [];
    }),
  );

function isMemory(resource: string): boolean {
  return resource.toLowerCase().includes('mem');
}

/** What a pod holds of what a limit is about, by what is written on it and, for AMD's percentages, by what it asks. */
function heldUnder({ vendor, resource }: Pick<Limit, 'vendor' | 'resource'>, raw: PodJson): number {
  return worstOf(heldOf(raw, vendor), ({ pod, container, memoryMiB, compute }) => {
    if (isMemory(resource)) return memoryMiB;
    return vendor === 'AMD'
      ? Number(pod.containers[container]?.limits['amd.com/gpucores'] ?? '100')
      : compute;
  });
}

describe('a namespace’s quota', () => {
  it.each(families.filter((family) => family !== 'metaxGpu'))(
    'is never exceeded in the family’s own units, and turns pods away that would do so: %s',
    (family) => {
      const seen = { turnedAway: 0, held: 0 };
      fc.assert(
        fc.property(arbitraryScene(8, family), limits, policies, ({ where, pods }, set, inForce) => {
          const quota = Object.fromEntries(set.map(({ resource, written }) => [resource, written]));
          const world = new FamiliesWorld(nodeFields(where), { policies: inForce, quota });
          const bound = world.bindAll(pods);
          for (const limit of set) {
            const sum = bound.reduce((total, raw) => total + heldUnder(limit, raw), 0);
            expect([limit, Math.min(sum, limit.amount)]).toEqual([limit, sum]);
            if (sum > 0 && limit.vendor === where.parts[0]?.vendor) seen.held += 1;
          }
          const free = new FamiliesWorld(nodeFields(where), { policies: inForce }).bindAll(pods);
          if (countOfFamily(where, free) > countOfFamily(where, bound)) seen.turnedAway += 1;
        }),
        { numRuns: 100 },
      );
      expect(Math.min(seen.turnedAway, seen.held)).toBeGreaterThan(0);
    },
  );

  it.each(families)('lets through what stays within it to the last unit: %s', (family) => {
    fc.assert(
      fc.property(arbitraryScene(8, family), policies, ({ where, pods }, inForce) => {
        const free = new FamiliesWorld(nodeFields(where), { policies: inForce }).bindAll(pods);
        const quota: Record<string, string> = {};
        for (const { vendor, resource, unit } of limitable) {
          const held = free.reduce((total, raw) => total + heldUnder({ vendor, resource }, raw), 0);
          if (held > 0) quota[resource] = String(Math.ceil(held / unit));
        }
        const limited = new FamiliesWorld(nodeFields(where), { policies: inForce, quota });
        expect(limited.bindAll(pods)).toEqual(free);
      }),
      { numRuns: 60 },
    );
  });
});
