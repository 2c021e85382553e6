/**
 * The quota check at admission (spec §8.4): a pod that could not be placed within its namespace's quotas now is told so
 * at once, with numbers. What it asks is read from its request alone, so memory in percent counts nothing here; the
 * planner asks again with real cards.
 */
import { effectiveAmount } from '../model/container-role.ts';
import type { NamespaceQuota, QuotaLimit } from '../model/quota.ts';
import type { DeviceRequest, PodRequest } from '../model/request.ts';
import type { Vendor } from '../vendors/vendor.ts';

/** The sentence that denies a pod beyond its namespace's quotas, in the units they are written in; undefined: it fits. */
export function quotaDenial(
  request: PodRequest,
  quota: NamespaceQuota,
  vendors: readonly Vendor[],
): string | undefined {
  const { namespace } = request;
  for (const { key, memoryUnitMiB } of vendors) {
    const limits = quota.get(key);
    if (limits === undefined) continue;
    const memoryMiB = askedOf(request, key, memoryMiBOf);
    const corePercent = askedOf(request, key, ({ corePercent }) => corePercent);
    if (memoryMiB === 0 && corePercent === 0) continue;
    if (isBeyond(limits.memory, memoryMiB)) {
      return denial(limits.memory, { asked: memoryMiB, namespace, unit: memoryUnitMiB });
    }
    if (isBeyond(limits.cores, corePercent)) {
      return denial(limits.cores, { asked: corePercent, namespace, unit: 1 });
    }
  }
  return undefined;
}

/** What the pod asks of one vendor at its worst moment, over all cards. */
function askedOf(request: PodRequest, vendor: string, amountOf: (request: DeviceRequest) => number): number {
  const roles = request.containers.map(({ role }) => role);
  return effectiveAmount(roles, (index) => {
    const wanted = request.containers[index]?.devices.find((device) => device.vendor === vendor);
    return wanted === undefined ? 0 : wanted.count * amountOf(wanted);
  });
}

/** A percentage is of a card that is not chosen yet. */
function memoryMiBOf({ memory }: DeviceRequest): number {
  return memory.kind === 'mib' ? memory.memoryMiB : 0;
}

function isBeyond(limit: QuotaLimit | undefined, asked: number): limit is QuotaLimit {
  return limit !== undefined && limit.used + asked > limit.limit;
}

/** Parts of a unit count as whole ones, so that the numbers shown exceed the limit, too. */
function denial(
  { resource, quota, limit, used }: QuotaLimit,
  { asked, namespace, unit }: { asked: number; namespace: string; unit: number },
): string {
  const units = (amount: number) => Math.ceil(amount / unit);
  return `exceeding resource quota: pod asks for ${resource} ${units(asked)}, namespace ${namespace} has used ${units(used)} of ${units(limit)} (ResourceQuota ${JSON.stringify(quota)})`;
}
