/** Cards in MIG mode for tests, with profiles that have a name, a memory and placements as real cards do. */
import type { Device } from '../../src/model/device.ts';
import type { MigPlacement, MigProfile } from '../../src/model/mig.ts';
import { makeDevice } from './views.ts';

function profile(
  name: string,
  memoryMiB: number,
  corePercent: number,
  places: { readonly size: number; readonly starts: readonly number[] },
): MigProfile {
  const placements = places.starts.map((start): MigPlacement => ({ start, size: places.size }));
  return { name, memoryMiB, corePercent, slices: Number.parseInt(name, 10), placements };
}

/** An A100 with 40 GB: what NVIDIA's MIG user guide says of its profiles, memory as the plugin rounds it. */
export const a100Profiles: readonly MigProfile[] = [
  profile('1g.5gb', 4864, 15, { size: 1, starts: [0, 1, 2, 3, 4, 5, 6] }),
  profile('2g.10gb', 9984, 29, { size: 2, starts: [0, 2, 4] }),
  profile('3g.20gb', 20_096, 43, { size: 4, starts: [0, 4] }),
  profile('4g.20gb', 20_096, 58, { size: 4, starts: [0] }),
  profile('7g.40gb', 40_448, 100, { size: 8, starts: [0] }),
];

/** An A100 with 40 GB in MIG mode, with all its profiles. */
export function makeMigDevice(fields: Partial<Device> = {}): Device {
  return makeDevice({ slots: 7, memoryMiB: 40_960, mode: 'mig', migProfiles: a100Profiles, ...fields });
}
