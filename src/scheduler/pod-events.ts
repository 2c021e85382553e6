/** The port through which decisions about pods are told to their owners; in a cluster these become Events. */
import type { NamespacedName } from '../model/cluster-objects.ts';
import type { Refusal } from '../model/reason.ts';
import { wireReason } from './refusal-text.ts';

export interface PodReference extends NamespacedName {
  readonly uid: string;
}

export interface PodEvent {
  readonly pod: PodReference;
  readonly type: 'Normal' | 'Warning';
  /** HAMi's words (spec §11): operators and dashboards look for them. */
  readonly reason: 'FilteringFailed' | 'BindingSucceed' | 'BindingFailed';
  readonly message: string;
}

export interface PodEvents {
  /** Takes an event; the same one twice in a row for a pod is told once. Never throws. */
  emit(event: PodEvent): void;
}

const mostReasons = 4;
const mostNamesPerReason = 3;

/**
 * Why no node would do, in one bounded sentence: the number of nodes per counted reason and a few of their names
 * (Q23). E.g. `no available node, 3 nodes do not meet: 2 nodes 1/2 CardInsufficientMemory(a,b), 1 nodes node
 * unregistered(c)`.
 */
export function refusedMessage(refused: ReadonlyMap<string, Refusal>): string {
  const nodesByReason = new Map<string, string[]>();
  for (const [node, refusal] of refused) {
    const reason = wireReason(refusal, true);
    const nodes = nodesByReason.get(reason) ?? [];
    nodesByReason.set(reason, nodes);
    nodes.push(node);
  }
  const reasons = [...nodesByReason].sort(
    ([a, inA], [b, inB]) => inB.length - inA.length || (a < b ? -1 : 1),
  );
  const parts = reasons.slice(0, mostReasons).map(([reason, nodes]) => {
    const names = nodes.sort().slice(0, mostNamesPerReason).join(',');
    const more = nodes.length > mostNamesPerReason ? ',…' : '';
    return `${nodes.length} nodes ${reason}(${names}${more})`;
  });
  if (reasons.length > mostReasons) parts.push(`and ${reasons.length - mostReasons} more reasons`);
  return `no available node, ${refused.size} nodes do not meet: ${parts.join(', ')}`;
}
