/**
 * Creation and change of objects, the same for all kinds: system fields, optimistic concurrency, the kind's rules, one
 * write. A change that changes nothing writes nothing, as on the real server. Between reading the current object and
 * writing there is no await; only creation waits, for webhooks, before it looks.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ApiContext } from './api-context.ts';
import { type ApiObject, keyOf, type ObjectMeta, timestamp, withMeta } from './api-object.ts';
import { without } from './json.ts';
import { metadataFaults, underSystemFields, withoutSystemFields } from './metadata.ts';
import { namespaces, pods, type Resource } from './resources.ts';
import {
  alreadyExists,
  ApiError,
  badRequest,
  conflict,
  type FieldFault,
  internalError,
  invalid,
  modifiedMessage,
  notFound,
} from './status.ts';

export interface WriteTarget {
  readonly resource: Resource;
  /** Absent for what belongs to no namespace. */
  readonly namespace?: string;
}

export interface NamedTarget extends WriteTarget {
  readonly name: string;
}

export interface WriteOptions {
  readonly dryRun: boolean;
}

export interface Created {
  readonly object: ApiObject;
  /** Sentences for the client, from webhooks. */
  readonly warnings: readonly string[];
}

/** The object of that name. Throws ApiError 404. */
export function requireObject({ store }: ApiContext, target: NamedTarget): ApiObject {
  const found = store.collection(target.resource.collection).find(keyOf(target));
  if (found === undefined) throw notFound(target.resource, target.name);
  return found;
}

/** Stores a new object after webhooks. Throws ApiError: 400, 404 for its namespace, 409, 422, a webhook's refusal. */
export async function createObject(
  context: ApiContext,
  target: WriteTarget,
  sent: ApiObject,
  options: WriteOptions,
): Promise<Created> {
  const { resource, namespace } = target;
  if ((sent.metadata.resourceVersion ?? '') !== '') {
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  ensureNamespaceMatches(sent.metadata, target);
  let object: ApiObject = {
    ...sent,
    metadata: {
      ...withoutSystemFields(sent.metadata),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
  ensureNamespaceExists(context, namespace);
  let warnings: readonly string[] = [];
  if (resource === pods) {
    const admitted = await context.admission.admitPod(object, options);
    object = admitted.pod;
    warnings = admitted.warnings;
    ensureNamespaceExists(context, namespace);
  }
  const { generateName = '' } = object.metadata;
  if (object.metadata.name === '' && generateName !== '') {
    object = withMeta(object, { name: `${generateName}${context.identifiers.nameSuffix()}` });
  }
  object = withMeta(resource.rules.create?.(object) ?? object, {
    uid: context.identifiers.uid(),
    creationTimestamp: timestamp(context.clock.nowMs()),
  });
  refuseFaults(resource, object);
  if (context.store.collection(resource.collection).find(keyOf(object.metadata)) !== undefined) {
    throw alreadyExists(resource, object.metadata.name);
  }
  if (options.dryRun) return { object, warnings };
  makeRoom(context, resource);
  return { object: context.store.put(resource.collection, object), warnings };
}

function makeRoom({ store }: ApiContext, { collection: name, keptObjects = Infinity }: Resource): void {
  const collection = store.collection(name);
  while (collection.size >= keptObjects && collection.stalest !== undefined) {
    store.remove(name, collection.stalest);
  }
}

function ensureNamespaceMatches(metadata: ObjectMeta, { namespace }: WriteTarget): void {
  if (metadata.namespace === undefined || metadata.namespace === namespace) return;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function ensureNamespaceExists({ store }: ApiContext, namespace: string | undefined): void {
  if (namespace === undefined) return;
  const found = store.collection(namespaces.collection).find(namespace);
  if (found === undefined) throw notFound(namespaces, namespace);
}

function refuseFaults(resource: Resource, object: ApiObject, current?: ApiObject): void {
  const faults = [...metadataFaults(object), ...(resource.rules.faults?.(object, current) ?? [])];
  if (faults.length > 0) throw invalid(resource, object.metadata.name, faults);
}

/** Which part of an object a write may change. */
export type WrittenPart = 'main' | 'status';

export interface Change {
  readonly part: WrittenPart;
  /** The whole object as it shall be. */
  readonly next: ApiObject;
  /** PUT carries its preconditions in the object; a patch may not change the UID at all. */
  readonly by: 'put' | 'patch';
}

/** Changes an object. Throws ApiError: 400 for another name, 409 for a stale version or another UID, 422. */
export function changeObject(
  context: ApiContext,
  target: NamedTarget,
  { part, next, by }: Change,
  options: WriteOptions,
): ApiObject {
  const current = requireObject(context, target);
  const { resource, name } = target;
  ensureSameObject(target, next.metadata);
  ensurePreconditions(target, next.metadata, current.metadata, by);
  const metadata = underSystemFields(next.metadata, current.metadata);
  let changed: ApiObject;
  if (part === 'status') {
    changed = { ...current, metadata, ...('status' in next ? { status: next['status'] } : {}) };
  } else {
    changed = { ...next, metadata };
    if (resource.hasStatus && 'status' in current) changed = { ...changed, status: current['status'] };
    changed = resource.rules.update?.(changed, current) ?? changed;
  }
  if (resource.hasGeneration && !isDeepStrictEqual(asked(changed), asked(current))) {
    changed = withMeta(changed, { generation: (current.metadata.generation ?? 0) + 1 });
  }
  refuseFaults(resource, changed, current);
  if (isDeepStrictEqual(changed, current)) return current;
  if (name !== changed.metadata.name) throw internalError('an update changed a name');
  return options.dryRun ? changed : context.store.put(resource.collection, changed);
}

/** What generation counts changes of. */
function asked(object: ApiObject): unknown {
  return without(object, 'metadata', 'status');
}

function ensureSameObject(target: NamedTarget, metadata: ObjectMeta): void {
  const { name } = metadata;
  if (name !== '' && name !== target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  }
  ensureNamespaceMatches(metadata, target);
}

function ensurePreconditions(
  { resource, name }: NamedTarget,
  next: ObjectMeta,
  current: ObjectMeta,
  by: Change['by'],
): void {
  const { uid = current.uid, resourceVersion = '' } = next;
  if (uid !== current.uid) {
    if (by === 'put') throw conflict(resource, name, uidProblem(uid, current.uid));
    const fault: FieldFault = {
      kind: 'Invalid',
      field: 'metadata.uid',
      value: String(uid),
      detail: 'field is immutable',
    };
    throw invalid(resource, name, [fault]);
  }
  if (resourceVersion === '' && by === 'put' && !resource.unconditionalUpdate) {
    const detail = 'must be specified for an update';
    throw invalid(resource, name, [
      { kind: 'Invalid', field: 'metadata.resourceVersion', value: '', detail },
    ]);
  }
  if (resourceVersion !== '' && resourceVersion !== current.resourceVersion) {
    throw conflict(resource, name, modifiedMessage);
  }
}

export function uidProblem(asked: string | undefined, current: string | undefined): string {
  return `Precondition failed: UID in precondition: ${asked ?? ''}, UID in object meta: ${current ?? ''}`;
}
