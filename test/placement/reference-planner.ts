/**
 * The planner once more, slow and plain: the judge of the fast one. It is written from the protocol's rules (spec
 * §5.3 to §6.4) and the planner's documented promises, and keeps nothing between two questions: what a card holds is
 * added up afresh from the list of shares for every card it looks at, and the best card is found by sorting them all.
 *
 * Deliberate differences from HAMi, which both planners share: a withheld card is refused; a card is scored with the
 * request on it; a container sees the sidecars started before it; the node's score includes the pod; a dimension of
 * which a node has nothing does not count; and count resources are checked last.
 */
import type { Share } from '../../src/model/allocation.ts';
import type { Device, DeviceUsage } from '../../src/model/device.ts';
import type { DeviceView, NodeView } from '../../src/model/node-view.ts';
import { type CardReason, cardReasons, type Refusal } from '../../src/model/reason.ts';
import type {
  ContainerRequest,
  DevicePolicy,
  DeviceRequest,
  DeviceSelector,
  PodRequest,
} from '../../src/model/request.ts';
import type { Plan, PolicyDefaults } from '../../src/placement/planner.ts';

/** A share with the place in the pod of the container that holds it. */
interface HeldShare extends Share {
  readonly container: number;
}

const dimensions = ['slots', 'corePercent', 'memoryMiB'] as const;

export function referencePlan(view: NodeView, pod: PodRequest, defaults: PolicyDefaults): Plan {
  const policy = pod.devicePolicy ?? defaults.devicePolicy;
  const held: HeldShare[] = [];
  for (const [place, container] of pod.containers.entries()) {
    for (const wanted of container.devices) {
      const beside = held.filter((share) => runsBeside(pod, share, place));
      const cards = view.devices.filter(({ device }) => device.vendor === wanted.vendor);
      const selector = pod.selectors.get(wanted.vendor);
      const verdicts = cards.map((card) => ({
        card,
        reason: firstRefusal({
          device: card.device,
          withheld: card.withheld,
          used: usedWith(card, beside),
          wanted,
          selector,
          policy,
        }),
      }));
      const fitting = verdicts.filter(({ reason }) => reason === undefined).map(({ card }) => card);
      if (fitting.length < wanted.count) {
        const reasons = verdicts.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
        return { ok: false, refusal: refusalOf(view, container, wanted, reasons) };
      }
      const taken = ranked(fitting, beside, wanted, policy).slice(0, wanted.count);
      for (const { device } of taken) {
        held.push({
          container: place,
          vendor: device.vendor,
          deviceId: device.id,
          memoryMiB: needMiB(wanted, device),
          corePercent: wanted.corePercent,
        });
      }
    }
  }
  for (const [resource, wanted] of pod.counts) {
    const free = view.countFree.get(resource) ?? 0;
    if (free < wanted) return { ok: false, refusal: { code: 'NodeCountExhausted', resource, wanted, free } };
  }
  const allocation = pod.containers.map((_, place) =>
    held
      .filter((share) => share.container === place)
      .map(({ vendor, deviceId, memoryMiB, corePercent }) => ({ vendor, deviceId, memoryMiB, corePercent })),
  );
  return { ok: true, allocation, score: scoreOf(view, pod, held, pod.nodePolicy ?? defaults.nodePolicy) };
}

/** Plain init containers have ended before anything behind them starts; all others still run. */
function runsBeside(pod: PodRequest, share: HeldShare, place: number): boolean {
  return share.container === place || pod.containers[share.container]?.role !== 'init';
}

function usedWith(card: DeviceView, beside: readonly Share[]): DeviceUsage {
  const own = beside.filter(
    ({ vendor, deviceId }) => vendor === card.device.vendor && deviceId === card.device.id,
  );
  return {
    slots: card.used.slots + own.length,
    memoryMiB: own.reduce((sum, share) => sum + share.memoryMiB, card.used.memoryMiB),
    corePercent: own.reduce((sum, share) => sum + share.corePercent, card.used.corePercent),
  };
}

/** Spec §5.3 and Q30: MiB as written, percent of the card's own memory rounded down. */
function needMiB({ memory }: DeviceRequest, device: Device): number {
  if (memory.kind === 'mib') return memory.memoryMiB;
  const hundredfold = device.memoryMiB * memory.percent;
  return (hundredfold - (hundredfold % 100)) / 100;
}

interface Question {
  readonly device: Device;
  readonly withheld: boolean;
  readonly used: DeviceUsage;
  readonly wanted: DeviceRequest;
  readonly selector: DeviceSelector | undefined;
  readonly policy: DevicePolicy;
}

type Rule = readonly [CardReason, (question: Question) => boolean];

