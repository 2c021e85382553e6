/**
 * Admission of one pod: add what device plugin and scheduler need, refuse what cannot be understood, and say what looks
 * wrong (spec §4). Pure: the pod and the state go in, operations, warnings or a denial come out. Applied to its own
 * result it changes nothing, because the API server may call twice.
 */
import { asksForDevices, type PodRequest } from '../model/request.ts';
import type { PodObject, TextMap } from '../model/cluster-objects.ts';
import type { PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';
import { reservedAnnotations, reservedLabels } from '../vendors/pod-annotations.ts';
import { readPodRequest } from '../vendors/pod-request.ts';
import { problemSentence, type Vendor } from '../vendors/vendor.ts';
import {
  type AdmissionRequest,
  type JsonPatchOperation,
  parseAdmissionPod,
  type RawAdmissionContainer,
  type RawAdmissionPod,
} from '../wire/admission-review.ts';
import { podFrom } from '../wire/kubernetes.ts';
import { completedPod, type MutatedContainer } from './completed-pod.ts';
import { patchContainer } from './container-patch.ts';
import { remove, set } from './json-patch.ts';
import { quotaDenial } from './quota-check.ts';
import { neverServed, neverServedWarning } from './servability.ts';

export interface AdmissionDeps {
  readonly state: DeviceState;
  readonly policies: PolicyDefaults;
  /** Schedulers that are ours; the first is given to pods that name none. */
  readonly schedulerNames: readonly string[];
  /** Whether pods of the default scheduler become ours. */
  readonly forceOverwriteDefaultScheduler: boolean;
}

export type AdmissionAnswer =
  | {
      readonly allowed: true;
      readonly patch: readonly JsonPatchOperation[];
      readonly warnings: readonly string[];
      readonly message?: string;
    }
  /** `code` 403: refused on purpose; 400: not a pod at all. */
  | { readonly allowed: false; readonly code: 400 | 403; readonly message: string };

const defaultScheduler = 'default-scheduler';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const kubeletGroup = 'system:nodes';

export function admit(review: AdmissionRequest, deps: AdmissionDeps): AdmissionAnswer {
  if (review.operation !== 'CREATE' || review.resource !== 'pods' || review.subResource !== '')
    return untouched;
  const raw = parseAdmissionPod(review.object);
  if (!raw.ok) return { allowed: false, code: 400, message: `not a pod: ${raw.problem}` };
  const pod = inNamespace(podFrom(raw.value), review.namespace);
  if (isMirror(pod, review)) return untouched;
  if (!pod.containers.some(({ role }) => role === 'app')) return denied('pod has no containers');

  const stripped = stripReserved(pod, deps.state.vendors);
  if (!isOurs(pod, deps)) {
    return { allowed: true, ...stripped, message: 'pod already has different scheduler assigned' };
  }
  return mutate(raw.value, pod, stripped, deps);
}

const untouched: AdmissionAnswer = { allowed: true, patch: [], warnings: [] };

/** A new pod may leave its namespace to the URL it is posted to; the review then knows it. */
function inNamespace(pod: PodObject, namespace: string): PodObject {
  return pod.namespace === '' ? { ...pod, namespace } : pod;
}

/** The API's picture of a static pod, which kubelet runs already; believed only when kubelet itself sends it. */
function isMirror(pod: PodObject, { userGroups }: AdmissionRequest): boolean {
  return pod.annotations[mirrorAnnotation] !== undefined && userGroups.includes(kubeletGroup);
}

function denied(message: string): AdmissionAnswer {
  return { allowed: false, code: 403, message };
}

interface Changes {
  readonly patch: readonly JsonPatchOperation[];
  readonly warnings: readonly string[];
}

/** Allocations are written by the scheduler alone; a tenant's own would occupy or hide capacity (Q25). */
function stripReserved(pod: PodObject, vendors: readonly Vendor[]): Changes {
  const annotations = reservedAnnotations(vendors).filter((key) => pod.annotations[key] !== undefined);
  const labels = reservedLabels.filter((key) => pod.labels[key] !== undefined);
  return {
    patch: [
      ...annotations.map((key) => remove('metadata', 'annotations', key)),
      ...labels.map((key) => remove('metadata', 'labels', key)),
    ],
    warnings: [
      ...annotations.map((key) => `annotation ${key} is reserved for the scheduler and was removed`),
      ...labels.map((key) => `label ${key} is reserved for the scheduler and was removed`),
    ],
  };
}

function isOurs(pod: PodObject, deps: AdmissionDeps): boolean {
  if (pod.schedulerName === '' || deps.schedulerNames.includes(pod.schedulerName)) return true;
  return pod.schedulerName === defaultScheduler && deps.forceOverwriteDefaultScheduler;
}

function mutate(
  raw: RawAdmissionPod,
  pod: PodObject,
  stripped: Changes,
  deps: AdmissionDeps,
): AdmissionAnswer {
  const { vendors } = deps.state;
  const { pod: complete, mutations, annotations } = completedPod(pod, vendors);
  const usesDevices = mutations.some(({ families }) => families.size > 0);
  const reading = readPodRequest(complete, vendors);
  if (reading.problems.length > 0) return denied(reading.problems.map(problemSentence).join('; '));

  const refusal =
    (usesDevices ? (refuseShape(raw, pod) ?? refuseRuntimes(mutations, raw)) : undefined) ??
    refuseQuota(reading.request, deps.state);
  if (refusal !== undefined) return denied(refusal);

  const patch = [...stripped.patch, ...patchAnnotations(raw, annotations)];
  for (const { container, list, index, position } of rawContainers(raw)) {
    const edits = mutations[position]?.edits;
    if (edits !== undefined) patch.push(...patchContainer(container, edits, list, index));
  }
  if (usesDevices) {
    const [runtimeClass] = mutations.flatMap(({ runtimeClassNames }) => runtimeClassNames);
    if (runtimeClass !== undefined && (raw.spec?.runtimeClassName ?? undefined) === undefined) {
      patch.push(set(runtimeClass, 'spec', 'runtimeClassName'));
    }
    if (!deps.schedulerNames.includes(pod.schedulerName)) {
      patch.push(set(deps.schedulerNames[0], 'spec', 'schedulerName'));
    }
  }
  const warnings = [...stripped.warnings, ...reading.warnings];
  if (asksForDevices(reading.request) && deps.state.synced) {
    const never = neverServed(reading.request, deps.state, deps.policies);
    if (never !== undefined) warnings.push(neverServedWarning(never));
  }
  return { allowed: true, patch, warnings };
}

function patchAnnotations(raw: RawAdmissionPod, wanted: TextMap): readonly JsonPatchOperation[] {
  if (Object.keys(wanted).length === 0) return [];
  if ((raw.metadata?.annotations ?? undefined) === undefined) return [set(wanted, 'metadata', 'annotations')];
  return Object.entries(wanted).map(([key, value]) => set(value, 'metadata', 'annotations', key));
}

/** A pod with devices that no device plugin or scheduler can handle safely. */
function refuseShape(raw: RawAdmissionPod, pod: PodObject): string | undefined {
  for (const { container } of rawContainers(raw)) {
    // Privileged containers see every card of the node, whatever they were given.
    if (container.securityContext?.privileged === true)
      return `container ${container.name ?? ''} is privileged`;
  }
  return pod.nodeName === undefined
    ? undefined
    : 'pod has node assigned: a pod that asks for shared devices must be placed by the scheduler; remove spec.nodeName (use nodeSelector or affinity)';
}

/** A pod has one runtime class; a family whose own is not used would not show its cards to the container. */
function refuseRuntimes(mutations: readonly MutatedContainer[], raw: RawAdmissionPod): string | undefined {
  if ((raw.spec?.runtimeClassName ?? undefined) !== undefined) return undefined;
  const wanted = new Set(mutations.flatMap(({ runtimeClassNames }) => runtimeClassNames));
  return wanted.size < 2
    ? undefined
    : `pod asks for cards of several families, whose containers need different runtime classes (${[...wanted].join(', ')}): name one in spec.runtimeClassName, or make a pod for each`;
}

/** Beyond its namespace's quotas; what a state that is not complete has seen of them says nothing. */
function refuseQuota(request: PodRequest, state: DeviceState): string | undefined {
  if (!state.synced) return undefined;
  return quotaDenial(request, state.quotaOf(request.namespace), state.vendors);
}

/** Containers as sent, init containers first; `position` counts through both lists. */
function* rawContainers(raw: RawAdmissionPod): Iterable<{
  container: RawAdmissionContainer;
  list: string;
  index: number;
  position: number;
}> {
  let position = 0;
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (raw.spec?.[list] ?? []).entries()) {
      yield { container, list, index, position };
      position += 1;
    }
  }
}
