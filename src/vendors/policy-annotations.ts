/**
 * The pod annotations that override the configured policies (spec §1.11, §6.4). Words that nobody knows fall back as
 * in HAMi; weights that cannot be read refuse the pod, because a wrong guess would place it wrongly for good.
 */
import type { TextMap } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { CardOrderKey, DevicePolicy, NodePolicy, ScoringWeights } from '../model/request.ts';

export const nodePolicyAnnotation = 'hami.io/node-scheduler-policy';
export const devicePolicyAnnotation = 'hami.io/gpu-scheduler-policy';
export const weightsAnnotation = 'hami.io/device-scoring-weights';

/** `spread` and our own `fragmentation` are exact; anything else behaves as `binpack`, as in HAMi. */
export function parseNodePolicy(value: string): NodePolicy {
  return value === 'spread' || value === 'fragmentation' ? value : 'binpack';
}

/** Words of a chain that order cards; `mutex` and `topology-aware` choose among them and order nothing. */
const chainKeys: Readonly<Record<string, CardOrderKey>> = {
  binpack: 'fullest',
  spread: 'emptiest',
  numa: 'highest-numa',
};

/** One policy, or a comma list whose words are keys in order of weight. Anything unknown behaves as `spread`. */
export function parseDevicePolicy(value: string): DevicePolicy {
  const words = value.split(',').map((word) => word.trim());
  return {
    ...orderOf(words),
    idleOnly: words.includes('mutex'),
    topologyAware: words.includes('topology-aware'),
  };
}

type Orders = Pick<DevicePolicy, 'order' | 'numaBoundOrder'>;

function orderOf(words: readonly string[]): Orders {
  const [word = ''] = words;
  if (words.length > 1 || word === 'numa') return chainOf(words);
  switch (word) {
    case 'binpack':
      return { order: ['fullest', 'highest-numa'], numaBoundOrder: ['lowest-numa', 'fullest'] };
    case 'mutex':
      return {
        order: ['fewest-sharers', 'highest-numa'],
        numaBoundOrder: ['highest-numa', 'fewest-sharers'],
      };
    default:
      return { order: ['emptiest', 'highest-numa'], numaBoundOrder: ['highest-numa', 'emptiest'] };
  }
}

function chainOf(words: readonly string[]): Orders {
  const keys = [...new Set(words.flatMap((word) => chainKeys[word] ?? []))];
  const order: readonly CardOrderKey[] = keys.length === 0 ? ['emptiest'] : keys;
  return { order, numaBoundOrder: ['highest-numa', ...order.filter((key) => key !== 'highest-numa')] };
}

const weightNames = { slot: 'slots', core: 'cores', memory: 'memory' } as const;

/** `slot=A,core=B,memory=C`, each exactly once, in any order: whole numbers, not negative and not all 0. */
export function parseWeights(value: string): Parsed<ScoringWeights> {
  const weights = new Map<string, number>();
  for (const piece of value.split(',')) {
    const [name = '', number, ...rest] = piece.split('=').map((part) => part.trim());
    if (number === undefined || rest.length > 0)
      return unparsable(`${JSON.stringify(piece)} is not name=number`);
    if (!(name in weightNames)) return unparsable(`${JSON.stringify(name)} is none of slot, core and memory`);
    if (weights.has(name)) return unparsable(`${name} is given twice`);
    if (!/^\+?\d+$/.test(number) || BigInt(number) > largestInt64) {
      return unparsable(`${name} must be a whole number that is not negative`);
    }
    weights.set(name, Number(number));
  }
  for (const name of Object.keys(weightNames))
    if (!weights.has(name)) return unparsable(`${name} is missing`);
  if ([...weights.values()].every((weight) => weight === 0))
    return unparsable('one weight must be more than 0');
  const of = (name: keyof typeof weightNames) => weights.get(name) ?? 0;
  return parsed({ slots: of('slot'), cores: of('core'), memory: of('memory') });
}

const largestInt64 = 2n ** 63n - 1n;

export function policiesOf(annotations: TextMap): { nodePolicy?: NodePolicy; devicePolicy?: DevicePolicy } {
  const node = annotations[nodePolicyAnnotation];
  const device = annotations[devicePolicyAnnotation];
  return {
    ...(node === undefined ? {} : { nodePolicy: parseNodePolicy(node) }),
    ...(device === undefined ? {} : { devicePolicy: parseDevicePolicy(device) }),
  };
}
