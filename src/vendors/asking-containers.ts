/**
 * The containers of a pod that ask for a family, for families that mind how many there are. Some plugins serve one
 * container of a pod: having served a first one they give up the node's lock and know the pod no more, so a second one
 * would be given what is meant for somebody else, or nothing.
 */
import type { VendorKey } from '../model/device.ts';
import type { ContainerRequest } from '../model/request.ts';
import type { RequestProblem } from './vendor.ts';

export interface AskingContainer extends Pick<ContainerRequest, 'name' | 'role'> {
  /** Of the family's devices. */
  readonly count: number;
}

/** The containers of a pod that ask for the family, in order. */
export function askingContainers(
  containers: readonly ContainerRequest[],
  vendor: VendorKey,
): readonly AskingContainer[] {
  return containers.flatMap(({ name, role, devices }) => {
    const count = devices.find((device) => device.vendor === vendor)?.count;
    return count === undefined ? [] : [{ name, role, count }];
  });
}

/** A problem for every container beyond the first that asks for the family, whatever their roles. */
export function oneContainerProblems(
  containers: readonly ContainerRequest[],
  vendor: VendorKey,
  countResource: string,
): readonly RequestProblem[] {
  const [first, ...further] = askingContainers(containers, vendor);
  return further.map(({ name, count }) => ({
    container: name,
    field: countResource,
    value: String(count),
    fix: `is asked for beside container ${JSON.stringify(first?.name ?? '')}, but the device plugin serves one container of a pod; give all cards to one container or make several pods`,
  }));
}
