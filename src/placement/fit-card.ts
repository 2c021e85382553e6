/**
 * The fit ladder for one card: the first rule that refuses it, in HAMi's order (spec §5.6), so that the counted
 * reasons mean what operators know. Compared with the reference, a rule may only be stricter about over-commitment.
 */
import type { Device, DeviceUsage } from '../model/device.ts';
import type { CardReason } from '../model/reason.ts';
import { type DeviceRequest, type DeviceSelector, memoryNeedMiB } from '../model/request.ts';
import { acceptsId, acceptsType } from '../vendors/selection.ts';

const migMode = 'mig';

export interface CardQuestion {
  readonly request: DeviceRequest;
  readonly selector: DeviceSelector | undefined;
  /** The pod takes only cards that nobody uses (policy `mutex`). */
  readonly idleOnly: boolean;
}

/** Why a card cannot take one share of the request beside `used`, or undefined when it can. */
export function refuseCard(
  device: Device,
  used: DeviceUsage,
  withheld: boolean,
  question: CardQuestion,
): CardReason | undefined {
  const { request, selector, idleOnly } = question;
  if (!device.healthy) return 'CardNotHealth';
  if (withheld) return 'CardWithheld';
  if (selector !== undefined && !acceptsType(selector, device)) return 'CardTypeMismatch';
  if (selector !== undefined && !acceptsId(selector, device)) return 'CardUuidMismatch';
  // A MIG card is handed out in instances, and a plain share names none.
  if (device.mode === migMode) return 'ModeNotFit';
  if (used.slots >= device.slots) return 'CardTimeSlicingExhausted';
  if (idleOnly && used.slots > 0) return 'ExclusiveDeviceAllocateConflict';
  if (device.memoryMiB - used.memoryMiB < memoryNeedMiB(request.memory, device))
    return 'CardInsufficientMemory';
  if (device.corePercent - used.corePercent < request.corePercent) return 'CardInsufficientCore';
  if (device.corePercent === 100 && request.corePercent === 100 && used.slots > 0) {
    return 'ExclusiveDeviceAllocateConflict';
  }
  // A card whose compute is all promised has none left even for a request that names no share.
  if (device.corePercent > 0 && used.corePercent >= device.corePercent && request.corePercent === 0) {
    return 'CardComputeUnitsExhausted';
  }
  return undefined;
}
