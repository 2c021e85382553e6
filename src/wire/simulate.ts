/**
 * The body of `POST /simulate`: a list of pods once, or copies of one pod, and what new nodes would look like. Every
 * number has a bound, because whoever can reach the port can ask; what is beyond one is refused with its place.
 */
import { type NodeObject, type PodObject, withIdentity } from '../model/cluster-objects.ts';
import { ceilingOf, parseQuantity } from '../model/quantity.ts';
import type { NodePolicy } from '../model/request.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { nodeFrom, nodeSchema, podFrom, podSchema, type RawNode, type RawPod } from './kubernetes.ts';
import { schemaParser } from './validate.ts';

/** Pods, or copies of one, in a question. */
export const mostSimulatedPods = 1000;

export interface SimulateRequest {
  readonly workload:
    | { readonly kind: 'pods'; readonly pods: readonly PodObject[] }
    /** `copies` absent: as many as fit. */
    | { readonly kind: 'copies'; readonly pod: PodObject; readonly copies?: number };
  /** For pods that name none; absent: that of the server. */
  readonly policy?: NodePolicy;
  readonly nodeShape?: WrittenShape;
  readonly onlyNewNodes: boolean;
}

/** What a new node would be like. */
export type WrittenShape =
  /** As another node of the cluster. */
  | { readonly kind: 'like'; readonly node: string }
  /** As this object says. */
  | { readonly kind: 'object'; readonly node: NodeObject }
  | {
      readonly kind: 'described';
      readonly vendor?: string;
      readonly cards: number;
      readonly type: string;
      readonly memoryMiB: number;
      readonly corePercent: number;
      readonly slots: number;
      readonly cpuMilli?: number;
      readonly hostMemoryMiB?: number;
    };

interface RawDescription {
  readonly vendor?: string;
  readonly cards: number;
  readonly type?: string;
  readonly memoryMiB: number;
  readonly cores?: number;
  readonly slots?: number;
  readonly cpu?: string | number;
  readonly memory?: string | number;
}

interface RawSimulateRequest {
  readonly pods?: readonly RawPod[];
  readonly podTemplate?: RawPod;
  readonly copies?: number;
  readonly policy?: NodePolicy;
  readonly nodeShape?: Readonly<Record<string, unknown>>;
  readonly onlyNewNodes?: boolean;
}

const readBody = schemaParser<RawSimulateRequest>({
  type: 'object',
  additionalProperties: false,
  properties: {
    pods: { type: 'array', minItems: 1, maxItems: mostSimulatedPods, items: podSchema },
    podTemplate: podSchema,
    copies: { type: 'integer', minimum: 1, maximum: mostSimulatedPods },
    policy: { enum: ['binpack', 'spread', 'fragmentation'] },
    nodeShape: { type: 'object' },
    onlyNewNodes: { type: 'boolean' },
  },
});

const readLike = schemaParser<{ readonly like: string }>({
  type: 'object',
  additionalProperties: false,
  properties: { like: { type: 'string', minLength: 1 } },
  required: ['like'],
});

const largestInt32 = 2 ** 31 - 1;
const quantity = { type: ['string', 'number'] };

const readDescription = schemaParser<RawDescription>({
  type: 'object',
  additionalProperties: false,
  properties: {
    vendor: { type: 'string', minLength: 1 },
    cards: { type: 'integer', minimum: 0, maximum: 256 },
    type: { type: 'string' },
    memoryMiB: { type: 'integer', minimum: 1, maximum: largestInt32 },
    cores: { type: 'integer', minimum: 0, maximum: 100 },
    slots: { type: 'integer', minimum: 1, maximum: 1024 },
    cpu: quantity,
    memory: quantity,
  },
  required: ['cards', 'memoryMiB'],
});

const readNode = schemaParser<RawNode>(nodeSchema);

/** HAMi's default `deviceSplitCount`. */
const usualSlots = 10;

/** Reads a question. Never throws. */
export function parseSimulateRequest(body: unknown): Parsed<SimulateRequest> {
  const raw = readBody(body);
  if (!raw.ok) return raw;
  const { policy, nodeShape: written, onlyNewNodes = false } = raw.value;
  const workload = workloadOf(raw.value);
  if (!workload.ok) return workload;
  const nodeShape = written === undefined ? parsed(undefined) : shapeOf(written);
  if (!nodeShape.ok) return unparsable(`nodeShape: ${nodeShape.problem}`);
  if (onlyNewNodes && nodeShape.value === undefined) {
    return unparsable('onlyNewNodes: there are no new nodes without a nodeShape');
  }
  return parsed({
    workload: workload.value,
    ...(policy === undefined ? {} : { policy }),
    ...(nodeShape.value === undefined ? {} : { nodeShape: nodeShape.value }),
    onlyNewNodes,
  });
}

function workloadOf({ pods, podTemplate, copies }: RawSimulateRequest): Parsed<SimulateRequest['workload']> {
  if ((pods === undefined) === (podTemplate === undefined)) {
    return unparsable('document: give either pods or a podTemplate');
  }
  if (pods !== undefined) {
    if (copies !== undefined) return unparsable('copies: belongs to a podTemplate');
    return parsed({ kind: 'pods', pods: pods.map((pod, index) => named(podFrom(pod), `pod-${index + 1}`)) });
  }
  const pod = named(podFrom(podTemplate ?? {}), 'pod');
  return parsed({ kind: 'copies', pod, ...(copies === undefined ? {} : { copies }) });
}

function named(pod: PodObject, name: string): PodObject {
  return withIdentity(pod.name === '' ? { ...pod, name } : pod);
}

function shapeOf(written: Readonly<Record<string, unknown>>): Parsed<WrittenShape> {
  if ('like' in written) {
    const like = readLike(written);
    return like.ok ? parsed({ kind: 'like', node: like.value.like }) : like;
  }
  if (!('cards' in written)) {
    if (!('metadata' in written) || !('status' in written)) {
      return unparsable('is none of {like}, {cards, memoryMiB, …} and a Node with metadata and status');
    }
    const node = readNode(written);
    if (!node.ok) return node;
    const { name, ...rest } = nodeFrom(node.value);
    return parsed({ kind: 'object', node: { name: name === '' ? 'new' : name, ...rest } });
  }
  const described = readDescription(written);
  if (!described.ok) return described;
  const {
    vendor,
    cards,
    type = '',
    memoryMiB,
    cores = 100,
    slots = usualSlots,
    cpu,
    memory,
  } = described.value;
  const cpuMilli = amountOf('cpu', cpu, 1000n);
  if (!cpuMilli.ok) return cpuMilli;
  const bytes = amountOf('memory', memory, 1n);
  if (!bytes.ok) return bytes;
  return parsed({
    kind: 'described',
    cards,
    type,
    memoryMiB,
    corePercent: cores,
    slots,
    ...(vendor === undefined ? {} : { vendor }),
    ...(cpuMilli.value === undefined ? {} : { cpuMilli: cpuMilli.value }),
    ...(bytes.value === undefined ? {} : { hostMemoryMiB: Math.floor(bytes.value / 1024 ** 2) }),
  });
}

/** A quantity in units of `1/perUnit`; undefined where there is none. */
function amountOf(
  field: string,
  written: string | number | undefined,
  perUnit: bigint,
): Parsed<number | undefined> {
  if (written === undefined) return parsed(undefined);
  const read = parseQuantity(String(written));
  const amount = read === undefined ? -1 : ceilingOf(read, perUnit);
  if (amount < 0 || !Number.isSafeInteger(amount)) {
    return unparsable(`${field}: ${JSON.stringify(written)} is no amount`);
  }
  return parsed(amount);
}
