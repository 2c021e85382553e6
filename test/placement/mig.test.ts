import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Device } from '../../src/model/device.ts';
import { type MigPlacement, type MigProfile, overlaps } from '../../src/model/mig.ts';
import { type MemoryRequest, memoryNeedMiB } from '../../src/model/request.ts';
import { selectInstance } from '../../src/placement/mig.ts';
import { a100Profiles, makeMigDevice } from '../support/mig-devices.ts';

const mib = (memoryMiB: number): MemoryRequest => ({ kind: 'mib', memoryMiB });
const percent = (amount: number): MemoryRequest => ({ kind: 'percent', percent: amount });

/** `profile@start`, or undefined. */
function placeOf(
  device: Device,
  occupied: readonly MigPlacement[],
  memory: MemoryRequest,
): string | undefined {
  const choice = selectInstance(device, occupied, memory);
  return choice && `${choice.instance.profile}@${choice.instance.placement.start}`;
}

/** One request after the other on an empty card, until one does not fit. */
function fill(device: Device, requests: readonly MemoryRequest[]): readonly (string | undefined)[] {
  const occupied: MigPlacement[] = [];
  return requests.map((memory) => {
    const choice = selectInstance(device, occupied, memory);
    if (choice !== undefined) occupied.push(choice.instance.placement);
    return choice && `${choice.instance.profile}@${choice.instance.placement.start}`;
  });
}

const [oneG, twoG, threeG, fourG, sevenG] = a100Profiles as [
  MigProfile,
  MigProfile,
  MigProfile,
  MigProfile,
  MigProfile,
];
const repeated = (memory: MemoryRequest, times: number) => Array.from({ length: times }, () => memory);

describe('selectInstance fills an empty A100 as the reference does (spec §5.7)', () => {
  const cases: { name: string; requests: readonly MemoryRequest[]; want: readonly (string | undefined)[] }[] =
    [
      {
        name: 'the worked example: a large one at the end, then smaller ones towards it',
        requests: [mib(20_000), mib(9000), mib(4000), mib(4000)],
        want: ['3g.20gb@4', '2g.10gb@0', '1g.5gb@3', '1g.5gb@2'],
      },
      {
        name: 'smallest instances from the end of the card',
        requests: repeated(mib(4864), 6),
        want: ['1g.5gb@6', '1g.5gb@5', '1g.5gb@4', '1g.5gb@3', '1g.5gb@2', '1g.5gb@1'],
      },
      {
        name: 'instances of two slices from the start; a fourth would have to begin where none may',
        requests: repeated(mib(9984), 4),
        want: ['2g.10gb@0', '2g.10gb@2', '2g.10gb@4', undefined],
      },
      {
        name: 'halves: the second is the other one, a third does not fit',
        requests: repeated(mib(20_096), 3),
        want: ['3g.20gb@4', '3g.20gb@0', undefined],
      },
      {
        name: 'a small request takes a larger profile when its own has no room left',
        requests: [...repeated(mib(4864), 3), ...repeated(mib(9984), 2), mib(1)],
        want: ['1g.5gb@6', '1g.5gb@5', '1g.5gb@4', '2g.10gb@0', '2g.10gb@2', undefined],
      },
      {
        name: 'nothing beside a whole card',
        requests: [percent(100), mib(1)],
        want: ['7g.40gb@0', undefined],
      },
    ];
  it.each(cases)('$name', ({ requests, want }) => {
    expect(fill(makeMigDevice(), requests)).toEqual(want);
  });
});

