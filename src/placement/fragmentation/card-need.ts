/**
 * What one share of a request class takes of a card of a kind, and whether it fits beside what is used, in numbers that
 * were looked up once. The fit ladder is asked whether an idle card of the kind would do at all; what is left are its
 * rules about amounts, which say the same here (a property test compares the two).
 */
import { type Device, noUsage } from '../../model/device.ts';
import { isCut } from '../../model/mig.ts';
import { type DeviceRequest, memoryNeedMiB } from '../../model/request.ts';
import type { CardRules } from '../../vendors/card-rules.ts';
import type { CardState } from '../draft.ts';
import { coresNeeded, refuseCard } from '../fit-card.ts';
import { selectInstance } from '../mig.ts';
import type { RequestClass } from './request-class.ts';

export interface CardNeed {
  readonly request: DeviceRequest;
  /** What a share takes of the card; on a card that is handed out in instances, what the smallest that will do has. */
  readonly memoryMiB: number;
  /** In the card's own units. */
  readonly cores: number;
  /** It takes no card that anybody uses. */
  readonly isExclusive: boolean;
  /** It names no share of compute, but there must be some. */
  readonly needsAnyCompute: boolean;
}

const idle: CardState = { used: noUsage, occupied: [], kinds: [] };

/** Undefined where not even an idle card of the kind would do. */
export function needOf(
  { vendor, count, memory, corePercent, selector }: RequestClass,
  device: Device,
  rules?: CardRules,
): CardNeed | undefined {
  if (vendor !== device.vendor || count < 1) return undefined;
  const request = { vendor, count, memory, corePercent };
  if (refuseIdle(device, request, selector, rules) !== undefined) return undefined;
  const instance = isCut(device) ? selectInstance(device, [], memory) : undefined;
  const cores = coresNeeded(request, device, rules);
  return {
    request,
    memoryMiB: instance?.memoryMiB ?? memoryNeedMiB(memory, device),
    cores: instance?.corePercent ?? cores,
    isExclusive: device.corePercent === 100 && cores === 100,
    needsAnyCompute: device.corePercent > 0 && corePercent === 0,
  };
}

function refuseIdle(
  device: Device,
  request: DeviceRequest,
  selector: RequestClass['selector'],
  rules: CardRules | undefined,
) {
  const inOrder = { ...device, healthy: true, slots: Math.max(1, device.slots) };
  const card = { device: inOrder, ...idle, withheld: false, cordoned: false, unclear: false };
  return refuseCard(card, idle, { request, selector, idleOnly: false, rules });
}

/** Whether a share fits on a card with a free slot that is handed out in parts of any size. */
export function fitsPlain(need: CardNeed, freeMiB: number, freeCores: number, isIdle: boolean): boolean {
  return (
    need.memoryMiB <= freeMiB &&
    need.cores <= freeCores &&
    (isIdle || !need.isExclusive) &&
    (freeCores > 0 || !need.needsAnyCompute)
  );
}

/** Equal for needs that fit the same cards of a kind. */
export function needKey(need: CardNeed | undefined, device: Device): string {
  if (need === undefined) return '';
  const { memoryMiB, cores, isExclusive, needsAnyCompute, request } = need;
  const { memory, corePercent } = request;
  // Which instance is chosen of a card depends on how the request is written.
  const asked = isCut(device) ? `/${JSON.stringify(memory)}/${corePercent}` : '';
  return `${memoryMiB}/${cores}/${isExclusive}/${needsAnyCompute}${asked}`;
}
