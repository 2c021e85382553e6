/**
 * What the policy `fragmentation` goes by at one moment: the workload that is expected, learnt or given, and the scoring
 * made of it and of the cards there are. A new scoring makes every remembered verdict stale, so there is one only when
 * workload or cards have changed so much that it could matter, and only when somebody asked for the policy before. It
 * reads no clock: whoever wires it says when to look again.
 */
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import { makeFragmentationScoring } from '../placement/fragmentation/fragmentation-scoring.ts';
import { classKey, type WeightedClass } from '../placement/fragmentation/request-class.ts';
import { type Supply, supplyOf } from '../placement/fragmentation/supply.ts';
import type { WorkloadMix } from '../placement/fragmentation/workload-mix.ts';
import type { Scoring } from '../placement/scoring.ts';
import { type CardRulesByVendor, noCardRules } from '../vendors/card-rules.ts';

export interface FragmentationPolicyOptions {
  /** All nodes as they are now. */
  readonly views: () => Iterable<NodeView>;
  /** What the pods to come ask for, where somebody says so; else it is learnt. */
  readonly given?: readonly WeightedClass[];
  /** What was seen so far, and will be seen. */
  readonly mix: WorkloadMix;
  readonly cardRules?: CardRulesByVendor;
}

/** So great a part of the pods, or of the cards, may be others before anything is judged anew. */
const tolerance = 0.02;

export class FragmentationPolicy {
  readonly #options: FragmentationPolicyOptions;
  #classes: readonly WeightedClass[] | undefined;
  /** Of the mix when its classes were last looked at. */
  #notedThen = 0;
  #judging: { readonly scoring: Scoring; readonly supply: Supply } | undefined;

  constructor(options: FragmentationPolicyOptions) {
    this.#options = options;
  }

  /** Learns what a pod asks for; to be told of each pod once. */
  note(request: PodRequest): void {
    this.#options.mix.note(request);
  }

  /** All nodes as they are now. */
  readonly views = (): Iterable<NodeView> => this.#options.views();

  get cardRules(): CardRulesByVendor {
    return this.#options.cardRules ?? noCardRules;
  }

  /** What is learnt so far, to be kept. */
  get mix(): WorkloadMix {
    return this.#options.mix;
  }

  /** The workload in force; the same object until `refresh` finds another. */
  readonly classes = (): readonly WeightedClass[] => (this.#classes ??= this.#classesNow());

  /** The scoring in force; made when first asked for, and the same object until `refresh` finds reason for another. */
  get scoring(): Scoring {
    this.#judging ??= this.#judgeBy(this.#supplyNow());
    return this.#judging.scoring;
  }

  /** Looks whether workload and cards are still those that placements are judged by. */
  refresh(): void {
    const isOther = this.#refreshClasses();
    if (this.#judging === undefined) return;
    const supply = this.#supplyNow();
    if (isOther || isOtherSupply(this.#judging.supply, supply)) this.#judging = this.#judgeBy(supply);
  }

  #refreshClasses(): boolean {
    if (this.#classes === undefined || this.#notedThen === this.#options.mix.noted) return false;
    const next = this.#classesNow();
    if (!isOtherWorkload(this.#classes, next)) return false;
    this.#classes = next;
    return true;
  }

  #classesNow(): readonly WeightedClass[] {
    const { given = [], mix } = this.#options;
    this.#notedThen = mix.noted;
    return given.length > 0 ? given : mix.classes();
  }

  /** In an order of its own, so that replicas agree. */
  #supplyNow(): Supply {
    return [...supplyOf(this.#options.views())].sort((a, b) => compareText(a.key, b.key));
  }

  #judgeBy(supply: Supply) {
    return { supply, scoring: makeFragmentationScoring(this.classes(), supply, this.cardRules) };
  }
}

function isOtherWorkload(before: readonly WeightedClass[], now: readonly WeightedClass[]): boolean {
  const parts = (classes: readonly WeightedClass[]) =>
    partsOf(classes.map((entry) => [classKey(entry), entry.weight]));
  return distance(parts(before), parts(now)) > tolerance;
}

/** A kind of card that comes or goes always counts. */
function isOtherSupply(before: Supply, now: Supply): boolean {
  if (before.length !== now.length || before.some(({ key }, index) => key !== now[index]?.key)) return true;
  const total = (supply: Supply) => supply.reduce((sum, { cards }) => sum + cards, 0);
  const moved = before.reduce((sum, { cards }, index) => sum + Math.abs(cards - (now[index]?.cards ?? 0)), 0);
  return moved > tolerance * Math.max(total(before), total(now));
}

function partsOf(weights: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return new Map(weights.map(([key, weight]) => [key, weight / total]));
}

/** How great a part of one would have to become something else to make the other: 0..1. */
function distance(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()]))
    sum += Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0));
  return sum / 2;
}
