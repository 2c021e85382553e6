import { describe, expect, it } from '@jest/globals';
import type { DeviceSelector } from '../../src/model/request.ts';
import type { CardReason } from '../../src/model/reason.ts';
import { refuseCard } from '../../src/placement/fit-card.ts';
import { a100Profiles } from '../support/mig-devices.ts';
import { type DeviceRequestFields, makeDeviceRequest, makeSelector } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';

interface Case {
  readonly name: string;
  readonly card: CardFields;
  readonly asks?: DeviceRequestFields;
  readonly selector?: Partial<DeviceSelector>;
  readonly idleOnly?: boolean;
  readonly want: CardReason | undefined;
}

/** A card in MIG mode that can be cut in every way. */
const cut: CardFields = { slots: 7, memoryMiB: 40_960, mode: 'mig', migProfiles: a100Profiles };

type Question = Omit<Case, 'name' | 'want'>;

function verdict({ card, asks = {}, selector, idleOnly = false }: Question) {
  const [entry] = makeView({ devices: [card] }).devices;
  return refuseCard(entry!, entry!, {
    request: makeDeviceRequest(asks),
    selector: selector === undefined ? undefined : makeSelector(selector),
    idleOnly,
  });
}

describe('the fit ladder', () => {
  const vectors: Case[] = [
    {
      name: 'a card of 128 MiB cannot give 512 (spec §14)',
      card: { memoryMiB: 128 },
      asks: { memoryMiB: 512 },
      want: 'CardInsufficientMemory',
    },
    {
      name: 'a card with 100 of 100 percent promised cannot give 50 (spec §14)',
      card: { used: { slots: 1, corePercent: 100 } },
      asks: { memoryMiB: 512, corePercent: 50 },
      want: 'CardInsufficientCore',
    },
    {
      name: 'a card with all 100 slots taken is full (spec §14)',
      card: { slots: 100, used: { slots: 100 } },
      asks: { memoryMiB: 512 },
      want: 'CardTimeSlicingExhausted',
    },
    {
      name: 'a whole card of compute is not given on a card in use (spec §14)',
      card: { used: { slots: 1 } },
      asks: { memoryMiB: 512, corePercent: 100 },
      want: 'ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'a card with all compute promised takes not even a request for none (spec §14)',
      card: { used: { slots: 1, corePercent: 100 } },
      asks: { memoryMiB: 512, corePercent: 0 },
      want: 'CardComputeUnitsExhausted',
    },
    {
      name: 'a free card gives a whole card of compute',
      card: {},
      asks: { memoryMiB: 512, corePercent: 100 },
      want: undefined,
    },
  ];

  const edges: Case[] = [
    {
      name: 'the last MiB can be given',
      card: { used: { slots: 1, memoryMiB: 8092 } },
      asks: { memoryMiB: 100 },
      want: undefined,
    },
    {
      name: 'one MiB more than free cannot',
      card: { used: { slots: 1, memoryMiB: 8093 } },
      asks: { memoryMiB: 100 },
      want: 'CardInsufficientMemory',
    },
    {
      name: 'the last percent of compute can be given',
      card: { used: { slots: 1, corePercent: 70 } },
      asks: { memoryMiB: 1, corePercent: 30 },
      want: undefined,
    },
    {
      name: 'one percent more than free cannot',
      card: { used: { slots: 1, corePercent: 71 } },
      asks: { memoryMiB: 1, corePercent: 30 },
      want: 'CardInsufficientCore',
    },
    {
      name: 'the last slot can be given',
      card: { slots: 2, used: { slots: 1 } },
      asks: { memoryMiB: 1 },
      want: undefined,
    },
    { name: 'a card without slots is full', card: { slots: 0 }, want: 'CardTimeSlicingExhausted' },
    {
      name: '33 % of 8192 MiB is 2703, so 5489 used leaves just enough',
      card: { used: { slots: 1, memoryMiB: 5489 } },
      asks: { memoryPercent: 33 },
      want: undefined,
    },
    {
      name: '33 % of 8192 MiB is 2703, so 5490 used leaves one too few',
      card: { used: { slots: 1, memoryMiB: 5490 } },
      asks: { memoryPercent: 33 },
      want: 'CardInsufficientMemory',
    },
    {
      name: 'a card used beyond its memory refuses even a request for none',
      card: { used: { slots: 1, memoryMiB: 8193 } },
      asks: { memoryMiB: 0 },
      want: 'CardInsufficientMemory',
    },
    {
      name: 'on a card scaled to 150 percent, 100 in use leaves room for 50',
      card: { corePercent: 150, used: { slots: 1, corePercent: 100 } },
      asks: { memoryMiB: 1, corePercent: 50 },
      want: undefined,
    },
    {
      name: 'on a card scaled to 200 percent, 100 is no exclusive use',
      card: { corePercent: 200, used: { slots: 1, corePercent: 10 } },
      asks: { memoryMiB: 1, corePercent: 100 },
      want: undefined,
    },
    {
      name: 'a card without compute serves requests for none',
      card: { corePercent: 0, used: { slots: 1 } },
      asks: { memoryMiB: 1, corePercent: 0 },
      want: undefined,
    },
    {
      name: 'a card without compute cannot give any',
      card: { corePercent: 0 },
      asks: { memoryMiB: 1, corePercent: 1 },
      want: 'CardInsufficientCore',
    },
    {
      name: 'a card used beyond its compute refuses even a request for none',
      card: { corePercent: 50, used: { slots: 1, corePercent: 60 } },
      asks: { memoryMiB: 1, corePercent: 0 },
      want: 'CardInsufficientCore',
    },
    {
      name: 'a MIG card whose instances add up to all its compute and more has room where a placement is free',
      card: { ...cut, used: { slots: 2, corePercent: 103 }, occupied: [{ start: 0, size: 6 }] },
      asks: { memoryMiB: 1 },
      want: undefined,
    },
    {
      name: 'and to a request that names a share of compute it has none left',
      card: { ...cut, used: { slots: 2, corePercent: 103 }, occupied: [{ start: 0, size: 6 }] },
      asks: { memoryMiB: 1, corePercent: 1 },
      want: 'CardInsufficientCore',
    },
    {
      name: 'a pod with mutex takes an idle card',
      card: {},
      asks: { memoryMiB: 1 },
      idleOnly: true,
      want: undefined,
    },
    {
      name: 'a pod with mutex takes no card in use',
      card: { used: { slots: 1 } },
      asks: { memoryMiB: 1 },
      idleOnly: true,
      want: 'ExclusiveDeviceAllocateConflict',
    },
  ];
  it.each([...vectors, ...edges])('$name', ({ want, ...question }) => {
    expect(verdict(question)).toBe(want);
  });
});

