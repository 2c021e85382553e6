/**
 * The register annotation, byte for byte as a device plugin of v2.10 publishes it (spec §1.2): keys in a fixed order,
 * zero values left out, and devices in whatever order the plugin's map had this time.
 */
import type { Device } from '../../model/device.ts';

/** The annotation's value for devices in the order given. */
export function formatRegister(devices: readonly Device[]): string {
  return JSON.stringify(
    devices.map(({ id, index, slots, memoryMiB, corePercent, type, numa, mode, healthy }) =>
      withoutZeros({
        id,
        index,
        count: slots,
        devmem: memoryMiB,
        devcore: corePercent,
        type,
        numa,
        mode,
        health: healthy,
      }),
    ),
  );
}

function withoutZeros(fields: Readonly<Record<string, string | number | boolean>>): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== 0 && value !== '' && value !== false),
  );
}

/** The items in an order of chance; `random` is uniform in [0, 1). */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
