/** What is assumed of the pods to come while too few were seen: a quarter, a half and a whole of one card, in equal parts. */
import type { VendorKey } from '../../model/device.ts';
import type { WeightedClass } from './request-class.ts';

const parts = [25, 50, 100];
/** CPU that usually goes with one card. */
const cpuMilliPerCard = 10_000;
const memoryMiBPerCard = 65_536;

/** Three classes of the family that weigh as much as so many pods. */
export function fallbackClasses(vendor: VendorKey, pods: number): readonly WeightedClass[] {
  return parts.map((percent) => ({
    vendor,
    count: 1,
    memory: { kind: 'percent', percent },
    corePercent: percent,
    cpuMilli: (cpuMilliPerCard * percent) / 100,
    memoryMiB: (memoryMiBPerCard * percent) / 100,
    weight: pods / parts.length,
  }));
}
