/**
 * The typical classes of a workload: the most frequent ones that together make up a part of its pods. The published
 * fragmentation is measured against these (Weng et al., "Beware of Fragmentation", USENIX ATC 2023, and the simulator
 * published with it, from which the order of equally frequent classes is taken).
 */
import { compareText } from '../../model/device.ts';
import { mergeClasses, type WeightedClass } from './request-class.ts';

const typicalPart = 0.95;

/**
 * The heaviest classes until `part` of all weight is reached. Equally heavy ones: the larger CPU first, then the larger
 * part of a card, then more cards, then the later types.
 */
export function typicalClasses(
  classes: readonly WeightedClass[],
  part: number = typicalPart,
): readonly WeightedClass[] {
  const merged = mergeClasses(classes);
  const total = merged.reduce((sum, { weight }) => sum + weight, 0);
  const typical: WeightedClass[] = [];
  let covered = 0;
  for (const entry of [...merged].sort(compareTypical)) {
    if (covered >= part * total) break;
    typical.push(entry);
    covered += entry.weight;
  }
  return typical;
}

function compareTypical(a: WeightedClass, b: WeightedClass): number {
  return (
    b.weight - a.weight ||
    b.cpuMilli - a.cpuMilli ||
    b.corePercent - a.corePercent ||
    amountOf(b) - amountOf(a) ||
    b.count - a.count ||
    compareText(typesOf(b), typesOf(a))
  );
}

function amountOf({ memory }: WeightedClass): number {
  return memory.kind === 'mib' ? memory.memoryMiB : memory.percent;
}

function typesOf({ selector }: WeightedClass): string {
  return (selector?.useTypes ?? []).join('|');
}