describe('the first rule that refuses is the reason', () => {
  /** A card and a request that break every rule there is; the list mends them one by one, from the top. */
  const broken: Question = {
    card: {
      healthy: false,
      cordoned: true,
      withheld: true,
      slots: 1,
      used: { slots: 1, memoryMiB: 8192, corePercent: 100 },
    },
    asks: { memoryMiB: 1, corePercent: 100 },
    selector: { useTypes: ['h100'], useIds: ['other'] },
    idleOnly: true,
  };
  const roomy = { slots: 10, used: { slots: 1, memoryMiB: 8192, corePercent: 100 } };
  const rungs: { mended: string; by: Partial<Question>; want: CardReason | undefined }[] = [
    { mended: 'nothing', by: {}, want: 'CardNotHealth' },
    { mended: 'health', by: { card: { ...broken.card, healthy: true } }, want: 'CardCordoned' },
    {
      mended: 'cordon',
      by: { card: { withheld: true, slots: 1, used: roomy.used } },
      want: 'CardTypeMismatch',
    },
    { mended: 'type', by: { selector: { useIds: ['other'] } }, want: 'CardUuidMismatch' },
    { mended: 'id', by: { selector: {} }, want: 'CardWithheld' },
    { mended: 'withholding', by: { card: { slots: 1, used: roomy.used } }, want: 'CardTimeSlicingExhausted' },
    { mended: 'slots', by: { card: roomy }, want: 'ExclusiveDeviceAllocateConflict' },
    { mended: 'mutex', by: { idleOnly: false }, want: 'CardInsufficientMemory' },
    {
      mended: 'memory',
      by: { card: { slots: 10, used: { slots: 1, corePercent: 100 } } },
      want: 'CardInsufficientCore',
    },
    {
      mended: 'cores',
      by: { card: { slots: 10, used: { slots: 1 } } },
      want: 'ExclusiveDeviceAllocateConflict',
    },
    {
      mended: 'exclusive use, by asking for no cores of a card with none left',
      by: { card: { slots: 10, used: { slots: 1, corePercent: 100 } }, asks: { memoryMiB: 1 } },
      want: 'CardComputeUnitsExhausted',
    },
    {
      mended: 'compute',
      by: { card: { slots: 10, used: { slots: 1, corePercent: 99 } } },
      want: undefined,
    },
  ];
  const cases = rungs.map(({ mended, want }, rung) => ({
    name: `with ${
      rungs
        .slice(1, rung + 1)
        .map((passed) => passed.mended)
        .join(', ') || mended
    } mended: ${want ?? 'fits'}`,
    question: rungs.slice(0, rung + 1).reduce<Question>((sum, { by }) => ({ ...sum, ...by }), broken),
    want,
  }));
  it.each(cases)('$name', ({ question, want }) => {
    expect(verdict(question)).toBe(want);
  });
});
