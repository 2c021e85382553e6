/**
 * What admission tests share: the dependencies with every setting at its default unless a case names it, raw pods as
 * the API server sends them, and the pod as it is once the returned patch has been applied.
 */
import { type AdmissionAnswer, type AdmissionDeps, admit } from '../../src/admission/admit.ts';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeNvidia } from '../../src/vendors/nvidia/nvidia.ts';
import type { AdmissionRequest } from '../../src/wire/admission-review.ts';
import { nodeFrom } from '../../src/wire/kubernetes.ts';
import type { NodeJson } from '../support/kubernetes-objects.ts';
import { makeNvidiaConfig } from '../vendors/nvidia-config.ts';
import { applyPatch } from './apply-patch.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

export interface AdmissionFields {
  readonly schedulerNames?: readonly string[];
  readonly forceOverwriteDefaultScheduler?: boolean;
  readonly nvidia?: Partial<NvidiaConfig>;
  readonly nodes?: readonly NodeJson[];
  /** False: the state has not seen the whole cluster yet. */
  readonly synced?: boolean;
}

export function makeAdmissionDeps(fields: AdmissionFields = {}): AdmissionDeps {
  const { nodes = [], synced = false } = fields;
  const state = new DeviceState({
    vendors: [makeNvidia(makeNvidiaConfig(fields.nvidia))],
    trustOf: () => 'as-written',
  });
  for (const node of nodes) state.applyNode(nodeFrom(node));
  if (synced) state.markSynced();
  return {
    state,
    policies: { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('spread') },
    schedulerNames: fields.schedulerNames ?? ['tessera-scheduler'],
    forceOverwriteDefaultScheduler: fields.forceOverwriteDefaultScheduler ?? true,
  };
}

/** A review of a pod that is being created, except for what `changes` say. */
export function makeReview(object: unknown, changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    version: 'admission.k8s.io/v1',
    uid: 'review-1',
    operation: 'CREATE',
    resource: 'pods',
    subResource: '',
    namespace: 'default',
    dryRun: false,
    userGroups: [],
    object,
    ...changes,
  };
}

export interface RawPodFields {
  readonly metadata?: object;
  readonly initContainers?: readonly object[];
  /** One container `main` without resources where left out. */
  readonly containers?: readonly object[];
  /** Other fields of the spec. */
  readonly spec?: object;
}

/** A new pod for our scheduler, with fields that nobody here knows and that must come out as they went in. */
export function makeRawPod({ metadata, initContainers, containers, spec }: RawPodFields = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod-1', namespace: 'default', ...metadata },
    spec: {
      schedulerName: 'tessera-scheduler',
      ...(initContainers === undefined ? {} : { initContainers }),
      containers: containers ?? [{ name: 'main', resources: {} }],
      fieldFromTheFuture: { nested: [1, { two: null }] },
      ...spec,
    },
  };
}

/** A container with these limits; `more` holds its other fields. */
export function makeRawContainer(
  limits: Readonly<Record<string, string | number>> = {},
  more: object = {},
): object {
  return { name: 'main', image: 'example/main', resources: { limits }, ...more };
}

type Allowed = AdmissionAnswer & { readonly allowed: true };
type Denied = AdmissionAnswer & { readonly allowed: false };

/** The answer for a pod that must be admitted, and the pod with its patch applied. */
export function mustAdmit<T>(pod: T, deps: AdmissionDeps): Allowed & { readonly patched: T } {
  const answer = admit(makeReview(pod), deps);
  if (!answer.allowed) throw new Error(`the pod was denied: ${answer.message}`);
  return { ...answer, patched: applyPatch(pod, answer.patch) };
}

/** The denial of a pod that must not be admitted. */
export function mustDeny(pod: unknown, deps: AdmissionDeps): Denied {
  const answer = admit(makeReview(pod), deps);
  if (answer.allowed) throw new Error(`the pod was admitted with ${JSON.stringify(answer)}`);
  return answer;
}
