import type { Share } from '../../src/model/allocation.ts';

/** A share of an NVIDIA card, by default with the amounts of spec Appendix C. */
export function makeShare(deviceId: string, memoryMiB = 3000, corePercent = 30, vendor = 'NVIDIA'): Share {
  return { vendor, deviceId, memoryMiB, corePercent };
}
