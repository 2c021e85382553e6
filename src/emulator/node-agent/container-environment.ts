/** The environment by which a plugin tells a container of its devices (spec §1.12). Only content; nothing is run. */
import type { Share } from '../../model/allocation.ts';
import type { TextMap } from '../../model/cluster-objects.ts';
import type { LiveInstance } from './mig-instances.ts';

/** For parts of cards, in the order of the allocation. */
export function sharedCardEnvironment(shares: readonly Share[], memoryScaling: number): TextMap {
  const env: Record<string, string> = {
    NVIDIA_VISIBLE_DEVICES: shares.map(({ deviceId }) => deviceId).join(),
  };
  for (const [index, { memoryMiB }] of shares.entries()) {
    env[`CUDA_DEVICE_MEMORY_LIMIT_${index}`] = `${memoryMiB}m`;
  }
  // One limit for the whole container, that of its first device.
  env['CUDA_DEVICE_SM_LIMIT'] = String(shares[0]?.corePercent ?? 0);
  if (memoryScaling > 1) env['CUDA_OVERSUBSCRIBE'] = 'true';
  return env;
}

/** For MIG instances, which the hardware limits. */
export function instanceEnvironment(instances: readonly LiveInstance[]): TextMap {
  return { NVIDIA_VISIBLE_DEVICES: instances.map(({ migUuid }) => migUuid).join() };
}
