/**
 * Families whose plugin serves one container of a pod: having served a first one it gives up the node's lock and knows
 * the pod no more, so a second one would be given what is meant for somebody else, or nothing.
 */
import type { VendorKey } from '../model/device.ts';
import type { ContainerRequest } from '../model/request.ts';
import type { RequestProblem } from './vendor.ts';

/** A problem for every container beyond the first that asks for the family, whatever their roles. */
export function oneContainerProblems(
  containers: readonly ContainerRequest[],
  vendor: VendorKey,
  countResource: string,
): readonly RequestProblem[] {
  const [first, ...further] = containers.flatMap(({ name, devices }) => {
    const wanted = devices.find((device) => device.vendor === vendor);
    return wanted === undefined ? [] : [{ name, value: String(wanted.count) }];
  });
  return further.map(({ name, value }) => ({
    container: name,
    field: countResource,
    value,
    fix: `is asked for beside container ${JSON.stringify(first?.name ?? '')}, but the device plugin serves one container of a pod; give all cards to one container or make several pods`,
  }));
}
