/**
 * Refusals as text. kube-scheduler groups waiting pods by the exact string it is given, so the wire form holds only
 * reason words in byte order; numbers go to explanations and events, where people read them.
 */
import type { QuotaLimit } from '../model/quota.ts';
import type { CardReason, Refusal } from '../model/reason.ts';

/**
 * The reason words of a refusal, e.g. `CardInsufficientMemory, CardTypeMismatch`.
 *
 * @param counters true for HAMi's form, e.g. `1/4 CardTypeMismatch, 3/4 CardInsufficientMemory` (spec §5.6.2)
 */
export function wireReason(refusal: Refusal, counters: boolean): string {
  switch (refusal.code) {
    case 'NodeUnregistered':
      return 'node unregistered';
    case 'AllocatedCardsInsufficientRequest': {
      const counts = new Map<string, number>(countsOf(refusal.refused));
      if (refusal.accepted > 0) counts.set(refusal.code, refusal.accepted);
      return [...counts]
        .map(([word, count]) => (counters ? `${count}/${refusal.cards} ${word}` : word))
        .sort()
        .join(', ');
    }
    case 'RequestInvalid':
      return `RequestInvalid: ${refusal.problems.join('; ')}`;
    default:
      return refusal.code;
  }
}

/** The same refusal as a sentence with its numbers. */
export function refusalSentence(refusal: Refusal): string {
  switch (refusal.code) {
    case 'NodeUnregistered':
      return refusal.detail ?? 'the node announces no such device';
    case 'NodeInsufficientDevice':
      return `container "${refusal.container}" asks for ${refusal.wanted} ${refusal.vendor} cards, the node has ${refusal.cards}`;
    case 'NodeCountExhausted':
      return `the pod asks for ${refusal.wanted} of ${refusal.resource}, the node has ${Math.max(0, refusal.free)} left`;
    case 'AllocatedCardsInsufficientRequest': {
      const causes = countsOf(refusal.refused).map(([reason, count]) => `${count} ${reason}`);
      const parts = [
        `container "${refusal.container}" needs ${refusal.wanted} of ${refusal.cards} ${refusal.vendor} cards`,
        `${refusal.accepted} would do`,
      ];
      return [parts.join(', '), `refused: ${causes.join(', ')}`, ...quotaText(refusal.quota)].join('; ');
    }
    case 'NodeClosed':
      return `pod ${refusal.pod} was bound there past the scheduler and waits for devices; until it runs or is gone, it could be given those of another pod`;
    case 'NodeBusy':
      return `binds wait for the node's device plugin for about ${Math.ceil(refusal.expectedWaitMs / 1000)} s`;
    case 'RequestInvalid':
      return refusal.problems.join('; ');
  }
}

function quotaText(quota: QuotaLimit | undefined): readonly string[] {
  if (quota === undefined) return [];
  const { quota: name, resource, limit, used } = quota;
  return [`ResourceQuota "${name}" allows ${limit} of ${resource} and ${used} are in use`];
}

/** The codes a refusal counts under in metrics: one per reason word. */
export function reasonCodesOf(refusal: Refusal): readonly string[] {
  if (refusal.code !== 'AllocatedCardsInsufficientRequest') return [refusal.code];
  return countsOf(refusal.refused).map(([reason]) => reason);
}

function countsOf(refused: Readonly<Partial<Record<CardReason, number>>>): [CardReason, number][] {
  return (Object.entries(refused) as [CardReason, number][]).sort(([a], [b]) => (a < b ? -1 : 1));
}
