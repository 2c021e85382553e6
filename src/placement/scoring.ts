/**
 * Judging a placement by what it leaves, in place of the policies' words: which of the cards that fit is taken, and how
 * good the node is then. The planner asks one of these where the node policy is `fragmentation`; the policies that the
 * simulator compares are others. A scoring decides nothing about fitting, and the same question gets the same answer
 * for as long as it is in force: what changes its mind (another workload) makes another one.
 */
import type { Share } from '../model/allocation.ts';
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import type { Draft } from './draft.ts';

/** A node at one moment of a plan. */
export interface Moment {
  /** As it was before the pod; its host resources are without the pod, too. */
  readonly view: NodeView;
  /** Its cards as the plan has left them so far. */
  readonly draft: Draft;
  readonly request: PodRequest;
}

export interface Scoring {
  /**
   * How good it is to give this share of a card next; the highest is taken, of equals the card that comes first on the
   * node.
   *
   * @param index the card's position among the view's devices; it fits
   */
  rateShare(moment: Moment, index: number, share: Share): number;
  /** How good the node is with the whole pod in the draft: 0..100, higher is better, comparable between nodes. */
  rateNode(moment: Moment): number;
}
