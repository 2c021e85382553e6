/**
 * Mutating webhooks for the creation of pods, in the order of their configurations' names. `objectSelector`,
 * `namespaceSelector`, rules, `failurePolicy` and `timeoutSeconds` are honoured; `matchConditions` are not evaluated
 * (they are CEL): all are taken as true, so a webhook here sees pods that the real server would spare it. There is
 * one round: `reinvocationPolicy` is not followed. Validating webhooks are never called.
 */
import type { Clock } from '../../model/clock.ts';
import type { ApiObject } from './api-object.ts';
import type { Identifiers } from './identifiers.ts';
import { at, isRecord, listAt, numberAt, recordAt, textAt } from './json.ts';
import { jsonPatch } from './json-patch.ts';
import { mutatingWebhookConfigurations, namespaces, pods } from './resources.ts';
import { labelSelectorOf } from './selectors.ts';
import { ApiError, internalError } from './status.ts';
import type { ObjectStore } from './store.ts';
import { callWebhook, type ServiceResolver } from './webhook-call.ts';
import { readObject, wireObject } from './wire-form.ts';

export interface AdmittedPod {
  readonly pod: ApiObject;
  readonly warnings: readonly string[];
}

export interface Admission {
  /** The pod as the webhooks left it. Throws ApiError for a denial, and where a webhook that must answer does not. */
  admitPod(pod: ApiObject, options: { readonly dryRun: boolean }): Promise<AdmittedPod>;
}

export interface AdmissionDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly identifiers: Identifiers;
  readonly resolve: ServiceResolver;
}

const defaultTimeoutSeconds = 10;

export function makeAdmission(deps: AdmissionDeps): Admission {
  return {
    admitPod: async (pod, { dryRun }) => {
      let admitted: AdmittedPod = { pod, warnings: [] };
      for (const webhook of webhooksOf(deps.store)) {
        if (!concerns(webhook, admitted.pod, deps.store)) continue;
        const result = await admitByOne(webhook, admitted.pod, dryRun, deps);
        admitted = { pod: result.pod, warnings: [...admitted.warnings, ...result.warnings] };
      }
      return admitted;
    },
  };
}

function webhooksOf(store: ObjectStore): readonly unknown[] {
  const configurations = store.collection(mutatingWebhookConfigurations.collection).at(store.version) ?? [];
  return configurations.flatMap((configuration) => listAt(configuration, 'webhooks'));
}

function concerns(webhook: unknown, pod: ApiObject, store: ObjectStore): boolean {
  const namespace = store.collection(namespaces.collection).find(pod.metadata.namespace ?? '');
  return (
    listAt(webhook, 'rules').some(includesPodCreation) &&
    labelSelectorOf(at(webhook, 'objectSelector'))(pod.metadata.labels ?? {}) &&
    labelSelectorOf(at(webhook, 'namespaceSelector'))(namespace?.metadata.labels ?? {})
  );
}

function includesPodCreation(rule: unknown): boolean {
  const names = (list: string, ...wanted: readonly string[]) =>
    listAt(rule, list).some((entry) => wanted.some((name) => name === entry));
  return (
    names('operations', 'CREATE', '*') &&
    names('apiGroups', '', '*') &&
    names('apiVersions', 'v1', '*') &&
    names('resources', 'pods', '*', '*/*') &&
    textAt(rule, 'scope') !== 'Cluster'
  );
}

async function admitByOne(
  webhook: unknown,
  pod: ApiObject,
  dryRun: boolean,
  { clock, identifiers, resolve }: AdmissionDeps,
): Promise<AdmittedPod> {
  const name = textAt(webhook, 'name');
  const uid = identifiers.uid();
  const answer = await callWebhook({
    clientConfig: at(webhook, 'clientConfig'),
    timeoutSeconds: numberAt(webhook, 'timeoutSeconds') ?? defaultTimeoutSeconds,
    review: reviewOf(webhook, pod, uid, dryRun),
    resolve,
    clock,
  });
  const response = answer.ok ? at(answer.value, 'response') : undefined;
  if (!isRecord(response) || textAt(response, 'uid') !== uid) {
    const problem = answer.ok ? 'its answer does not carry the uid of the review' : answer.problem;
    if (textAt(webhook, 'failurePolicy') === 'Ignore') return { pod, warnings: [] };
    throw internalError(`failed calling webhook "${name}": ${problem}`);
  }
  if (response['allowed'] !== true) throw denial(name, recordAt(response, 'status'));
  return {
    pod: patchedPod(name, pod, textAt(response, 'patch')),
    warnings: listAt(response, 'warnings').map(String),
  };
}

function reviewOf(webhook: unknown, pod: ApiObject, uid: string, dryRun: boolean): unknown {
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  const versions = listAt(webhook, 'admissionReviewVersions');
  const version = versions.includes('v1') || versions.length === 0 ? 'v1' : String(versions[0]);
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      ...(pod.metadata.name === '' ? {} : { name: pod.metadata.name }),
      namespace: pod.metadata.namespace,
      operation: 'CREATE',
      userInfo: { username: 'emulator', groups: ['system:masters', 'system:authenticated'] },
      object: wireObject(pods, pod),
      oldObject: null,
      dryRun,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

/** k8s.io/apiserver `pkg/admission/plugin/webhook/errors/statuserror.go`: never a code below 400. */
function denial(webhook: string, status: unknown): ApiError {
  const code = Math.max(numberAt(status, 'code') ?? 0, 400);
  const reason = textAt(status, 'reason');
  const why = textAt(status, 'message') || reason;
  const denied = `admission webhook "${webhook}" denied the request`;
  const details = at(status, 'details');
  return new ApiError(code, reason, why === '' ? `${denied} without explanation` : `${denied}: ${why}`, {
    ...(isRecord(details) ? { details } : {}),
  });
}

function patchedPod(webhook: string, pod: ApiObject, encoded: string): ApiObject {
  if (encoded === '') return pod;
  const operations = parseOperations(encoded);
  if (operations === undefined) throw internalError(`the patch of webhook "${webhook}" is no JSON patch`);
  const patched = jsonPatch(wireObject(pods, pod), operations);
  if (!patched.ok)
    throw internalError(`the patch of webhook "${webhook}" cannot be applied: ${patched.problem}`);
  const read = readObject(pods, patched.value);
  if (!read.ok) throw internalError(`the patch of webhook "${webhook}" makes no pod: ${read.problem}`);
  return read.value;
}

function parseOperations(encoded: string): readonly unknown[] | undefined {
  try {
    const value = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as unknown;
    return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
  } catch {
    return undefined;
  }
}
