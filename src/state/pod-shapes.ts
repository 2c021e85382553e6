/**
 * What pods with the same containers have in common: the parsed requests, their counts and the host resources. Most
 * pods of a cluster come from few templates, so each shape is read once and shared by all its pods. Bounded, because
 * templates are written by tenants; a shape that was forgotten is read again. Nobody may change what is shared.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { type ContainersReading, readContainers } from '../vendors/pod-request.ts';
import type { Vendor } from '../vendors/vendor.ts';

const mostShapes = 4096;
/** A pod that writes more than this, in characters, is none of many. */
const longestKey = 4096;

export class PodShapes {
  readonly #vendors: readonly Vendor[];
  readonly #annotationKeys: readonly string[];
  readonly #shapes = new Map<string, ContainersReading>();

  constructor(vendors: readonly Vendor[]) {
    this.#vendors = vendors;
    this.#annotationKeys = [...new Set(vendors.flatMap(({ podAnnotations = [] }) => podAnnotations))];
  }

  of(pod: PodObject): ContainersReading {
    const { containers } = pod;
    const key = JSON.stringify([containers, ...this.#annotationKeys.map((name) => pod.annotations[name])]);
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      shape = readContainers(pod, this.#vendors);
      if (key.length > longestKey) return shape;
      if (this.#shapes.size >= mostShapes) this.#shapes.clear();
      this.#shapes.set(key, shape);
    }
    return shape;
  }
}
