/**
 * Which MetaX cards suit an sGPU request, beside amounts (vendors §8.6): cards whose pods get on with it, cards with few
 * online pods for an online one, linked cards for a container that has them alone.
 *
 * The QoS policy of a card. A card without pods takes any policy, and the plugin gives it that of its first pod; until
 * then what the plugin publishes is of the past. So for a card with pods the policy is that of its pods, which the ledger
 * knows from their annotations from the bind on, and after a restart again. The reference knows only amounts and what is
 * published, and remembers what it expects to be published next; nothing like that is needed here. What is published
 * counts where the ledger cannot tell: on a card that is in use by shares of unknown kind.
 */
import type { CardReason } from '../../model/reason.ts';
import type { DeviceRequest } from '../../model/request.ts';
import type { CardPicture } from '../card-rules.ts';
import { parseKind, type SgpuKind } from './metax-sgpu-kind.ts';
import { factsOf } from './metax-sgpu-publication.ts';

/** The rules 3 and 4 of the reference's ladder. */
export function refuseCompany(
  card: CardPicture,
  { kind, corePercent }: DeviceRequest,
): CardReason | undefined {
  if (card.used.slots === 0) return undefined;
  const asked = parseKind(kind);
  const present = card.kinds.map(parseKind);
  const { online, offline } = countClasses(present);
  if (online + offline > 0 !== (asked.appClass !== undefined)) return 'CardAppClassMismatch';
  if (asked.appClass === 'offline' && online > 0) return 'CardAppClassMismatch';
  if (asked.appClass === 'online' || corePercent === 100) return undefined;
  const published = factsOf(card.device).qosPolicy;
  const isKnown = present.length >= card.used.slots;
  const policies = [...present.map(({ qosPolicy }) => qosPolicy), ...(isKnown ? [] : [published])];
  return policies.every((policy) => policy === undefined || policy === '' || policy === asked.qosPolicy)
    ? undefined
    : 'CardQosPolicyMismatch';
}

/** Of the cards that fit, in the order of the policy, those that the request is best given. */
export function chooseSgpus<C extends CardPicture>(
  fitting: readonly C[],
  wanted: DeviceRequest,
): readonly C[] {
  const { appClass } = parseKind(wanted.kind);
  return orderFor(fitting, wanted, appClass).slice(0, wanted.count);
}

function orderFor<C extends CardPicture>(
  fitting: readonly C[],
  { count, corePercent }: DeviceRequest,
  appClass: SgpuKind['appClass'],
): readonly C[] {
  if (appClass === 'online') return [...fitting].sort((a, b) => compareTuples(rankOnline(a), rankOnline(b)));
  return appClass === undefined && corePercent === 100 ? byZones(fitting, count) : fitting;
}

/** Cards that run offline pods alone come last, since an online pod would stop these; then those with fewer pods. */
function rankOnline({ kinds }: CardPicture): readonly number[] {
  const { online, offline } = countClasses(kinds.map(parseKind));
  return [online === 0 && offline > 0 ? 1 : 0, online, offline];
}

function compareTuples(a: readonly number[], b: readonly number[]): number {
  for (const [place, value] of a.entries()) {
    const difference = value - (b[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The smallest zone that is large enough; else zones from the smallest on, and cards without one at the end. */
function byZones<C extends CardPicture>(fitting: readonly C[], count: number): readonly C[] {
  const zones = Map.groupBy(fitting, ({ device }) => Math.max(0, factsOf(device).linkZone));
  const unlinked = zones.get(0) ?? [];
  zones.delete(0);
  const smallestFirst = [...zones.values()].sort((a, b) => a.length - b.length);
  return smallestFirst.find((zone) => zone.length >= count) ?? [...smallestFirst.flat(), ...unlinked];
}

/** How many of the shares are of each class. */
export function countClasses(kinds: readonly SgpuKind[]): {
  readonly online: number;
  readonly offline: number;
} {
  const count = (word: SgpuKind['appClass']) => kinds.filter(({ appClass }) => appClass === word).length;
  return { online: count('online'), offline: count('offline') };
}
