/** The plain manifests as objects, and what a service account of theirs may do. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const file = new URL('../../deploy/manifests/tessera.yaml', import.meta.url);

export const manifestsText = readFileSync(file, 'utf8');

export const manifests: readonly Manifest[] = parseAllDocuments(manifestsText)
  .map((document) => document.toJS() as Manifest | null)
  .filter((object) => object !== null);

/** The one object of that kind and name; throws when there is none. */
export function manifest(kind: string, name = 'tessera'): Manifest {
  const found = manifests.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} in the manifests`);
  return found;
}

/** One thing that may be done, as RBAC sees it. Without a name: to any; without a namespace: in all. */
export interface Permission {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly name?: string;
  readonly namespace?: string;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** What a role of the manifests permits, one by one. */
export function permissionsOf(kind: 'Role' | 'ClusterRole', name: string): readonly Permission[] {
  const { metadata, rules } = manifest(kind, name);
  const place = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
  return (rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          (resourceNames ?? [undefined]).map((only) => ({
            group,
            resource,
            verb,
            ...place,
            ...(only === undefined ? {} : { name: only }),
          })),
        ),
      ),
    ),
  );
}

/** Whether the permission is for this call. */
export function permits(permission: Permission, call: Permission): boolean {
  const { group, resource, verb, name, namespace } = permission;
  return (
    group === call.group &&
    resource === call.resource &&
    verb === call.verb &&
    (name === undefined || name === call.name) &&
    (namespace === undefined || namespace === call.namespace)
  );
}
