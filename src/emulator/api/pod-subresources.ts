/**
 * `pods/binding` and `pods/eviction`. A Binding sets `nodeName` and merges its annotations into the pod in one write,
 * and its labels where the server is new enough (k8s.io/kubernetes v1.36.3 `pkg/registry/core/pod/storage/storage.go`,
 * gate PodTopologyLabelsAdmission, on since v1.35). An eviction is a deletion: there are no disruption budgets here.
 */
import type { ApiContext } from './api-context.ts';
import { type ApiObject, timestamp, withMeta } from './api-object.ts';
import { deleteObject, readDeleteOptions } from './deletion.ts';
import { type JsonRecord, at, listAt, recordAt, textAt } from './json.ts';
import { parseMetadata } from './metadata.ts';
import { nodes, pods } from './resources.ts';
import { ApiError, badRequest, conflict, type Status, success } from './status.ts';
import { type NamedTarget, requireObject, uidProblem, type WriteOptions } from './writes.ts';

export interface PodTarget {
  readonly namespace: string;
  readonly name: string;
}

/** The labels of a node that a pod gets with its Binding. */
const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/**
 * Binds a pod. Throws ApiError: 400, 404, and 409 when the pod is bound or being deleted, has scheduling gates, or is
 * not of the Binding's `uid` or `resourceVersion`.
 */
export function bindPod(
  context: ApiContext,
  { namespace, name }: PodTarget,
  binding: unknown,
  { dryRun }: WriteOptions,
): Status {
  const metadata = parseMetadata(at(binding, 'metadata'));
  if (!metadata.ok) throw badRequest(metadata.problem);
  if (metadata.value.name !== name) throw badRequest('name in URL does not match name in Binding object');
  const kind = textAt(binding, 'target', 'kind');
  const nodeName = textAt(binding, 'target', 'name');
  if (kind !== '' && kind !== 'Node') {
    const message = `target.kind: Unsupported value: "${kind}": supported values: "Node", "<empty>"`;
    throw new ApiError(500, '', message);
  }
  if (nodeName === '') throw new ApiError(500, '', 'target.name: Required value');

  const pod = requireObject(context, { resource: pods, namespace, name });
  const { uid = pod.metadata.uid, resourceVersion = pod.metadata.resourceVersion } = metadata.value;
  if (uid !== pod.metadata.uid) throw conflict(pods, name, uidProblem(uid, pod.metadata.uid));
  if (resourceVersion !== pod.metadata.resourceVersion) {
    const current = pod.metadata.resourceVersion ?? '';
    const why =
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion ?? ''}, ` +
      `ResourceVersion in object meta: ${current}`;
    throw conflict(pods, name, why);
  }
  const problem = findBindProblem(pod);
  if (problem !== undefined) throw conflict({ group: '', plural: 'pods/binding' }, name, problem);

  const labels = context.copiesBindingLabels
    ? { ...metadata.value.labels, ...topologyOf(context, nodeName) }
    : {};
  const bound: ApiObject = {
    ...withMeta(pod, {
      ...mergedInto(pod, 'annotations', metadata.value.annotations ?? {}),
      ...mergedInto(pod, 'labels', labels),
    }),
    spec: { ...recordAt(pod, 'spec'), nodeName },
    status: withCondition(recordAt(pod, 'status'), {
      type: 'PodScheduled',
      status: 'True',
      lastTransitionTime: timestamp(context.clock.nowMs()),
    }),
  };
  if (!dryRun) context.store.put(pods.collection, bound);
  return success({ code: 201 });
}

function findBindProblem(pod: ApiObject): string | undefined {
  const { name, deletionTimestamp } = pod.metadata;
  const nodeName = textAt(pod, 'spec', 'nodeName');
  if (deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  if (nodeName !== '') return `pod ${name} is already assigned to node "${nodeName}"`;
  const gated = listAt(pod, 'spec', 'schedulingGates').length > 0;
  return gated ? `pod ${name} has non-empty .spec.schedulingGates` : undefined;
}

function topologyOf({ store }: ApiContext, nodeName: string): JsonRecord {
  const labels = store.collection(nodes.collection).find(nodeName)?.metadata.labels ?? {};
  return Object.fromEntries(Object.entries(labels).filter(([key]) => topologyLabels.includes(key)));
}

function mergedInto(pod: ApiObject, field: 'labels' | 'annotations', added: JsonRecord): JsonRecord {
  if (Object.keys(added).length === 0) return {};
  return { [field]: { ...pod.metadata[field], ...added } };
}

function withCondition(status: JsonRecord, condition: JsonRecord): JsonRecord {
  const others = listAt(status, 'conditions').filter((entry) => at(entry, 'type') !== condition['type']);
  return { ...status, conditions: [...others, condition] };
}

/** Marks a pod as disrupted and deletes it. Throws ApiError: 400, 404, 409 for preconditions that fail. */
export function evictPod(
  context: ApiContext,
  { namespace, name }: PodTarget,
  eviction: unknown,
  { dryRun }: WriteOptions,
): Status {
  if (textAt(eviction, 'metadata', 'name') !== name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const target: NamedTarget = { resource: pods, namespace, name };
  const options = readDeleteOptions(at(eviction, 'deleteOptions'), dryRun);
  // Once without effect, so that a failed precondition marks nothing.
  const pod = deleteObject(context, target, { ...options, dryRun: true });
  if (options.dryRun) return success({ code: 201 });
  const disrupted = {
    type: 'DisruptionTarget',
    status: 'True',
    lastTransitionTime: timestamp(context.clock.nowMs()),
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  context.store.put(pods.collection, {
    ...pod,
    status: withCondition(recordAt(pod, 'status'), disrupted),
  });
  const { gracePeriodSeconds } = options;
  deleteObject(context, target, {
    dryRun: false,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  });
  return success({ code: 201 });
}
