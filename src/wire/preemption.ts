/**
 * The JSON of the extender's preempt verb: which pods kube-scheduler would evict on which nodes, and the answer with
 * what the extender makes of it. Keys are capitalised in the types of the extender only; the pods in them are written
 * as everywhere. Source: k8s.io/kube-scheduler `extender/v1/types.go`.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { withLowerCaseKeys } from './extender.ts';
import { podFrom, podSchema, type RawPod } from './kubernetes.ts';
import { schemaParser } from './validate.ts';

/** Pods of one node that are to leave. */
export interface NodeVictims {
  readonly podUids: readonly string[];
  /** How many of them break a PodDisruptionBudget, as kube-scheduler counts it. */
  readonly pdbViolations: number;
}

export interface PreemptionArgs {
  readonly pod: PodObject;
  /** The node on which pods were evicted for this one before. */
  readonly nominatedNode?: string;
  /** By node. A node where the in-tree filters ask for nobody's eviction comes with none (Kubernetes 1.38). */
  readonly victims: ReadonlyMap<string, NodeVictims>;
}

/** The verb has no field for an error. */
export interface ExtenderPreemptionResult {
  readonly NodeNameToMetaVictims: Readonly<Record<string, MetaVictims>>;
}

export interface MetaVictims {
  readonly Pods: readonly { readonly UID: string }[];
  readonly NumPDBViolations: number;
}

interface RawVictims<Pod> {
  readonly pods?: readonly Pod[] | null;
  readonly numpdbviolations?: number | null;
}

interface RawPreemptionArgs {
  readonly pod?: RawPod | null;
  readonly nodenametovictims?: Readonly<Record<string, RawVictims<WholePod> | null>> | null;
  readonly nodenametometavictims?: Readonly<Record<string, RawVictims<MetaPod> | null>> | null;
}

interface MetaPod {
  readonly uid: string;
}

interface WholePod {
  readonly metadata: { readonly uid: string };
}

const uid = { type: 'string', minLength: 1 };
const metaPod = { type: 'object', properties: { uid }, required: ['uid'] };
const wholePod = {
  type: 'object',
  properties: { metadata: { type: 'object', properties: { uid }, required: ['uid'] } },
  required: ['metadata'],
};
const victimsByNode = (pod: object) => ({
  type: 'object',
  nullable: true,
  additionalProperties: {
    type: 'object',
    nullable: true,
    properties: {
      pods: { type: 'array', nullable: true, items: pod },
      numpdbviolations: { type: 'integer', nullable: true },
    },
  },
});

const readPreemptionArgs = schemaParser<RawPreemptionArgs>({
  type: 'object',
  properties: {
    pod: { ...podSchema, nullable: true },
    nodenametovictims: victimsByNode(wholePod),
    nodenametometavictims: victimsByNode(metaPod),
  },
});

/** Reads ExtenderPreemptionArgs. A call without pod or without a list of victims is refused. Never throws. */
export function parsePreemptionArgs(body: unknown): Parsed<PreemptionArgs> {
  const args = readPreemptionArgs(withLowerCaseVictims(withLowerCaseKeys(body)));
  if (!args.ok) return args;
  const { pod, nodenametovictims, nodenametometavictims } = args.value;
  if ((pod ?? undefined) === undefined) return unparsable('preemption args missing pod');
  const read = { pod: podFrom(pod ?? {}), ...nominationOf(pod) };
  // kube-scheduler fills one of the two; the identifiers are what it sends where nodeCacheCapable is true.
  if ((nodenametometavictims ?? undefined) !== undefined) {
    return parsed({ ...read, victims: victimsFrom(nodenametometavictims ?? {}, (victim) => victim.uid) });
  }
  if ((nodenametovictims ?? undefined) !== undefined) {
    return parsed({ ...read, victims: victimsFrom(nodenametovictims ?? {}, ({ metadata }) => metadata.uid) });
  }
  return unparsable(
    'preemption args name no victims: NodeNameToMetaVictims and NodeNameToVictims are both null',
  );
}

/** The answer in kube-scheduler's form, which is the same whatever it sent. */
export function preemptionResult(victims: ReadonlyMap<string, NodeVictims>): ExtenderPreemptionResult {
  return {
    NodeNameToMetaVictims: Object.fromEntries(
      [...victims].map(([node, { podUids, pdbViolations }]) => [
        node,
        { Pods: podUids.map((UID) => ({ UID })), NumPDBViolations: pdbViolations },
      ]),
    ),
  };
}

function victimsFrom<Pod>(
  byNode: Readonly<Record<string, RawVictims<Pod> | null>>,
  uidOf: (pod: Pod) => string,
): ReadonlyMap<string, NodeVictims> {
  return new Map(
    Object.entries(byNode).map(([node, victims]) => [
      node,
      { podUids: (victims?.pods ?? []).map(uidOf), pdbViolations: victims?.numpdbviolations ?? 0 },
    ]),
  );
}

const readNomination = schemaParser<{ readonly status: { readonly nominatedNodeName: string } }>({
  type: 'object',
  properties: {
    status: {
      type: 'object',
      properties: { nominatedNodeName: { type: 'string', minLength: 1 } },
      required: ['nominatedNodeName'],
    },
  },
  required: ['status'],
});

/** No other verb asks for it, so it is read here alone; anything unusual is no nomination. */
function nominationOf(pod: unknown): { readonly nominatedNode?: string } {
  const nomination = readNomination(pod);
  return nomination.ok ? { nominatedNode: nomination.value.status.nominatedNodeName } : {};
}

/** Lower-cases the keys of the extender's own types below the top: node names stay, and so does what a pod holds. */
function withLowerCaseVictims(body: unknown): unknown {
  if (!isRecord(body)) return body;
  return {
    ...body,
    nodenametovictims: eachValue(body['nodenametovictims'], withLowerCaseKeys),
    nodenametometavictims: eachValue(body['nodenametometavictims'], (written) => {
      const victims = withLowerCaseKeys(written);
      if (!isRecord(victims) || !Array.isArray(victims['pods'])) return victims;
      return { ...victims, pods: victims['pods'].map(withLowerCaseKeys) };
    }),
  };
}

function eachValue(value: unknown, change: (value: unknown) => unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, change(entry)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
