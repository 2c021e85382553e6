/** The entry that a plugin which drops empty entries hands out next, checked against what kubelet asks for. */
import { type PodObject, podName } from '../../../model/cluster-objects.ts';
import { AllocateError } from './allocate-error.ts';
import type { Given } from './node-plugin.ts';
import { containerServedNext, type TakenDevices, takeDevices } from './written-devices.ts';

export interface NextEntry extends TakenDevices {
  readonly meant: Pick<Given, 'pod' | 'container'>;
  readonly oddities: readonly string[];
}

/**
 * Throws `AllocateError` where there is no such entry or it has another number of devices.
 *
 * @param keys of the pod's annotations
 */
export function nextEntry(
  pod: PodObject,
  count: number,
  keys: { readonly toAllocate: string; readonly allocated: string },
): NextEntry {
  const { [keys.toAllocate]: value, [keys.allocated]: allocated = '' } = pod.annotations;
  if (value === undefined) throw new AllocateError(`pod ${podName(pod)} has no ${keys.toAllocate}`);
  const taken = takeDevices(value);
  if (!taken.ok) throw new AllocateError(`pod ${podName(pod)}: ${taken.problem}`);
  const { devices } = taken.value;
  if (devices.length !== count) {
    throw new AllocateError(`device number not matched: ${devices.length} written, ${count} asked`);
  }
  const container = containerServedNext(pod, allocated, value);
  return {
    ...taken.value,
    meant: container.ok ? { pod, container: container.value } : { pod },
    // No plugin reads it, but then nobody can tell whose devices these are.
    oddities: container.ok ? [] : [`pod ${podName(pod)}: ${keys.allocated}: ${container.problem}`],
  };
}
