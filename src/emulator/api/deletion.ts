/**
 * Deletion. Pods go gracefully: one that is bound and not terminal gets a `deletionTimestamp` and stays until whoever
 * tends its node deletes it with grace period 0; any other goes at once. A namespace takes all that is in it along, at
 * once. Everything else just goes.
 */
import type { ApiContext } from './api-context.ts';
import { type ApiObject, timestamp, withMeta } from './api-object.ts';
import { at, numberAt, textAt } from './json.ts';
import { namespaces, pods, type Resource, resources } from './resources.ts';
import { conflict } from './status.ts';
import { type NamedTarget, requireObject, type WriteOptions } from './writes.ts';

export interface DeleteOptions extends WriteOptions {
  /** Seconds; absent for the pod's own. */
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Reads `DeleteOptions` from a body, or from where an Eviction carries them. */
export function readDeleteOptions(value: unknown, dryRun: boolean): DeleteOptions {
  const gracePeriodSeconds = numberAt(value, 'gracePeriodSeconds');
  const uid = textAt(value, 'preconditions', 'uid');
  const resourceVersion = textAt(value, 'preconditions', 'resourceVersion');
  return {
    dryRun,
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
  };
}

/** The object's last state, or its state on the way out. Throws ApiError: 404, 409 for preconditions that fail. */
export function deleteObject(context: ApiContext, target: NamedTarget, options: DeleteOptions): ApiObject {
  const current = requireObject(context, target);
  ensurePreconditions(target.resource, current, options);
  if (options.dryRun) return current;
  if (target.resource === pods) return deletePod(context, current, options);
  if (target.resource === namespaces) emptyNamespace(context, target.name);
  return context.store.remove(target.resource.collection, current);
}

function ensurePreconditions(resource: Resource, current: ApiObject, options: DeleteOptions): void {
  const { name, uid = '', resourceVersion = '' } = current.metadata;
  // The real server names the kind here, not the plural.
  const named = { group: resource.group, plural: resource.kind };
  if (options.uid !== undefined && options.uid !== uid) {
    const why =
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). ` +
      'The object might have been deleted and then recreated';
    throw conflict(named, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why =
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match ` +
      `the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(named, name, why);
  }
}

const terminalPhases = ['Succeeded', 'Failed'];

/** Kubernetes' own reading of a negative period. */
const shortestGraceSeconds = 1;

function deletePod({ store, clock }: ApiContext, pod: ApiObject, options: DeleteOptions): ApiObject {
  const { deletionTimestamp, deletionGracePeriodSeconds: pending, generation = 0 } = pod.metadata;
  const asked = options.gracePeriodSeconds ?? pending ?? ownGraceSeconds(pod);
  const graceSeconds = goesAtOnce(pod) ? 0 : asked < 0 ? shortestGraceSeconds : asked;
  // A deletion under way can be made shorter, never longer.
  if (deletionTimestamp !== undefined && pending !== undefined && graceSeconds >= pending && pending > 0) {
    return pod;
  }
  const sinceMs =
    deletionTimestamp === undefined ? clock.nowMs() : Date.parse(deletionTimestamp) - (pending ?? 0) * 1000;
  const deleting = store.put(
    pods.collection,
    withMeta(pod, {
      deletionTimestamp: timestamp(Math.max(clock.nowMs(), sinceMs + graceSeconds * 1000)),
      deletionGracePeriodSeconds: graceSeconds,
      generation: deletionTimestamp === undefined ? generation + 1 : generation,
    }),
  );
  return graceSeconds === 0 ? store.remove(pods.collection, deleting) : deleting;
}

function ownGraceSeconds(pod: ApiObject): number {
  return numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? 0;
}

function goesAtOnce(pod: ApiObject): boolean {
  return (
    textAt(pod, 'spec', 'nodeName') === '' ||
    terminalPhases.some((phase) => phase === at(pod, 'status', 'phase'))
  );
}

function emptyNamespace({ store }: ApiContext, namespace: string): void {
  for (const collection of new Set(resources.map((resource) => resource.collection))) {
    for (const object of store.collection(collection).at(store.version) ?? []) {
      if (object.metadata.namespace === namespace) store.remove(collection, object);
    }
  }
}
