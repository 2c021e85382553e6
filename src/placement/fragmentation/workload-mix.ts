/**
 * What pods ask for, learnt from those that came: how often each class was seen, where a pod counts the less the more
 * came after it. It forgets by pods and not by time, so it reads no clock, and a quiet night changes nothing. Pods that
 * ask for about the same are one class, so that there are few; the first of them stands for all, because rounded amounts
 * would not fit where the real ones do. Only the most frequent are told.
 */
import { compareText, type VendorKey } from '../../model/device.ts';
import type { PodRequest } from '../../model/request.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { fallbackClasses } from './fallback-classes.ts';
import { bucketed, classKey, classOf, type RequestClass, type WeightedClass } from './request-class.ts';
import { isKeepable, mixFromJson, mixToJson, mostStoredClasses } from './workload-mix-json.ts';

export interface WorkloadMixOptions {
  /** After so many further pods, a pod counts half. */
  readonly halfLifePods?: number;
  /** Families of which a quarter, a half and a whole card are assumed for as long as too few pods were seen. */
  readonly vendors?: readonly VendorKey[];
}

const defaultHalfLifePods = 2000;
/** The most that `classes` tells. */
const mostClasses = 128;
/** Beyond twice as many, the rarest are forgotten. */
const mostKept = mostStoredClasses;
/** Fewer pods of a family than these say too little about it. */
const fewestPods = 20;
/** A pod counts more than those before it; when one counts this much, all are reckoned anew. */
const largestUnit = 2 ** 40;
/** What counts less than this part of a pod is forgotten then. */
const leastWeight = 1e-3;

interface Seen {
  /** As the first pod of the class asked. */
  readonly entry: RequestClass;
  weight: number;
}

export class WorkloadMix {
  readonly #growth: number;
  readonly #vendors: readonly VendorKey[];
  readonly #seen = new Map<string, Seen>();
  /** What a pod counts that comes now. */
  #unit = 1;
  #noted = 0;

  constructor({ halfLifePods = defaultHalfLifePods, vendors = [] }: WorkloadMixOptions = {}) {
    this.#growth = 2 ** (1 / halfLifePods);
    this.#vendors = vendors;
  }

  /** Reads what `toJson` made; it may have been written by anybody. */
  static fromJson(value: unknown, options: WorkloadMixOptions = {}): Parsed<WorkloadMix> {
    const classes = mixFromJson(value);
    if (!classes.ok) return classes;
    const mix = new WorkloadMix(options);
    for (const { weight, ...entry } of classes.value) mix.#add(entry, weight);
    return parsed(mix);
  }

  /** How many pods were noted since this object was made. */
  get noted(): number {
    return this.#noted;
  }

  /** Takes a pod into account; to be told of each once. One that asks for what cannot be kept is no class. */
  note(request: PodRequest): void {
    this.#noted += 1;
    this.#unit *= this.#growth;
    this.#add(classOf(request), this.#unit);
    if (this.#unit > largestUnit) this.#reckonAnew();
    if (this.#seen.size > 2 * mostKept) this.#forgetRarest();
  }

  /** The most frequent classes, heaviest first; weights are in pods, of which those of long ago count less. */
  classes(): readonly WeightedClass[] {
    const known = this.#byWeight().slice(0, mostClasses);
    return [...known, ...this.#vendors.flatMap((vendor) => this.#assumed(vendor))];
  }

  /** JSON of a form of its own, for `fromJson`. */
  toJson(): unknown {
    return mixToJson(this.#byWeight());
  }

  #assumed(vendor: VendorKey): readonly WeightedClass[] {
    let seen = 0;
    for (const { entry, weight } of this.#seen.values()) if (entry.vendor === vendor) seen += weight;
    const missing = fewestPods - seen / this.#unit;
    return missing > 0 ? fallbackClasses(vendor, missing) : [];
  }

  #byWeight(): readonly WeightedClass[] {
    return [...this.#seen]
      .sort(([keyA, a], [keyB, b]) => b.weight - a.weight || compareText(keyA, keyB))
      .map(([, { entry, weight }]) => ({ ...entry, weight: weight / this.#unit }));
  }

  #add(entry: RequestClass, weight: number): void {
    if (!isKeepable(entry)) return;
    const key = classKey(bucketed(entry));
    const seen = this.#seen.get(key);
    if (seen === undefined) this.#seen.set(key, { entry, weight });
    else seen.weight += weight;
  }

  #reckonAnew(): void {
    for (const [key, seen] of this.#seen) {
      seen.weight /= this.#unit;
      if (seen.weight < leastWeight) this.#seen.delete(key);
    }
    this.#unit = 1;
  }

  #forgetRarest(): void {
    const rarest = [...this.#seen].sort(([, a], [, b]) => a.weight - b.weight);
    for (const [key] of rarest.slice(0, rarest.length - mostKept)) this.#seen.delete(key);
  }
}
