/** The host resources that a pod takes of its node, read from what its containers request. */
import type { ContainerObject } from '../model/cluster-objects.ts';
import { effectiveAmount } from '../model/container-role.ts';
import { mebibytesOf, milliOf } from '../model/quantity.ts';
import type { HostAmounts } from './node-sums.ts';

/** By the effective-request rule; a limit stands in for an absent request. */
export function hostAmountsOf(containers: readonly ContainerObject[]): HostAmounts {
  const roles = containers.map(({ role }) => role);
  const written = (index: number, resource: string) => {
    const container = containers[index];
    return container?.requests[resource] ?? container?.limits[resource];
  };
  return {
    cpuMilli: effectiveAmount(roles, (index) => milliOf(written(index, 'cpu'))),
    memoryMiB: effectiveAmount(roles, (index) => mebibytesOf(written(index, 'memory'))),
    pods: 1,
  };
}

export function isSameHost(a: HostAmounts, b: HostAmounts): boolean {
  return a.cpuMilli === b.cpuMilli && a.memoryMiB === b.memoryMiB && a.pods === b.pods;
}
