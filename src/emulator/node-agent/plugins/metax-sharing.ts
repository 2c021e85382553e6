/**
 * Which pods can be on one of MetaX's shared cards together (vendors §8.1, §8.6): a card has one QoS policy at a time,
 * pods with an app class keep to themselves, and no offline pod joins an online one.
 */
import type { TextMap } from '../../../model/cluster-objects.ts';
import type { Clash } from '../sharing-faults.ts';

const classAnnotation = 'metax-tech.com/sgpu-app-class';
const policyAnnotation = 'metax-tech.com/sgpu-qos-policy';

/** The policy that a share puts on its card: none by one that has it alone; undefined where the card keeps its own. */
export function policyOn(pod: TextMap, compute: number): string | undefined {
  if (pod[classAnnotation] === 'online') return undefined;
  return compute === 100 ? '' : (pod[policyAnnotation] ?? '');
}

/** App class and policy, either of which may be missing. */
export function kindOf(pod: TextMap, compute: number): string {
  return `${pod[classAnnotation] ?? ''}/${policyOn(pod, compute) ?? ''}`;
}

export const sgpuClash: Clash = (kind, other) => {
  const [appClass = '', policy = ''] = kind.split('/');
  const [otherClass = '', otherPolicy = ''] = other.split('/');
  if ((appClass === '') !== (otherClass === '')) return 'a pod with an app class beside one without';
  if (appClass === 'offline' && otherClass === 'online') return 'an offline pod on the card of an online one';
  const differ = policy !== '' && otherPolicy !== '' && policy !== otherPolicy;
  return differ ? `QoS policy ${policy} beside ${otherPolicy}` : undefined;
};
