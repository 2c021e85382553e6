/**
 * The target workload of Fragmentation Gradient Descent: the typical classes of a workload, each with its popularity
 * among them. Order and arithmetic are those of the published experiment; a score is a truncated number, so another
 * order of the same sum could flip it.
 */
import { classOf, type WeightedClass } from '../../placement/fragmentation/request-class.ts';
import { typicalClasses } from '../../placement/fragmentation/typical-classes.ts';
import type { WeightedRequest } from '../simulated-pod.ts';

/** Most frequent first; weights are popularities, 1 in sum. */
export function targetWorkload(mix: readonly WeightedRequest[]): readonly WeightedClass[] {
  const classes = mix.map((entry) => ({ ...writtenClass(entry), weight: entry.count }));
  const total = sumOfWeights(classes);
  const typical = typicalClasses(classes);
  const covered = sumOfWeights(typical);
  // Two divisions, as published: one would differ in the last digit.
  return typical.map((entry) => ({ ...entry, weight: entry.weight / total / (covered / total) }));
}

/** The publication tells apart classes whose card types are written differently, even where they mean the same. */
function writtenClass({ request }: WeightedRequest): Omit<WeightedClass, 'weight'> {
  const found = classOf(request);
  const written = found.vendor === undefined ? undefined : request.selectors.get(found.vendor);
  return written === undefined || found.selector === undefined
    ? found
    : { ...found, selector: { ...found.selector, useTypes: written.useTypes } };
}

function sumOfWeights(classes: readonly WeightedClass[]): number {
  return classes.reduce((sum, { weight }) => sum + weight, 0);
}
