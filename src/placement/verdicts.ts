/**
 * What the planner has said, remembered. A verdict holds for a request of a certain shape and a certain picture of a
 * node; the state makes a new picture, of a new generation, with every change that could alter a verdict, so an old one
 * can never be met again. Nothing is decided here, and forgetting only costs time.
 */
import type { NodeView } from '../model/node-view.ts';
import type { Refusal } from '../model/reason.ts';
import type { PodRequest } from '../model/request.ts';
import { plan, type PlanRules, scoringOf } from './planner.ts';

/** A plan without its cards: those are planned again where they are needed. */
export type Verdict =
  { readonly ok: true; readonly score: number } | { readonly ok: false; readonly refusal: Refusal };

/** Everything of a request that a plan depends on, as text; pods of one controller share it. */
export function shapeOf(request: PodRequest): string {
  const { containers, selectors, counts, nodePolicy, devicePolicy, weights } = request;
  return JSON.stringify([containers, [...selectors], [...counts], nodePolicy, devicePolicy, weights]);
}

/** Shapes that a server meets; see `Verdicts`. */
const usualShapes = 256;

export class Verdicts {
  readonly #tables = new Map<string, VerdictTable>();
  readonly #mostShapes: number;

  /** @param mostShapes shapes beyond this many push out the one that was asked about least recently */
  constructor(mostShapes: number = usualShapes) {
    this.#mostShapes = mostShapes;
  }

  /** The verdicts on requests of this shape under these rules. */
  of(request: PodRequest, shape: string, rules: PlanRules): VerdictTable {
    const limited = rules.quota !== undefined && rules.quota.size > 0;
    const place = limited ? `${request.namespace}/${shape}` : shape;
    // A scoring weighs what the pod takes of the host, too; nothing else about a plan depends on that.
    const { cpuMilli, memoryMiB } = request.host;
    const key = scoringOf(request, rules) === undefined ? place : `${place}/${cpuMilli}/${memoryMiB}`;
    let table = this.#tables.get(key);
    if (table?.isUnder(rules) !== true) table = new VerdictTable(request, rules);
    this.#tables.delete(key);
    this.#tables.set(key, table);
    const oldest = this.#tables.size > this.#mostShapes ? this.#tables.keys().next() : undefined;
    if (oldest?.done === false) this.#tables.delete(oldest.value);
    return table;
  }
}

export class VerdictTable {
  /** A position of the state's changes at which no node at all would do; those that changed since may. */
  nowhereAt: number | undefined;
  readonly #request: PodRequest;
  readonly #rules: PlanRules;
  /** Of nodes as they are, by slot: the generation that was judged, and the verdict on it. */
  readonly #generations: number[] = [];
  readonly #bySlot: (Verdict | undefined)[] = [];
  /** Of nodes that are like others; absent where it matters which card has which id. */
  readonly #byLikeness: Map<number, Verdict> | undefined;
  /** Of nodes as they might be. */
  readonly #byView = new WeakMap<NodeView, Verdict>();
  /** Nodes are refused in few ways, so equal refusals are one object. */
  readonly #refusals = new Map<string, Verdict>();

  constructor(request: PodRequest, rules: PlanRules) {
    this.#request = request;
    this.#rules = rules;
    this.#byLikeness = namesIds(request) ? undefined : new Map();
  }

  /** True while the rules are those of the table; a quota's figures change with every pod of its namespace. */
  isUnder({ quota, nodePolicy, devicePolicy, scoring, cardRules }: PlanRules): boolean {
    const own = this.#rules;
    return (
      own.quota === quota &&
      own.nodePolicy === nodePolicy &&
      own.devicePolicy === devicePolicy &&
      own.scoring === scoring &&
      own.cardRules === cardRules
    );
  }

  /** What `plan` says of this very picture of a node. */
  judge(view: NodeView): Verdict {
    const { slot, generation, likeness } = view;
    const known =
      slot === undefined
        ? this.#byView.get(view)
        : this.#generations[slot] === generation
          ? this.#bySlot[slot]
          : undefined;
    if (known !== undefined) return known;
    const verdict = likeness === undefined ? this.#planOn(view) : this.#likeOthers(view, likeness);
    if (slot === undefined) this.#byView.set(view, verdict);
    else this.#remember(slot, generation, verdict);
    return verdict;
  }

  #likeOthers(view: NodeView, likeness: number): Verdict {
    const known = this.#byLikeness?.get(likeness);
    if (known !== undefined) return known;
    const verdict = this.#planOn(view);
    if (this.#byLikeness !== undefined) {
      if (this.#byLikeness.size >= mostLikenesses) this.#byLikeness.clear();
      this.#byLikeness.set(likeness, verdict);
    }
    return verdict;
  }

  #planOn(view: NodeView): Verdict {
    const planned = plan(view, this.#request, this.#rules);
    return planned.ok ? { ok: true, score: planned.score } : this.#shared(planned.refusal);
  }

  #remember(slot: number, generation: number, verdict: Verdict): void {
    // An array with holes would be a slow one.
    while (this.#bySlot.length < slot) {
      this.#generations.push(-1);
      this.#bySlot.push(undefined);
    }
    this.#generations[slot] = generation;
    this.#bySlot[slot] = verdict;
  }

  #shared(refusal: Refusal): Verdict {
    const text = textOf(refusal);
    let verdict = this.#refusals.get(text);
    if (verdict === undefined) {
      if (this.#refusals.size >= mostRefusals) this.#refusals.clear();
      verdict = { ok: false, refusal };
      this.#refusals.set(text, verdict);
    }
    return verdict;
  }
}

/** Equal for equal refusals of one request alone; the frequent kind is worth a text that is quickly made. */
function textOf(refusal: Refusal): string {
  if (refusal.code !== 'AllocatedCardsInsufficientRequest' || refusal.quota !== undefined) {
    return JSON.stringify(refusal);
  }
  const { container, vendor, accepted, cards, refused } = refusal;
  let text = `${container}/${vendor}/${accepted}/${cards}`;
  for (const [reason, count] of Object.entries(refused)) text += `/${reason}/${count}`;
  return text;
}

function namesIds({ selectors }: PodRequest): boolean {
  return [...selectors.values()].some(({ useIds, avoidIds }) => useIds.length > 0 || avoidIds.length > 0);
}

/** Nodes change and are never again as they were, so what was said of them long ago is of little use. */
const mostLikenesses = 2000;

/** Distinct refusals kept to be shared; counters on nodes of many sizes could make many. */
const mostRefusals = 1000;
