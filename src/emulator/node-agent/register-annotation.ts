/**
 * The register annotation, byte for byte as device plugins publish it: JSON with keys in a fixed order and zero values
 * left out (v2.8 and later, spec §1.2), or CSV (up to v2.7, spec §1.3). The devices come in whatever order the
 * plugin's map had this time.
 */
import type { Device, DeviceFacts } from '../../model/device.ts';
import type { MigProfile } from '../../model/mig.ts';
import { type PluginVersion, traitsOf } from './plugin-version.ts';

/** The annotation's value for devices in the order given, by a plugin of the newest version where none is named. */
export function formatRegister(devices: readonly Device[], version?: PluginVersion): string {
  const { register } = traitsOf(version);
  switch (register) {
    case 'csv':
      return formatColonList(devices);
    case 'json-with-pair-score':
      // It was never filled, but Go writes an empty struct all the same.
      return JSON.stringify(devices.map((device) => ({ ...jsonOf(device), devicepairscore: {} })));
    case 'json-with-mig-profiles':
      return formatDeviceList(devices);
  }
}

/** Nine fields per device (spec §1.3, vendors §1.2). */
export function formatColonList(devices: readonly Device[]): string {
  return devices.map(formatCsv).join('');
}

/** JSON (spec §1.2, vendors §1.2); what a family says beside the common fields comes from the device's facts. */
export function formatDeviceList(devices: readonly Device[]): string {
  return JSON.stringify(devices.map(jsonOf));
}

function formatCsv(device: Device): string {
  const { id, slots, memoryMiB, corePercent, type, numa, healthy, index, mode } = device;
  return `${[id, slots, memoryMiB, corePercent, type, numa, healthy, index, mode].join(',')}:`;
}

function jsonOf(device: Device): object {
  return withoutZeros({
    id: device.id,
    index: device.index,
    count: device.slots,
    devmem: device.memoryMiB,
    devcore: device.corePercent,
    type: device.type,
    numa: device.numa,
    mode: device.mode,
    migProfiles: (device.migProfiles ?? []).map(profileJson),
    health: device.healthy,
    custominfo: device.facts ?? {},
  });
}

function profileJson({ name, memoryMiB, corePercent, slices, placements }: MigProfile): object {
  return {
    name,
    memoryMB: memoryMiB,
    core: corePercent,
    sliceCount: slices,
    placements: placements.map(({ start, size }) => ({ start, size })),
  };
}

type JsonField = string | number | boolean | readonly object[] | DeviceFacts;

function withoutZeros(fields: Readonly<Record<string, JsonField>>): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      typeof value === 'object'
        ? Object.keys(value).length > 0
        : value !== 0 && value !== '' && value !== false,
    ),
  );
}

/** The items in an order of chance; `random` is uniform in [0, 1). */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
