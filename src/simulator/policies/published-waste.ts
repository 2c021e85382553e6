/**
 * Fragmentation of a node as published: the part of its idle cards, in thousandths of a card, that a task drawn from the
 * target workload cannot use (Weng et al., "Beware of Fragmentation", USENIX ATC 2023). For one class of tasks that is
 * everything idle where it asks for no card, where no card is of a type it takes, where the CPU does not suffice or too
 * few cards have room; else what is idle on the cards that are too full for it. Host memory plays no part.
 *
 * This is the measure that the policy `fgd` descends; what the product shows and scores by is its own.
 */
import type { Device } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';
import type { RequestClass, WeightedClass } from '../../placement/fragmentation/request-class.ts';
import { kindKey } from '../../placement/fragmentation/supply.ts';
import { acceptsType } from '../../vendors/selection.ts';
import { neededMilli } from './free-milli.ts';

/** What the classes need of the cards of some node; the same for all pictures of it. */
export interface NodeNeeds {
  /** Without repetition: thousandths needed of each card. */
  readonly levels: readonly Level[];
  /** By class, which of the levels is its own. */
  readonly levelOf: Uint16Array;
  /** By card: equal for cards that no class tells apart. */
  readonly kinds: readonly string[];
}

interface Level {
  readonly needs: Float64Array;
  /** False where no card is of a type that is taken. */
  readonly isOffered: boolean;
}

const never = Infinity;

export class PublishedWaste {
  readonly #classes: readonly WeightedClass[];
  readonly #cards: Int32Array;
  readonly #cpuMilli: Float64Array;
  readonly #weights: Float64Array;
  /** By the kinds of a node's cards. */
  readonly #needs = new Map<string, NodeNeeds>();
  /** By level, for the length of one question. */
  readonly #fitting: Int32Array;
  readonly #tooFull: Float64Array;

  /** @param classes in the order in which the publication sums them up */
  constructor(classes: readonly WeightedClass[]) {
    this.#classes = classes;
    this.#cards = Int32Array.from(classes, ({ count }) => count);
    this.#cpuMilli = Float64Array.from(classes, ({ cpuMilli }) => cpuMilli);
    this.#weights = Float64Array.from(classes, ({ weight }) => weight);
    this.#fitting = new Int32Array(classes.length);
    this.#tooFull = new Float64Array(classes.length);
  }

  needsOf({ devices }: NodeView): NodeNeeds {
    const kinds = devices.map(({ device }) => kindKey(device));
    const key = kinds.join('\n');
    let needs = this.#needs.get(key);
    if (needs === undefined) {
      const cards = devices.map(({ device }) => device);
      needs = { ...levelsOn(cards, this.#classes), kinds };
      this.#needs.set(key, needs);
    }
    return needs;
  }

  /**
   * @param needs of the node
   * @param free thousandths that are free of each of its cards
   */
  wasteOf({ levels, levelOf }: NodeNeeds, free: readonly number[], cpuMilli: number): number {
    let idle = 0;
    for (const milli of free) idle += milli;
    this.#compare(levels, free);
    const [fitting, tooFull] = [this.#fitting, this.#tooFull];
    const [cards, asked, weights] = [this.#cards, this.#cpuMilli, this.#weights];
    // Summed up by reason first and then together, as published: another order may differ in the last digit.
    let noCard = 0;
    let noCpu = 0;
    let neither = 0;
    let noAccess = 0;
    let deviceless = 0;
    let devicelessNoCpu = 0;
    for (let index = 0; index < cards.length; index += 1) {
      const count = cards[index] ?? 0;
      const weight = weights[index] ?? 0;
      const hasCpu = cpuMilli >= (asked[index] ?? 0);
      const level = levelOf[index] ?? 0;
      if (count === 0) {
        if (hasCpu) deviceless += weight * idle;
        else devicelessNoCpu += weight * idle;
      } else if (levels[level]?.isOffered !== true) noAccess += weight * idle;
      else if ((fitting[level] ?? 0) < count) {
        if (hasCpu) noCard += weight * idle;
        else neither += weight * idle;
      } else if (hasCpu) noCard += weight * (tooFull[level] ?? 0);
      else noCpu += weight * idle;
    }
    return neither + noCard + noCpu + deviceless + devicelessNoCpu + noAccess;
  }

  #compare(levels: readonly Level[], free: readonly number[]): void {
    for (let level = 0; level < levels.length; level += 1) {
      const needs = levels[level]?.needs;
      let fitting = 0;
      let tooFull = 0;
      for (let card = 0; card < free.length; card += 1) {
        const milli = free[card] ?? 0;
        if (milli >= (needs?.[card] ?? never)) fitting += 1;
        else tooFull += milli;
      }
      this.#fitting[level] = fitting;
      this.#tooFull[level] = tooFull;
    }
  }
}

function levelsOn(
  devices: readonly Device[],
  classes: readonly WeightedClass[],
): Pick<NodeNeeds, 'levels' | 'levelOf'> {
  const levels: Level[] = [];
  const byText = new Map<string, number>();
  const levelOf = Uint16Array.from(classes, (wanted) => {
    const needs = Float64Array.from(devices, (device) => needOn(device, wanted));
    const text = needs.join();
    const known = byText.get(text);
    if (known !== undefined) return known;
    byText.set(text, levels.length);
    return levels.push({ needs, isOffered: needs.some((need) => need !== never) }) - 1;
  });
  return { levels, levelOf };
}

function needOn(device: Device, wanted: RequestClass): number {
  const { vendor, selector } = wanted;
  if (vendor !== device.vendor) return never;
  return selector === undefined || acceptsType(selector, device) ? neededMilli(wanted, device) : never;
}