describe('selectInstance takes the smallest profile that is large enough', () => {
  const cases: {
    name: string;
    memory: MemoryRequest;
    card?: Partial<Device>;
    occupied?: readonly MigPlacement[];
    want: string | undefined;
  }[] = [
    { name: 'exactly its memory', memory: mib(4864), want: '1g.5gb@6' },
    { name: 'one MiB more than the smallest has', memory: mib(4865), want: '2g.10gb@0' },
    { name: 'no memory at all', memory: mib(0), want: '1g.5gb@6' },
    { name: 'all that the largest has', memory: mib(40_448), want: '7g.40gb@0' },
    { name: 'more than any profile has', memory: mib(40_449), want: undefined },
    {
      name: 'Q11: all of the card, in MiB, is more than any profile has',
      memory: mib(40_960),
      want: undefined,
    },
    { name: 'a percentage of the whole card, 11 % being 4505 MiB', memory: percent(11), want: '1g.5gb@6' },
    { name: 'and 12 % being 4915 MiB', memory: percent(12), want: '2g.10gb@0' },
    {
      name: 'Q30: a percentage rounds down, 33 % of 14742 MiB being 4864',
      memory: percent(33),
      card: { memoryMiB: 14_742 },
      want: '1g.5gb@6',
    },
    {
      name: 'of equal memory the one of fewer slices',
      memory: mib(20_000),
      card: { migProfiles: [fourG, threeG] },
      want: '3g.20gb@4',
    },
    {
      name: 'of equal memory the one of more slices where the other has no room',
      memory: mib(20_000),
      card: { migProfiles: [{ ...threeG, placements: [{ start: 4, size: 4 }] }, fourG] },
      occupied: [{ start: 6, size: 1 }],
      want: '4g.20gb@0',
    },
    {
      name: 'a larger one where the smaller has no room',
      memory: mib(4000),
      card: { migProfiles: [{ ...oneG, placements: [{ start: 0, size: 1 }] }, twoG] },
      occupied: [{ start: 0, size: 1 }],
      want: '2g.10gb@2',
    },
    {
      name: 'profiles and placements in any order',
      memory: mib(9000),
      card: { migProfiles: [sevenG, { ...twoG, placements: [...twoG.placements].reverse() }, oneG] },
      want: '2g.10gb@0',
    },
    {
      name: 'a profile of one slice with extras goes to the end, too',
      memory: mib(4000),
      card: { migProfiles: [{ ...oneG, name: '1g.5gb+me' }] },
      want: '1g.5gb+me@6',
    },
    {
      name: 'ten slices are not one slice',
      memory: mib(4000),
      card: { migProfiles: [{ ...oneG, name: '10g.5gb' }] },
      want: '10g.5gb@0',
    },
    {
      name: 'a profile that may be nowhere',
      memory: mib(1),
      card: { migProfiles: [{ ...oneG, placements: [] }] },
      want: undefined,
    },
    { name: 'a card without profiles', memory: mib(1), card: { migProfiles: [] }, want: undefined },
  ];
  it.each(cases)('$name', ({ memory, card, occupied = [], want }) => {
    expect(placeOf(makeMigDevice(card), occupied, memory)).toBe(want);
  });

  it('gives nothing of a card that does not say how it may be cut', () => {
    const { migProfiles, ...unsaid } = makeMigDevice();
    expect(migProfiles).toBeDefined();
    expect(selectInstance(unsaid, [], mib(1))).toBeUndefined();
  });

  it("charges the profile's memory and compute, not the request's", () => {
    expect(selectInstance(makeMigDevice(), [], mib(5000))).toEqual({
      instance: { profile: '2g.10gb', placement: { start: 0, size: 2 } },
      memoryMiB: 9984,
      corePercent: 29,
    });
  });
});

