/** The pod annotations that override the configured policies (spec §1.11, §6.4). */
import type { TextMap } from '../model/cluster-objects.ts';
import type { DevicePolicy, NodePolicy } from '../model/request.ts';

export const nodePolicyAnnotation = 'hami.io/node-scheduler-policy';
export const devicePolicyAnnotation = 'hami.io/gpu-scheduler-policy';

/** `spread` is exact; anything else behaves as `binpack`, as in HAMi. */
export function parseNodePolicy(value: string): NodePolicy {
  return value === 'spread' ? 'spread' : 'binpack';
}

/** A policy or a comma list of them: the first of binpack and spread orders the cards, `mutex` wants idle ones. */
export function parseDevicePolicy(value: string): DevicePolicy {
  const words = value.split(',').map((word) => word.trim());
  const order = words.find((word) => word === 'binpack' || word === 'spread');
  return { order: order ?? 'spread', idleOnly: words.includes('mutex') };
}

export function policiesOf(annotations: TextMap): { nodePolicy?: NodePolicy; devicePolicy?: DevicePolicy } {
  const node = annotations[nodePolicyAnnotation];
  const device = annotations[devicePolicyAnnotation];
  return {
    ...(node === undefined ? {} : { nodePolicy: parseNodePolicy(node) }),
    ...(device === undefined ? {} : { devicePolicy: parseDevicePolicy(device) }),
  };
}