/** Spec §5.6, rules 1 to 13 in their order; each says when it refuses. */
const ladder: readonly Rule[] = [
  ['CardNotHealth', ({ device }) => !device.healthy],
  ['CardWithheld', ({ withheld }) => withheld],
  ['CardTypeMismatch', ({ device, selector }) => !containsAny(device.type, selector?.useTypes, true)],
  ['CardTypeMismatch', ({ device, selector }) => containsAny(device.type, selector?.avoidTypes, false)],
  ['CardTypeMismatch', ({ device, selector }) => !(selector?.modes ?? device.mode).includes(device.mode)],
  ['CardUuidMismatch', ({ device, selector }) => !isAnyOf(device.id, selector?.useIds, true)],
  ['CardUuidMismatch', ({ device, selector }) => isAnyOf(device.id, selector?.avoidIds, false)],
  ['ModeNotFit', ({ device }) => device.mode === 'mig'],
  ['CardTimeSlicingExhausted', ({ device, used }) => used.slots >= device.slots],
  ['ExclusiveDeviceAllocateConflict', ({ policy, used }) => policy.idleOnly && used.slots > 0],
  [
    'CardInsufficientMemory',
    ({ device, used, wanted }) => used.memoryMiB + needMiB(wanted, device) > device.memoryMiB,
  ],
  [
    'CardInsufficientCore',
    ({ device, used, wanted }) => used.corePercent + wanted.corePercent > device.corePercent,
  ],
  [
    'ExclusiveDeviceAllocateConflict',
    ({ device, used, wanted }) => device.corePercent === 100 && wanted.corePercent === 100 && used.slots > 0,
  ],
  [
    'CardComputeUnitsExhausted',
    ({ device, used, wanted }) =>
      device.corePercent !== 0 && used.corePercent >= device.corePercent && wanted.corePercent === 0,
  ],
];

function firstRefusal(question: Question): CardReason | undefined {
  return ladder.find(([, refuses]) => refuses(question))?.[0];
}

/** Whether a text contains one of the fragments, in any case; `whenEmpty` for no or an empty list. */
function containsAny(text: string, fragments: readonly string[] = [], whenEmpty: boolean): boolean {
  if (fragments.length === 0) return whenEmpty;
  return fragments.some((fragment) => text.toUpperCase().includes(fragment.toUpperCase()));
}

function isAnyOf(text: string, list: readonly string[] = [], whenEmpty: boolean): boolean {
  return list.length === 0 ? whenEmpty : list.some((item) => item === text);
}

/** Spec §6.3 with weights of 1 and §6.4: by fullness, then the highest NUMA node, index and id first. */
function ranked(
  cards: readonly DeviceView[],
  beside: readonly Share[],
  wanted: DeviceRequest,
  { order }: DevicePolicy,
): readonly DeviceView[] {
  const fullness = (card: DeviceView) => {
    const { device } = card;
    if (dimensions.some((dimension) => device[dimension] === 0)) return 0;
    const used = usedWith(card, beside);
    return (
      10 *
      ((used.slots + 1) / device.slots +
        (used.corePercent + wanted.corePercent) / device.corePercent +
        (used.memoryMiB + needMiB(wanted, device)) / device.memoryMiB)
    );
  };
  return [...cards].sort((a, b) => {
    const [fullA, fullB] = [fullness(a), fullness(b)];
    if (fullA !== fullB) return order === 'binpack' ? fullB - fullA : fullA - fullB;
    if (a.device.numa !== b.device.numa) return b.device.numa - a.device.numa;
    if (a.device.index !== b.device.index) return b.device.index - a.device.index;
    return a.device.id > b.device.id ? -1 : 1;
  });
}

function refusalOf(
  view: NodeView,
  container: ContainerRequest,
  { vendor, count }: DeviceRequest,
  reasons: readonly CardReason[],
): Refusal {
  const cards = view.devices.filter(({ device }) => device.vendor === vendor).length;
  if (cards === 0) {
    const detail = view.unavailable.get(vendor);
    return detail === undefined
      ? { code: 'NodeUnregistered', vendor }
      : { code: 'NodeUnregistered', vendor, detail };
  }
  if (cards < count)
    return { code: 'NodeInsufficientDevice', container: container.name, vendor, wanted: count, cards };
  const counted = cardReasons.map(
    (code) => [code, reasons.filter((reason) => reason === code).length] as const,
  );
  return {
    code: 'AllocatedCardsInsufficientRequest',
    container: container.name,
    vendor,
    wanted: count,
    accepted: cards - reasons.length,
    cards,
    refused: Object.fromEntries(counted.filter(([, times]) => times > 0)),
  };
}

/** Spec §6.1, with the pod on the node and in percent: what runs side by side in the end, none beyond the whole. */
function scoreOf(
  view: NodeView,
  pod: PodRequest,
  held: readonly HeldShare[],
  policy: 'binpack' | 'spread',
): number {
  const lasting = held.filter((share) => pod.containers[share.container]?.role !== 'init');
  const fractions = dimensions.flatMap((dimension) => {
    const whole = view.devices.reduce((sum, { device }) => sum + device[dimension], 0);
    const used = view.devices.reduce((sum, card) => sum + usedWith(card, lasting)[dimension], 0);
    return whole === 0 ? [] : [used > whole ? 1 : used / whole];
  });
  const mean =
    fractions.length === 0 ? 0 : fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length;
  return policy === 'binpack' ? 100 * mean : 100 * (1 - mean);
}
