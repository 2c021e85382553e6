/**
 * The rules of the reference planner: what one card says to one share of a request (spec §5.6, §5.7, §8.3), each added up
 * afresh from the list of shares given so far.
 */
import type { Share } from '../../src/model/allocation.ts';
import { effectiveAmount } from '../../src/model/container-role.ts';
import type { Device, DeviceUsage } from '../../src/model/device.ts';
import type { MigPlacement, MigProfile } from '../../src/model/mig.ts';
import type { DeviceView, NodeView } from '../../src/model/node-view.ts';
import type { QuotaLimit } from '../../src/model/quota.ts';
import type { CardReason } from '../../src/model/reason.ts';
import type {
  ContainerRequest,
  DevicePolicy,
  DeviceRequest,
  DeviceSelector,
  PodRequest,
} from '../../src/model/request.ts';

/** A share with the place in the pod of the container that holds it. */
export interface HeldShare extends Share {
  readonly container: number;
}

export interface Limit {
  readonly of: 'memoryMiB' | 'corePercent';
  readonly limit: QuotaLimit;
}

export interface Question {
  readonly view: NodeView;
  readonly pod: PodRequest;
  /** Position of the container in the pod. */
  readonly place: number;
  readonly container: ContainerRequest;
  readonly wanted: DeviceRequest;
  readonly selector: DeviceSelector | undefined;
  readonly policy: DevicePolicy;
  readonly limits: readonly Limit[];
}

export interface CardQuestion extends Question {
  readonly card: DeviceView;
  readonly held: readonly HeldShare[];
  /** What this container was given so far. */
  readonly picks: readonly HeldShare[];
  /** How often the quota must allow the share. */
  readonly times: number;
}

type Rule = readonly [CardReason, (question: CardQuestion) => boolean];

/** Spec §5.6, rules 1 to 3; each says when it refuses. */
export const firstRules: readonly Rule[] = [
  ['CardNotHealth', ({ card }) => !card.device.healthy || card.unclear],
  ['CardCordoned', ({ card }) => card.cordoned],
  ['CardTypeMismatch', ({ card, selector }) => !containsAny(card.device.type, selector?.useTypes, true)],
  ['CardTypeMismatch', ({ card, selector }) => containsAny(card.device.type, selector?.avoidTypes, false)],
  [
    'CardTypeMismatch',
    ({ card, selector }) => !(selector?.modes ?? card.device.mode).includes(card.device.mode),
  ],
];

/** Rules 5 to 14. */
export const laterRules: readonly Rule[] = [
  ['CardUuidMismatch', ({ card, selector }) => !isAnyOf(card.device.id, selector?.useIds, true)],
  ['CardUuidMismatch', ({ card, selector }) => isAnyOf(card.device.id, selector?.avoidIds, false)],
  ['CardWithheld', ({ card }) => card.withheld],
  ['ModeNotFit', ({ card }) => card.device.mode === 'mig' && card.device.migProfiles === undefined],
  ['CardTimeSlicingExhausted', (asked) => usedNow(asked).slots >= asked.card.device.slots],
  ['ExclusiveDeviceAllocateConflict', (asked) => asked.policy.idleOnly && usedNow(asked).slots > 0],
  ['ResourceQuotaNotFit', (asked) => limitInTheWay(asked) !== undefined],
  [
    'CardInsufficientMemory',
    (asked) =>
      usedNow(asked).memoryMiB +
        Math.max(needMiB(asked.wanted, asked.card.device), shareOf(asked).memoryMiB) >
      asked.card.device.memoryMiB,
  ],
  [
    'CardInsufficientCore',
    (asked) =>
      (asked.card.device.mode !== 'mig' || asked.wanted.corePercent > 0) &&
      usedNow(asked).corePercent + asked.wanted.corePercent > asked.card.device.corePercent,
  ],
  [
    'ExclusiveDeviceAllocateConflict',
    (asked) =>
      asked.card.device.corePercent === 100 && asked.wanted.corePercent === 100 && usedNow(asked).slots > 0,
  ],
  [
    'CardComputeUnitsExhausted',
    (asked) =>
      asked.card.device.mode !== 'mig' &&
      asked.card.device.corePercent !== 0 &&
      usedNow(asked).corePercent >= asked.card.device.corePercent &&
      asked.wanted.corePercent === 0,
  ],
  [
    'CardMigTopologyInfeasible',
    (asked) => asked.card.device.mode === 'mig' && instanceFor(asked) === undefined,
  ],
];

export function refuses(rules: readonly Rule[], question: CardQuestion): CardReason | undefined {
  return rules.find(([, says]) => says(question))?.[0];
}

