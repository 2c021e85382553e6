/**
 * The JSON that kube-scheduler exchanges with an extender. The Go types carry no JSON tags, so keys are capitalised;
 * Go peers read keys in any case, and so do we. Source: k8s.io/kube-scheduler `extender/v1/types.go`.
 */
import type { NodeObject, PodObject } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { nodeFrom, nodeSchema, podFrom, podSchema, type RawNode, type RawPod } from './kubernetes.ts';
import { schemaParser } from './validate.ts';

/** The nodes of a filter or prioritize call, in the form in which the caller wants them back. */
export type CandidateNodes =
  | { readonly form: 'names'; readonly names: readonly string[] }
  | {
      readonly form: 'objects';
      readonly nodes: readonly NodeObject[];
      /** The objects as received, to be sent back unchanged. */
      readonly raw: readonly unknown[];
    };

export interface ExtenderArgs {
  readonly pod: PodObject;
  readonly candidates: CandidateNodes;
}

export interface BindingArgs {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
}

export interface ExtenderFilterResult {
  readonly Nodes: { readonly items: readonly unknown[] } | null;
  readonly NodeNames: readonly string[] | null;
  readonly FailedNodes: Readonly<Record<string, string>> | null;
  readonly FailedAndUnresolvableNodes: Readonly<Record<string, string>> | null;
  readonly Error: string;
}

export type HostPriorityList = readonly { readonly Host: string; readonly Score: number }[];

export interface ExtenderBindingResult {
  readonly Error: string;
}

/** The largest score an extender may give (`MaxExtenderPriority`). */
export const maxExtenderPriority = 10;

interface RawExtenderArgs {
  readonly pod?: RawPod | null;
  readonly nodenames?: readonly string[] | null;
  readonly nodes?: { readonly items?: readonly RawNode[] | null } | null;
}

const readExtenderArgs = schemaParser<RawExtenderArgs>({
  type: 'object',
  properties: {
    pod: { ...podSchema, nullable: true },
    nodenames: { type: 'array', nullable: true, items: { type: 'string' } },
    nodes: {
      type: 'object',
      nullable: true,
      properties: { items: { type: 'array', nullable: true, items: nodeSchema } },
    },
  },
});

/** Reads ExtenderArgs. A call without pod or without nodes is refused, not guessed at. Never throws. */
export function parseExtenderArgs(body: unknown): Parsed<ExtenderArgs> {
  const args = readExtenderArgs(withLowerCaseKeys(body));
  if (!args.ok) return args;
  const { pod, nodenames, nodes } = args.value;
  if ((pod ?? undefined) === undefined) return unparsable('extender args missing pod');
  const trimmed = podFrom(pod ?? {});
  // An explicit node list wins, as in kube-scheduler, which fills exactly one of the two.
  if ((nodes ?? undefined) !== undefined) {
    const raw = nodes?.items ?? [];
    return parsed({ pod: trimmed, candidates: { form: 'objects', nodes: raw.map(nodeFrom), raw } });
  }
  if ((nodenames ?? undefined) !== undefined) {
    return parsed({ pod: trimmed, candidates: { form: 'names', names: nodenames ?? [] } });
  }
  return unparsable('extender args name no nodes: NodeNames and Nodes are both null');
}

interface RawBindingArgs {
  readonly podname: string;
  readonly podnamespace: string;
  readonly poduid: string;
  readonly node: string;
}

const readBindingArgs = schemaParser<RawBindingArgs>({
  type: 'object',
  properties: {
    podname: { type: 'string', minLength: 1 },
    podnamespace: { type: 'string', minLength: 1 },
    poduid: { type: 'string', minLength: 1 },
    node: { type: 'string', minLength: 1 },
  },
  required: ['podname', 'podnamespace', 'poduid', 'node'],
});

/** Reads ExtenderBindingArgs; all four fields are needed. Never throws. */
export function parseBindingArgs(body: unknown): Parsed<BindingArgs> {
  const args = readBindingArgs(withLowerCaseKeys(body));
  if (!args.ok) return args;
  const { podname, podnamespace, poduid, node } = args.value;
  return parsed({ namespace: podnamespace, name: podname, uid: poduid, node });
}

/** Lower-cases the top-level keys only: what is below them mostly has JSON tags and one spelling. */
export function withLowerCaseKeys(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]));
}
