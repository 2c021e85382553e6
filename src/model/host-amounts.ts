/** The host resources of a node beside its devices, and what a pod takes of them by what its containers request. */
import type { ContainerObject } from './cluster-objects.ts';
import { effectiveAmount } from './container-role.ts';
import { mebibytesOf, milliOf } from './quantity.ts';

/** Host resources in use, on offer or free: CPU in thousandths of a core, memory in MiB. */
export interface HostAmounts {
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly pods: number;
}

export const noHostAmounts: HostAmounts = { cpuMilli: 0, memoryMiB: 0, pods: 0 };

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

/** `a` without `b`; less than nothing where more is in use than there is. */
export function hostLess(a: HostAmounts, b: HostAmounts): HostAmounts {
  return {
    cpuMilli: a.cpuMilli - b.cpuMilli,
    memoryMiB: a.memoryMiB - b.memoryMiB,
    pods: a.pods - b.pods,
  };
}
