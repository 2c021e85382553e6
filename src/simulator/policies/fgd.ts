/**
 * Fragmentation Gradient Descent as published (Weng et al., USENIX ATC 2023): of all placements the one that makes the
 * fragmented part of the idle cards grow least. The change goes through a sigmoid and is cut to a whole number; that
 * coarseness is part of the policy, since ties are what lets it fill a node before it begins another.
 */
import type { Share } from '../../model/allocation.ts';
import type { DeviceUsage } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';
import type { PodRequest } from '../../model/request.ts';
import type { Moment, Scoring } from '../../placement/scoring.ts';
import type { MakePolicy } from '../policy.ts';
import { cardMilli, freeAfter, freeBefore, freeMilli } from './free-milli.ts';
import { type NodeNeeds, PublishedWaste } from './published-waste.ts';
import { targetWorkload } from './target-workload.ts';

export const makeFgd: MakePolicy = ({ mix, defaults }) => ({
  name: 'fgd',
  rules: {
    ...defaults,
    nodePolicy: 'fragmentation',
    scoring: new Descent(new PublishedWaste(targetWorkload(mix))),
  },
  choice: 'highest',
});

interface Before {
  readonly needs: NodeNeeds;
  readonly waste: number;
}

/** A share of a card as it was last rated, with everything that the rating depends on. */
interface Rated {
  readonly view: NodeView;
  readonly request: PodRequest;
  readonly othersUsed: DeviceUsage;
  readonly kind: string | undefined;
  readonly free: number;
  readonly left: number;
  readonly rating: number;
}

class Descent implements Scoring {
  readonly #measure: PublishedWaste;
  /** Nodes as they are before a pod; many pods are tried on one. */
  readonly #before = new WeakMap<NodeView, Before>();
  /** The card before this one is often its like. */
  #last: Rated | undefined;

  constructor(measure: PublishedWaste) {
    this.#measure = measure;
  }

  rateShare(moment: Moment, index: number, share: Share): number {
    const { view, draft, request } = moment;
    const card = view.devices[index];
    if (card === undefined) return 0;
    const { used } = draft.at(index);
    const left = freeMilli(card, {
      slots: used.slots + 1,
      memoryMiB: used.memoryMiB + share.memoryMiB,
      corePercent: used.corePercent + share.corePercent,
    });
    const free = freeMilli(card, used);
    // Whole cards go by index.
    if (left === 0 && free === cardMilli) return 0;
    const last = this.#last;
    const kind = this.#beforeOn(view).needs.kinds[index];
    if (
      last?.view === view &&
      last.request === request &&
      last.othersUsed === draft.used() &&
      last.kind === kind &&
      last.free === free &&
      last.left === left
    ) {
      return last.rating;
    }
    const freeThen = freeAfter(view, draft);
    freeThen[index] = left;
    const rating = this.#score(moment, freeThen);
    this.#last = { view, request, othersUsed: draft.used(), kind, free, left, rating };
    return rating;
  }

  rateNode(moment: Moment): number {
    return this.#score(moment, freeAfter(moment.view, moment.draft));
  }

  #score({ view, request }: Moment, free: readonly number[]): number {
    const { needs, waste } = this.#beforeOn(view);
    const cpuMilli = view.hostFree.cpuMilli - request.host.cpuMilli;
    const growth = this.#measure.wasteOf(needs, free, cpuMilli) - waste;
    return Math.floor(100 / (1 + Math.exp(growth / cardMilli)));
  }

  #beforeOn(view: NodeView): Before {
    let before = this.#before.get(view);
    if (before === undefined) {
      const needs = this.#measure.needsOf(view);
      before = { needs, waste: this.#measure.wasteOf(needs, freeBefore(view), view.hostFree.cpuMilli) };
      this.#before.set(view, before);
    }
    return before;
  }
}
