/**
 * Cards by how well they are linked (spec §5.6.1). Several cards for one container should talk fast to each other; a
 * single card should be the one that leaves the best linked ones together. Links that no plugin reports count 0, and
 * then the order of the device policy decides alone.
 */
import type { Device } from '../model/device.ts';
import { heaviestSubset } from './subset-search.ts';

interface Linked {
  readonly device: Device;
}

/**
 * `count` of the candidates, in the order they came: best first by policy, which also decides between equals. For one
 * card that is the candidate with the smallest sum of links to the others, for several the set with the largest sum of
 * links within; exact for up to eight candidates, of bounded cost beyond (Q27). With no more than `count`, all of them.
 */
export function chooseLinked<T extends Linked>(candidates: readonly T[], count: number): readonly T[] {
  if (count >= candidates.length) return candidates;
  const chosen = new Set(count === 1 ? [leastLinked(candidates)] : mostLinked(candidates, count));
  return candidates.filter((_, position) => chosen.has(position));
}

/** The sum of the links between cards, each pair once, as the earlier of the two reports it. */
export function linkSum(cards: readonly Linked[]): number {
  return cards.reduce(
    (sum, from, position) => sum + cards.slice(position + 1).reduce((part, to) => part + linkOf(from, to), 0),
    0,
  );
}

function linkOf(from: Linked, to: Linked): number {
  return from.device.linkScores?.get(to.device.id) ?? 0;
}

function leastLinked(candidates: readonly Linked[]): number {
  const sums = candidates.map((from) =>
    candidates.reduce((sum, to) => sum + (to === from ? 0 : linkOf(from, to)), 0),
  );
  return sums.indexOf(Math.min(...sums));
}

function mostLinked(candidates: readonly Linked[], count: number): readonly number[] {
  // Both directions of a pair are what the earlier card reports, should a plugin have written them unequal.
  const links = candidates.map((from, a) =>
    candidates.map((to, b) => (a === b ? 0 : a < b ? linkOf(from, to) : linkOf(to, from))),
  );
  return heaviestSubset(candidates.length, count, (a, b) => links[a]?.[b] ?? 0);
}
