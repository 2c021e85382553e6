/**
 * Which nodes are closed to a pod because of a stray there. Filter and explain ask the same question; the node lock is
 * what keeps a bind from it that was decided before the stray came.
 */
import { podName } from '../model/cluster-objects.ts';
import type { Refusal } from '../model/reason.ts';
import type { PodRequest } from '../model/request.ts';
import type { DeviceState } from '../state/device-state.ts';

/** Answers, node by node, why the pod may not go there now, or undefined where it may. Holds for one synchronous step. */
export function closedNodes(
  request: PodRequest,
  state: DeviceState,
): (node: string) => Extract<Refusal, { code: 'NodeClosed' }> | undefined {
  if (state.closedNodes === 0 || !needsLock(request, state)) return () => undefined;
  return (node) => {
    const stray = state.strayOn(node);
    return stray === undefined ? undefined : { code: 'NodeClosed', pod: podName(stray) };
  };
}

/** Devices of other families are not handed out by the lock, so no stray can be given them. */
function needsLock({ containers }: PodRequest, { vendors }: DeviceState): boolean {
  const locking = new Set(vendors.flatMap(({ key, nodeLock }) => (nodeLock === undefined ? [] : [key])));
  return containers.some(({ devices }) => devices.some(({ vendor }) => locking.has(vendor)));
}
