/**
 * The fit ladder for one card: the first rule that refuses it, in HAMi's order (spec §5.6), so that the counted
 * reasons mean what operators know. Compared with the reference, a rule may only be stricter about over-commitment.
 */
import type { Device } from '../model/device.ts';
import { isCut } from '../model/mig.ts';
import type { DeviceView } from '../model/node-view.ts';
import type { CardReason } from '../model/reason.ts';
import { type DeviceRequest, type DeviceSelector, memoryNeedMiB } from '../model/request.ts';
import { acceptsId, acceptsType } from '../vendors/selection.ts';
import type { CardRules } from '../vendors/card-rules.ts';
import { type CardState, pictureOf } from './draft.ts';
import { selectInstance } from './mig.ts';

export interface CardQuestion {
  readonly request: DeviceRequest;
  readonly selector: DeviceSelector | undefined;
  /** The pod takes only cards that nobody uses (policy `mutex`). */
  readonly idleOnly: boolean;
  /** What the family does differently. */
  readonly rules?: CardRules | undefined;
  /** True when the namespace's quota allows this much more; absent where nothing limits it. */
  readonly quotaAllows?: (memoryMiB: number, corePercent: number) => boolean;
}

/** Why a pod with this selector can have nothing of a card, whatever is used: the rules before that of NUMA binding. */
export function refuseOutright(
  { device, unclear, cordoned }: DeviceView,
  selector: DeviceSelector | undefined,
): CardReason | undefined {
  // A MIG card whose slices are not all accounted for is treated as broken until its pods end (spec §5.7).
  if (!device.healthy || unclear) return 'CardNotHealth';
  if (cordoned) return 'CardCordoned';
  if (selector !== undefined && !acceptsType(selector, device)) return 'CardTypeMismatch';
  return undefined;
}

/** Why a card cannot take one share of the request beside what is used, or undefined when it can. */
export function refuseCard(
  card: DeviceView,
  state: CardState,
  question: CardQuestion,
): CardReason | undefined {
  const { device } = card;
  const { request, selector, idleOnly, rules } = question;
  const { used } = state;
  const outright = refuseOutright(card, selector);
  if (outright !== undefined) return outright;
  if (selector !== undefined && !acceptsId(selector, device)) return 'CardUuidMismatch';
  if (card.withheld) return 'CardWithheld';
  const unsuited = rules?.accept?.(pictureOf(device, state), request);
  if (unsuited !== undefined) return unsuited;
  const cut = isCut(device);
  // Plugins before v2.10 do not say how the card may be cut, so nobody but they could tell what fits.
  if (cut && device.migProfiles === undefined) return 'ModeNotFit';
  if (used.slots >= device.slots) return 'CardTimeSlicingExhausted';
  if (idleOnly && used.slots > 0) return 'ExclusiveDeviceAllocateConflict';
  const instance = cut ? selectInstance(device, state.occupied, request.memory) : undefined;
  const needMiB = memoryNeedMiB(request.memory, device);
  const cores = coresNeeded(request, device, rules);
  const charged = instance ?? { memoryMiB: needMiB, corePercent: request.corePercent };
  if (question.quotaAllows?.(charged.memoryMiB, charged.corePercent) === false) return 'ResourceQuotaNotFit';
  // An instance may hold more than was asked for, and on a card whose slices add up to more than it has, too much.
  const takenMiB = Math.max(needMiB, charged.memoryMiB);
  if (device.memoryMiB - used.memoryMiB < takenMiB) return 'CardInsufficientMemory';
  // Profiles' percentages are rounded up, so the instances of a cut card may add up to more than 100.
  const asksForCompute = request.corePercent > 0 || !cut;
  if (request.anyCompute === true) return undefined;
  if (asksForCompute && device.corePercent - used.corePercent < cores) return 'CardInsufficientCore';
  if (device.corePercent === 100 && cores === 100 && used.slots > 0) {
    return 'ExclusiveDeviceAllocateConflict';
  }
  if (cut) return instance === undefined ? 'CardMigTopologyInfeasible' : undefined;
  // A card whose compute is all promised has none left even for a request that names no share.
  if (device.corePercent > 0 && used.corePercent >= device.corePercent && request.corePercent === 0) {
    return 'CardComputeUnitsExhausted';
  }
  return undefined;
}

/** Of a device's compute, in its own units. */
export function coresNeeded(
  { corePercent }: DeviceRequest,
  device: Device,
  rules: CardRules | undefined,
): number {
  return rules?.coresOf?.(device, corePercent) ?? corePercent;
}
