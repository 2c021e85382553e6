/**
 * Random cards for property tests: plain ones of two families, and cards in MIG mode with instances on them. Numbers come
 * from short lists, so that exact fits, ties and full cards are common instead of one in a million.
 */
import fc from 'fast-check';
import { type MigPlacement, type MigProfile, overlaps } from '../../src/model/mig.ts';
import { a100Profiles } from './mig-devices.ts';
import type { CardFields } from './views.ts';

/** One usual value, `weight` times as often as any one of the rarer ones. */
export function often<T>(usual: T, rare: readonly T[], weight: number): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight },
    { arbitrary: fc.constantFrom(...rare), weight: rare.length },
  );
}

/** The second family, so that nothing may take every card of a node for the vendor's own. */
export const otherVendor = 'DCU';
export const arbitraryVendor = often('NVIDIA', [otherVendor], 3);

const types = ['NVIDIA A100-SXM4-40GB', 'NVIDIA A10', 'NVIDIA-Tesla V100-PCIE-32GB'];

/** How full a card is: mostly within its capacity, sometimes beyond, as after a change of its register. */
const fullness = often(0, [0.2, 0.5, 0.75, 1, 1.25], 8);

const trouble = often<'none' | 'unhealthy' | 'withheld' | 'cordoned' | 'unclear'>(
  'none',
  ['unhealthy', 'withheld', 'cordoned'],
  24,
);

function inTrouble(kind: string): CardFields {
  return {
    healthy: kind !== 'unhealthy',
    withheld: kind === 'withheld',
    cordoned: kind === 'cordoned',
    unclear: kind === 'unclear',
  };
}

const numa = often(0, [1, 1, 2], 3);

/** Healthy and unscaled for the most part; zero slots, cores or memory, and scaled ones, now and then. */
const arbitraryPlainCard: fc.Arbitrary<CardFields> = fc
  .record({
    vendor: arbitraryVendor,
    index: fc.nat({ max: 9 }),
    type: fc.constantFrom(...types),
    slots: often(10, [4, 2, 1, 0], 12),
    memoryMiB: often(8192, [16384, 1000, 999, 128, 0], 12),
    corePercent: often(100, [150, 50, 0], 12),
    numa,
    mode: often('hami-core', ['mps'], 8),
    trouble,
    fullness: fc.tuple(fc.boolean(), fullness, fullness, fullness),
  })
  .map(({ trouble: kind, fullness: [idle, slots, memory, cores], ...device }) => ({
    ...device,
    ...inTrouble(kind),
    used: idle
      ? {}
      : {
          slots: Math.ceil(device.slots * slots),
          memoryMiB: Math.ceil(device.memoryMiB * memory),
          corePercent: Math.ceil(device.corePercent * cores),
        },
  }));

interface MigModel {
  readonly memoryMiB: number;
  /** The most instances at once. */
  readonly slots: number;
  /** Absent as with plugins before v2.10. */
  readonly migProfiles?: readonly MigProfile[];
}

/** An A30, as NVIDIA's MIG user guide has it. */
const a30: MigModel = {
  memoryMiB: 24_576,
  slots: 4,
  migProfiles: [
    { name: '1g.6gb', memoryMiB: 5952, corePercent: 25, slices: 1, placements: placesOf(1, [0, 1, 2, 3]) },
    { name: '2g.12gb', memoryMiB: 12_032, corePercent: 50, slices: 2, placements: placesOf(2, [0, 2]) },
    { name: '4g.24gb', memoryMiB: 24_192, corePercent: 100, slices: 4, placements: placesOf(4, [0]) },
  ],
};
const a100: MigModel = { memoryMiB: 40_960, slots: 7, migProfiles: a100Profiles };
const a100Halves: MigModel = {
  memoryMiB: 40_960,
  slots: 2,
  migProfiles: a100Profiles.filter(({ name }) => name.startsWith('3g.')),
};

function placesOf(size: number, starts: readonly number[]): readonly MigPlacement[] {
  return starts.map((start) => ({ start, size }));
}

/** A card in MIG mode with instances on it that do not overlap, and charged for what they are. */
const arbitraryMigCard: fc.Arbitrary<CardFields> = fc
  .record({
    model: often(a100, [a30, a30, a100Halves, { memoryMiB: 40_960, slots: 7 }], 3),
    index: fc.nat({ max: 9 }),
    type: fc.constantFrom(...types),
    corePercent: often(100, [150], 8),
    fewerSlots: often(0, [1, 5], 10),
    numa,
    trouble: often('none', ['unhealthy', 'withheld', 'cordoned', 'unclear', 'unclear'], 30),
    instances: fc.oneof(fc.constant([]), fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 9 })),
  })
  .map(({ model, fewerSlots, trouble: kind, instances, ...device }) => {
    const occupied: MigPlacement[] = [];
    const used = { slots: 0, memoryMiB: 0, corePercent: 0 };
    for (const [which, where] of instances) {
      const profile = model.migProfiles?.[which % model.migProfiles.length];
      const place = profile?.placements[where % profile.placements.length];
      if (profile === undefined || place === undefined) continue;
      if (occupied.some((taken) => overlaps(taken, place))) continue;
      occupied.push(place);
      used.slots += 1;
      used.memoryMiB += profile.memoryMiB;
      used.corePercent += profile.corePercent;
    }
    const slots = Math.max(1, model.slots - fewerSlots);
    return { ...device, ...model, slots, mode: 'mig', used, occupied, ...inTrouble(kind) };
  });

export const arbitraryCard = fc.oneof(
  { arbitrary: arbitraryPlainCard, weight: 3 },
  { arbitrary: arbitraryMigCard, weight: 1 },
);