/** Whether a text contains one of the fragments, in any case; `whenEmpty` for no or an empty list. */
function containsAny(text: string, fragments: readonly string[] = [], whenEmpty: boolean): boolean {
  if (fragments.length === 0) return whenEmpty;
  return fragments.some((fragment) => text.toUpperCase().includes(fragment.toUpperCase()));
}

function isAnyOf(text: string, list: readonly string[] = [], whenEmpty: boolean): boolean {
  return list.length === 0 ? whenEmpty : list.some((item) => item === text);
}

/** Plain init containers have ended before anything behind them starts; all others still run. */
export function runsBeside(pod: PodRequest, share: HeldShare, place: number): boolean {
  return share.container === place || pod.containers[share.container]?.role !== 'init';
}

function usedNow({ card, held, picks, pod, place }: CardQuestion): DeviceUsage {
  return usedWith(card, [...held.filter((share) => runsBeside(pod, share, place)), ...picks]);
}

export function usedWith(card: DeviceView, shares: readonly Share[]): DeviceUsage {
  const own = shares.filter((share) => isOn(card.device, share));
  return {
    slots: card.used.slots + own.length,
    memoryMiB: own.reduce((sum, share) => sum + share.memoryMiB, card.used.memoryMiB),
    corePercent: own.reduce((sum, share) => sum + share.corePercent, card.used.corePercent),
  };
}

function isOn(device: Device, share: Share): boolean {
  return share.vendor === device.vendor && share.deviceId === device.id;
}

/** Spec §5.3 and Q30: MiB as written, percent of the card's own memory rounded down. */
export function needMiB({ memory }: DeviceRequest, device: Device): number {
  if (memory.kind === 'mib') return memory.memoryMiB;
  const hundredfold = device.memoryMiB * memory.percent;
  return (hundredfold - (hundredfold % 100)) / 100;
}

/** Spec §8.3: the pod so far with this container's picks and this share, by the rule of init and app containers. */
export function limitInTheWay(asked: CardQuestion): QuotaLimit | undefined {
  const { pod, held, picks, times, limits, wanted } = asked;
  const share = shareOf(asked);
  const shares = [...held, ...picks, ...Array.from({ length: times }, () => share)].filter(
    ({ vendor }) => vendor === wanted.vendor,
  );
  const roles = pod.containers.map(({ role }) => role);
  return limits.find(({ of, limit }) => {
    const amount = effectiveAmount(roles, (index) =>
      shares.filter(({ container }) => container === index).reduce((sum, one) => sum + one[of], 0),
    );
    return limit.used + amount > limit.limit;
  })?.limit;
}

export function shareOf(asked: CardQuestion): HeldShare {
  const { card, wanted, place } = asked;
  const { vendor, id } = card.device;
  const share = { container: place, vendor, deviceId: id };
  const cut = card.device.mode === 'mig' ? instanceFor(asked) : undefined;
  if (cut === undefined) {
    return { ...share, memoryMiB: needMiB(wanted, card.device), corePercent: wanted.corePercent };
  }
  const { profile, placement } = cut;
  return {
    ...share,
    memoryMiB: profile.memoryMiB,
    corePercent: profile.corePercent,
    mig: { profile: profile.name, placement },
  };
}

/** Spec §5.7: by memory, then slices, the first profile that is large enough and has a place that nobody holds. */
function instanceFor({
  card,
  held,
  picks,
  wanted,
}: CardQuestion): { readonly profile: MigProfile; readonly placement: MigPlacement } | undefined {
  const { device } = card;
  const own = [...held, ...picks].filter((share) => isOn(device, share));
  const taken = new Set(
    [...card.occupied, ...own.flatMap(({ mig }) => mig?.placement ?? [])].flatMap(slicesOf),
  );
  const wantsAll = wanted.memory.kind === 'percent' && wanted.memory.percent === 100;
  const need = wantsAll ? 0.9 * device.memoryMiB : needMiB(wanted, device);
  for (const profile of [...(device.migProfiles ?? [])].sort(
    (a, b) => a.memoryMiB - b.memoryMiB || a.slices - b.slices,
  )) {
    if (profile.memoryMiB < need) continue;
    const upwards = [...profile.placements].sort((a, b) => a.start - b.start);
    const placement = (/^[13]g\./.test(profile.name) ? upwards.reverse() : upwards).find((place) =>
      slicesOf(place).every((slice) => !taken.has(slice)),
    );
    if (placement !== undefined) return { profile, placement };
  }
  return undefined;
}

function slicesOf({ start, size }: MigPlacement): readonly number[] {
  return Array.from({ length: size }, (_, offset) => start + offset);
}
