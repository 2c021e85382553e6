/**
 * A pod as the scheduler loop needs it: what the in-tree filters read, and the object as the API server sent it, which
 * is what an extender is shown. Fields that the loop's filters do not know are carried along and decide nothing.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import { effectiveAmount } from '../../model/container-role.ts';
import { ceilingOf, parseQuantity } from '../../model/quantity.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { parsePod } from '../../wire/kubernetes.ts';
import { at, isRecord, type JsonRecord, listAt, numberAt, recordAt, textAt } from '../api/json.ts';
import { type NodeSelectorTerm, readTerm, type WeightedTerm } from './node-affinity.ts';
import { readToleration, type Toleration } from './taints.ts';

export interface SchedulablePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly schedulerName: string;
  readonly priority: number;
  /** RFC 3339, as text in the order of time. */
  readonly createdAt: string;
  readonly deleting: boolean;
  readonly gated: boolean;
  readonly nodeName?: string;
  /** What the node must have, by resource: thousandths of CPUs, bytes of memory, else units. */
  readonly requests: ReadonlyMap<string, number>;
  readonly nodeSelector: TextMap;
  /** One of them must match; undefined where nothing is required. */
  readonly requiredTerms?: readonly NodeSelectorTerm[];
  readonly preferredTerms: readonly WeightedTerm[];
  readonly tolerations: readonly Toleration[];
  /** The stored PodScheduled condition, so that the same one is not written twice. */
  readonly scheduled?: { readonly status: string; readonly reason: string; readonly message: string };
  /** Without `kind` and `apiVersion`, which kube-scheduler's own copy lacks as well. */
  readonly object: JsonRecord;
}

/** Reads a pod of the API server; refuses one of whose used fields has the wrong type. Never throws. */
export function parseSchedulablePod(raw: unknown): Parsed<SchedulablePod> {
  const read = parsePod(raw);
  if (!read.ok) return read;
  const { uid, namespace, name, schedulerName, deleting, nodeName, containers, creationTimestamp } =
    read.value;
  const spec = recordAt(raw, 'spec');
  const affinity = at(spec, 'affinity', 'nodeAffinity');
  const required = at(affinity, 'requiredDuringSchedulingIgnoredDuringExecution');
  const condition = listAt(raw, 'status', 'conditions').find(
    (entry) => textAt(entry, 'type') === 'PodScheduled',
  );
  return parsed({
    uid,
    namespace,
    name,
    schedulerName,
    priority: numberAt(spec, 'priority') ?? 0,
    createdAt: creationTimestamp,
    deleting,
    gated: listAt(spec, 'schedulingGates').length > 0,
    ...(nodeName === undefined ? {} : { nodeName }),
    requests: requestsOf(containers),
    nodeSelector: textsAt(spec, 'nodeSelector'),
    ...(isRecord(required) ? { requiredTerms: listAt(required, 'nodeSelectorTerms').map(readTerm) } : {}),
    preferredTerms: listAt(affinity, 'preferredDuringSchedulingIgnoredDuringExecution').map((entry) => ({
      weight: numberAt(entry, 'weight') ?? 0,
      term: readTerm(at(entry, 'preference')),
    })),
    tolerations: listAt(spec, 'tolerations').map(readToleration),
    ...(condition === undefined
      ? {}
      : {
          scheduled: {
            status: textAt(condition, 'status'),
            reason: textAt(condition, 'reason'),
            message: textAt(condition, 'message'),
          },
        }),
    object: { metadata: recordAt(raw, 'metadata'), spec, status: recordAt(raw, 'status') },
  });
}

type Containers = Extract<ReturnType<typeof parsePod>, { ok: true }>['value']['containers'];

/** The effective requests; a request that is left out is the limit, as the API server defaults it. */
function requestsOf(containers: Containers): ReadonlyMap<string, number> {
  const roles = containers.map(({ role }) => role);
  const asked = containers.map(({ requests, limits }): TextMap => ({ ...limits, ...requests }));
  const names = new Set(asked.flatMap((quantities) => Object.keys(quantities)));
  return new Map(
    [...names].map((name) => [name, effectiveAmount(roles, (index) => amountOf(name, asked[index]?.[name]))]),
  );
}

/** A quantity in the units of `requests`; 0 where there is none. */
export function amountOf(resource: string, text: string | undefined): number {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  if (quantity === undefined) return 0;
  return ceilingOf(quantity, resource === 'cpu' ? 1000n : 1n);
}

function textsAt(value: unknown, field: string): TextMap {
  return Object.fromEntries(
    Object.entries(recordAt(value, field)).map(([name, member]) => [name, String(member)]),
  );
}
