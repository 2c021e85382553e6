/** The port through which decisions about pods are told to their owners; in a cluster these become Events. */
import type { NamespacedName } from '../model/cluster-objects.ts';
import { compareText } from '../model/device.ts';
import type { Refusal } from '../model/reason.ts';
import { wireReason } from './refusal-text.ts';
import type { RefusedNodes } from './refused-nodes.ts';

export interface PodReference extends NamespacedName {
  readonly uid: string;
}

export interface PodEvent {
  readonly pod: PodReference;
  readonly type: 'Normal' | 'Warning';
  /** HAMi's words (spec §11): operators and dashboards look for them. */
  readonly reason: 'FilteringFailed' | 'BindingSucceed' | 'BindingFailed';
  readonly message: string;
  /** What of the message is news when it changes; all of it where absent. */
  readonly cause?: string;
}

export interface PodEvents {
  /** Takes an event; one of the same reason and cause twice in a row for a pod is told once. Never throws. */
  emit(event: PodEvent): void;
}

const mostReasons = 4;
const mostNamesPerReason = 3;

/** The nodes that one reason word refuses. */
interface Refused {
  count: number;
  /** The first few in byte order. */
  readonly names: string[];
  /** Cards refused for it and cards looked at, on all its nodes; undefined for reasons that count no cards. */
  cards: { readonly refused: number; readonly all: number } | undefined;
}

/**
 * Tells that no node would do and why, in one bounded sentence: per reason the number of nodes, HAMi's counter of
 * cards summed over them, and a few of their names (Q23). E.g. `no available node, 3 nodes do not meet: 2 nodes 3/4
 * CardInsufficientMemory(a,b), 1 nodes node unregistered(c)`. News is only which reasons there are: counters change
 * with every neighbour, and the nodes with every sample of a large cluster.
 */
export function refusedEvent(pod: PodReference, refused: RefusedNodes): PodEvent {
  const byWord = new Map<string, Refused>();
  for (const [refusal, nodes] of refused.groups()) {
    for (const { word, cards } of wordsOf(refusal)) {
      const group = byWord.get(word) ?? { count: 0, names: [], cards: undefined };
      byWord.set(word, group);
      group.count += nodes.length;
      for (const name of nodes) keepFirst(group.names, name);
      if (cards !== undefined) {
        const { refused: before, all } = group.cards ?? { refused: 0, all: 0 };
        group.cards = {
          refused: before + nodes.length * cards.refused,
          all: all + nodes.length * cards.all,
        };
      }
    }
  }
  const reasons = [...byWord].sort(([a, inA], [b, inB]) => inB.count - inA.count || compareText(a, b));
  const parts = reasons.slice(0, mostReasons).map(([word, group]) => refusedText(word, group));
  if (reasons.length > mostReasons) parts.push(`and ${reasons.length - mostReasons} more reasons`);
  return {
    pod,
    type: 'Warning',
    reason: 'FilteringFailed',
    message: `no available node, ${refused.size} nodes do not meet: ${parts.join(', ')}`,
    cause: [...byWord.keys()].sort(compareText).join(', '),
  };
}

interface Word {
  readonly word: string;
  readonly cards?: { readonly refused: number; readonly all: number };
}

/** The reason words of a refusal as `wireReason` has them, each with its counter. */
function wordsOf(refusal: Refusal): readonly Word[] {
  if (refusal.code !== 'AllocatedCardsInsufficientRequest') return [{ word: wireReason(refusal, false) }];
  const { refused, accepted, cards: all, code } = refusal;
  const counts = Object.entries(refused).map(([word, count]) => ({ word, cards: { refused: count, all } }));
  return accepted > 0 ? [...counts, { word: code, cards: { refused: accepted, all } }] : counts;
}

function refusedText(word: string, { count, names, cards }: Refused): string {
  const counter = cards === undefined ? '' : `${cards.refused}/${cards.all} `;
  const more = count > names.length ? ',…' : '';
  return `${count} nodes ${counter}${word}(${names.join(',')}${more})`;
}

/** Sorting all names of a large cluster for the first three would cost more than the filter. */
function keepFirst(names: string[], name: string): void {
  const last = names.at(-1);
  if (names.length === mostNamesPerReason && last !== undefined && last <= name) return;
  names.push(name);
  names.sort(compareText);
  names.splice(mostNamesPerReason);
}
