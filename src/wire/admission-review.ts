/** AdmissionReview of `admission.k8s.io/v1` and `v1beta1`; the reply takes the version and the uid of the request. */
import { type Parsed, parsed } from '../model/result.ts';
import { podSchema, type RawPod } from './kubernetes.ts';
import { schemaParser } from './validate.ts';

export type AdmissionVersion = 'admission.k8s.io/v1' | 'admission.k8s.io/v1beta1';

export interface AdmissionRequest {
  readonly version: AdmissionVersion;
  readonly uid: string;
  readonly operation: string;
  /** Of the object, in the plural, e.g. `pods`. */
  readonly resource: string;
  readonly subResource: string;
  readonly namespace: string;
  readonly dryRun: boolean;
  /** Groups of the user who asks, as the API server knows them. */
  readonly userGroups: readonly string[];
  /** The object under review, as sent; undefined on deletion. */
  readonly object: unknown;
}

export interface JsonPatchOperation {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** The parts of a pod that only admission reads; all else comes from `parsePod`. */
export interface RawAdmissionPod extends Omit<RawPod, 'spec'> {
  readonly spec?:
    | (Omit<NonNullable<RawPod['spec']>, 'initContainers' | 'containers'> & {
        readonly runtimeClassName?: string | null;
        readonly initContainers?: readonly RawAdmissionContainer[] | null;
        readonly containers?: readonly RawAdmissionContainer[] | null;
      })
    | null;
}

export interface RawAdmissionContainer {
  readonly name?: string | null;
  readonly env?: readonly { readonly name: string; readonly value?: string | null }[] | null;
  readonly securityContext?: { readonly privileged?: boolean | null } | null;
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string | number>> | null;
    readonly requests?: Readonly<Record<string, string | number>> | null;
  } | null;
}

interface RawAdmissionReview {
  readonly apiVersion: AdmissionVersion;
  readonly request: {
    readonly uid: string;
    readonly operation?: string | null;
    readonly resource?: { readonly group?: string; readonly resource?: string } | null;
    readonly subResource?: string | null;
    readonly namespace?: string | null;
    readonly dryRun?: boolean | null;
    readonly userInfo?: { readonly groups?: readonly string[] | null } | null;
    readonly object?: unknown;
  };
}

const text = { type: 'string', nullable: true };

const readReview = schemaParser<RawAdmissionReview>({
  type: 'object',
  properties: {
    apiVersion: { enum: ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'] },
    kind: { const: 'AdmissionReview' },
    request: {
      type: 'object',
      properties: {
        uid: { type: 'string', minLength: 1 },
        operation: text,
        resource: { type: 'object', nullable: true, properties: { group: text, resource: text } },
        subResource: text,
        namespace: text,
        dryRun: { type: 'boolean', nullable: true },
        userInfo: {
          type: 'object',
          nullable: true,
          properties: { groups: { type: 'array', nullable: true, items: { type: 'string' } } },
        },
      },
      required: ['uid'],
    },
  },
  required: ['apiVersion', 'kind', 'request'],
});

const container = {
  type: 'object',
  properties: {
    env: {
      type: 'array',
      nullable: true,
      items: { type: 'object', properties: { name: { type: 'string' }, value: text }, required: ['name'] },
    },
    securityContext: {
      type: 'object',
      nullable: true,
      properties: { privileged: { type: 'boolean', nullable: true } },
    },
  },
};
const containers = { type: 'array', nullable: true, items: container };

/** Admission reads more of a pod than the scheduler does; `parsePod` checks the shared part. */
export const parseAdmissionPod = schemaParser<RawAdmissionPod>({
  allOf: [
    podSchema,
    {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          nullable: true,
          properties: { runtimeClassName: text, initContainers: containers, containers },
        },
      },
    },
  ],
});

/** Reads an AdmissionReview. Never throws. */
export function parseAdmissionReview(body: unknown): Parsed<AdmissionRequest> {
  const review = readReview(body);
  if (!review.ok) return review;
  const { apiVersion, request } = review.value;
  return parsed({
    version: apiVersion,
    uid: request.uid,
    operation: request.operation ?? 'CREATE',
    resource: request.resource?.resource ?? 'pods',
    subResource: request.subResource ?? '',
    namespace: request.namespace ?? '',
    dryRun: request.dryRun ?? false,
    userGroups: request.userInfo?.groups ?? [],
    object: request.object,
  });
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason?: string; readonly message?: string };
  readonly patchType?: 'JSONPatch';
  /** Base64 of the JSON Patch. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
}

export interface AdmissionReviewReply {
  readonly apiVersion: AdmissionVersion;
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

/** The operations in the form an AdmissionResponse carries them; nothing when there are none. */
export function encodePatch(
  operations: readonly JsonPatchOperation[],
): Pick<AdmissionResponse, 'patchType' | 'patch'> {
  if (operations.length === 0) return {};
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') };
}
