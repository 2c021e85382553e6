/**
 * Which pods have to leave a node so that another fits it: the sets of which none can stay, small ones first. A larger
 * set would move somebody for nothing.
 */
import type { DefragmentCluster, Mover } from './defragment-cluster.ts';

/** These pods leave the node, and there is room. */
export interface Room {
  readonly node: number;
  readonly leaving: readonly Mover[];
}

export interface RoomQuestion {
  readonly cluster: DefragmentCluster;
  /** Whether what wants room has it on a node without these. */
  readonly fits: (node: number, leaving: readonly Mover[]) => boolean;
  readonly mayLeave: (mover: Mover) => boolean;
  /** Asked before every look; false ends the search. */
  readonly mayTry: () => boolean;
}

/**
 * All such sets with at most so many pods, on all nodes but one; what holds least first.
 *
 * @param except the node that is left out; absent: none is
 */
export function roomsWithin(question: RoomQuestion, most: number, except?: number): readonly Room[] {
  const rooms: (Room & { readonly milli: number })[] = [];
  for (const node of question.cluster.views.keys()) {
    if (node === except) continue;
    for (const leaving of setsOn(node, question, most)) {
      rooms.push({ node, leaving, milli: leaving.reduce((sum, { milli }) => sum + milli, 0) });
    }
  }
  return rooms.sort((a, b) => a.milli - b.milli || a.leaving.length - b.leaving.length || a.node - b.node);
}

function setsOn(node: number, question: RoomQuestion, most: number): readonly (readonly Mover[])[] {
  const { cluster, fits, mayLeave, mayTry } = question;
  const movers = cluster.moversOn(node).filter(mayLeave);
  if (movers.length === 0 || !mayTry() || !fits(node, movers)) return [];
  const found: (readonly Mover[])[] = [];
  for (let size = 1; size <= Math.min(most, movers.length); size += 1) {
    for (const leaving of setsOfSize(movers, size)) {
      if (found.some((smaller) => smaller.every((mover) => leaving.includes(mover)))) continue;
      if (!mayTry()) return found;
      if (fits(node, leaving)) found.push(leaving);
    }
  }
  return found;
}

/** Every choice of so many, pods that are alike being one; alike ones stand beside each other. */
function* setsOfSize(movers: readonly Mover[], size: number, from = 0): Generator<readonly Mover[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let index = from; index + size <= movers.length; index += 1) {
    const mover = movers[index];
    if (mover === undefined || (index > from && movers[index - 1]?.likeness === mover.likeness)) continue;
    for (const rest of setsOfSize(movers, size - 1, index + 1)) yield [mover, ...rest];
  }
}
