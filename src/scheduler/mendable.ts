/**
 * Whether evictions could mend a refusal. kube-scheduler considers preemption on the nodes of which that is said and
 * on no other; a node that is wrongly hopeful costs it a question that the preempt verb answers, one that is wrongly
 * hopeless is never asked about. In doubt, therefore, there is hope.
 */
import type { CardReason, Refusal } from '../model/reason.ts';
import type { PodRequest } from '../model/request.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';

/** Whose leaving could help: any pod of the node, a pod of the own namespace there, or nobody's. */
type Remedy = 'anyone' | 'own-namespace' | 'nobody';

const remedies: Readonly<Record<CardReason, Remedy>> = {
  CardNotHealth: 'nobody',
  CardCordoned: 'nobody',
  CardTypeMismatch: 'nobody',
  CardUuidMismatch: 'nobody',
  // Set aside for a pod on an unknown card, for as long as that pod is there.
  CardWithheld: 'anyone',
  // Where shares of another mode are in the way, they can leave.
  ModeNotFit: 'anyone',
  CardTimeSlicingExhausted: 'anyone',
  ExclusiveDeviceAllocateConflict: 'anyone',
  ResourceQuotaNotFit: 'own-namespace',
  CardInsufficientMemory: 'anyone',
  CardInsufficientCore: 'anyone',
  CardComputeUnitsExhausted: 'anyone',
  CardMigTopologyInfeasible: 'anyone',
  // Cards of a NUMA node that has too few of them free.
  NumaNotFit: 'anyone',
  // By what shares the card now, or the cards beside it.
  CardAppClassMismatch: 'anyone',
  CardQosPolicyMismatch: 'anyone',
  CardTopologyMismatch: 'anyone',
};

/**
 * True when pods that `canLeave` accepts could make room.
 *
 * @param canLeave whether there is such a pod on the node at all, or one of the pod's own namespace; asked only where
 * the answer depends on it
 */
export function canEvictionsMend(
  refusal: Refusal,
  canLeave: (remedy: Exclude<Remedy, 'nobody'>) => boolean,
): boolean {
  const remedy = remedyOf(refusal);
  return remedy !== 'nobody' && canLeave(remedy);
}

function remedyOf(refusal: Refusal): Remedy {
  switch (refusal.code) {
    case 'NodeCountExhausted':
      return 'anyone';
    case 'AllocatedCardsInsufficientRequest': {
      const found = new Set((Object.keys(refusal.refused) as CardReason[]).map((reason) => remedies[reason]));
      if (found.has('anyone')) return 'anyone';
      return found.has('own-namespace') ? 'own-namespace' : 'nobody';
    }
    case 'NodeUnregistered':
    case 'NodeInsufficientDevice':
    case 'NodeClosed':
    case 'NodeBusy':
    case 'RequestInvalid':
      return 'nobody';
  }
}

/**
 * True for a pod that may be evicted for another one and holds something that the other wants: cards of a vendor it
 * asks for, or their count.
 */
export function mayGiveWay(
  entry: LedgerEntry,
  { podUid, priority, containers, counts }: PodRequest,
): boolean {
  if (entry.request.priority >= priority || entry.podUid === podUid) return false;
  const isWanted = (vendor: string) =>
    containers.some(({ devices }) => devices.some((wanted) => wanted.vendor === vendor));
  return (
    entry.allocation.some((shares) => shares.some(({ vendor }) => isWanted(vendor))) ||
    [...entry.load.withheld.keys()].some(isWanted) ||
    [...entry.request.counts.keys()].some((resource) => counts.has(resource))
  );
}
