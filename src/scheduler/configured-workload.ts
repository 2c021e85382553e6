/** The workload as a configuration gives it, in place of one that is learnt. */
import type { TesseraConfig } from '../config/config.ts';
import type { WeightedClass } from '../placement/fragmentation/request-class.ts';
import type { Vendor } from '../vendors/vendor.ts';

/** A resource that no vendor counts cards by stops the start (`config/faults.ts`); without any vendor nothing is left. */
export function configuredWorkload(
  { workload }: TesseraConfig['fragmentation'],
  vendors: readonly Vendor[],
): readonly WeightedClass[] {
  return workload.flatMap((entry): readonly WeightedClass[] => {
    const { resource, cards, cpuMilli, hostMemoryMiB, types, weight } = entry;
    const vendor =
      resource === '' ? vendors[0] : vendors.find(({ resources }) => resources.count === resource);
    const host = { cpuMilli, memoryMiB: hostMemoryMiB, weight };
    if (cards === 0) return [{ count: 0, memory: { kind: 'mib', memoryMiB: 0 }, corePercent: 0, ...host }];
    if (vendor === undefined) return [];
    const memory =
      entry.memoryMiB > 0
        ? ({ kind: 'mib', memoryMiB: entry.memoryMiB } as const)
        : ({ kind: 'percent', percent: entry.memoryPercent } as const);
    const useTypes = types.map((type) => type.toLowerCase());
    const selector = { useTypes, avoidTypes: [], useIds: [], avoidIds: [], numaBound: false };
    return [
      {
        vendor: vendor.key,
        count: cards,
        memory,
        corePercent: entry.cores,
        ...(useTypes.length === 0 ? {} : { selector }),
        ...host,
      },
    ];
  });
}