describe('Q11: a request for 100 percent of a card is one for an instance that is nearly all of it', () => {
  const whole = percent(100);
  const nearly = (memoryMiB: number) => ({ migProfiles: [threeG, { ...sevenG, memoryMiB }] });
  const cases: {
    name: string;
    card?: Partial<Device>;
    occupied?: readonly MigPlacement[];
    want: string | undefined;
  }[] = [
    { name: 'on an empty card it gets the largest', want: '7g.40gb@0' },
    { name: 'on a card in use it gets none, not a part', occupied: [{ start: 6, size: 1 }], want: undefined },
    {
      name: 'where only parts are allowed it gets none',
      card: { migProfiles: [oneG, twoG, threeG] },
      want: undefined,
    },
    { name: '90 percent of the memory is nearly all', card: nearly(36_864), want: '7g.40gb@0' },
    { name: 'less than that is a part', card: nearly(36_863), want: undefined },
    {
      name: 'less by a fraction of a MiB, too',
      card: { ...nearly(36_864), memoryMiB: 40_961 },
      want: undefined,
    },
    {
      name: 'of several the smallest will do',
      card: { migProfiles: [sevenG, { ...sevenG, name: '6g.39gb', memoryMiB: 39_000, slices: 6 }] },
      want: '6g.39gb@0',
    },
  ];
  it.each(cases)('$name', ({ card, occupied = [], want }) => {
    expect(placeOf(makeMigDevice(card), occupied, whole)).toBe(want);
  });

  it('99 percent is a part that no profile but the largest could be, and 98 percent fits it', () => {
    expect(placeOf(makeMigDevice(), [], percent(99))).toBe(undefined);
    expect(placeOf(makeMigDevice(), [], percent(98))).toBe('7g.40gb@0');
  });
});

describe('selectInstance on any card', () => {
  const placement = fc.record({ start: fc.nat({ max: 9 }), size: fc.integer({ min: 1, max: 8 }) });
  const profiles = fc.array(
    fc.record<MigProfile>({
      name: fc.constantFrom('1g.5gb', '1g.5gb+me', '2g.10gb', '3g.20gb', '4g.20gb', '7g.40gb'),
      memoryMiB: fc.constantFrom(0, 4864, 9984, 20_096, 40_448),
      corePercent: fc.nat({ max: 100 }),
      slices: fc.integer({ min: 1, max: 7 }),
      placements: fc.array(placement, { maxLength: 8 }),
    }),
    { maxLength: 6 },
  );
  const memory = fc.oneof(fc.nat({ max: 45_000 }).map(mib), fc.integer({ min: 1, max: 100 }).map(percent));
  const occupied = fc.array(placement, { maxLength: 7 });

  it('answers with a placement that a large enough profile names and nobody holds, or none exists', () => {
    fc.assert(
      fc.property(profiles, occupied, memory, (migProfiles, taken, asked) => {
        const device = makeMigDevice({ migProfiles });
        const isWhole = asked.kind === 'percent' && asked.percent === 100;
        const need = isWhole ? device.memoryMiB * 0.9 : memoryNeedMiB(asked, device);
        const isFree = (place: MigPlacement) => taken.every((other) => !overlaps(place, other));
        const possible = migProfiles.filter(
          ({ memoryMiB, placements }) => memoryMiB >= need && placements.some(isFree),
        );
        const choice = selectInstance(device, taken, asked);
        expect(choice === undefined).toBe(possible.length === 0);
        if (choice === undefined) return;
        const { instance, memoryMiB, corePercent } = choice;
        expect(isFree(instance.placement)).toBe(true);
        expect(memoryMiB).toBe(Math.min(...possible.map((profile) => profile.memoryMiB)));
        const named = possible.filter(
          ({ name, placements, ...rest }) =>
            name === instance.profile &&
            rest.memoryMiB === memoryMiB &&
            rest.corePercent === corePercent &&
            placements.some(
              ({ start, size }) => start === instance.placement.start && size === instance.placement.size,
            ),
        );
        expect(named).not.toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('never lets two instances overlap, however a card is filled', () => {
    fc.assert(
      fc.property(profiles, fc.array(memory, { maxLength: 12 }), (migProfiles, requests) => {
        const device = makeMigDevice({ migProfiles });
        const held: MigPlacement[] = [];
        for (const asked of requests) {
          const placed = selectInstance(device, held, asked)?.instance.placement;
          if (placed === undefined) continue;
          expect(held.some((other) => overlaps(placed, other))).toBe(false);
          held.push(placed);
        }
      }),
    );
  });
});
