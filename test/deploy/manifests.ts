/**
 * The plain manifests, and the chart where kube-scheduler runs elsewhere and where the server keeps what it learns, as
 * objects; and what a service account of theirs may do.
 */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

function read(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
}

function objectsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
}

export const manifestsText = read('deploy/manifests/tessera.yaml');
export const manifests = objectsOf(manifestsText);

export const serviceModeText = read('test/golden/chart-service-mode.yaml');
export const serviceMode = objectsOf(serviceModeText);

export const learningText = read('test/golden/chart-learning.yaml');
export const learning = objectsOf(learningText);

/** The one object of that kind and name; throws when there is none. */
export function manifest(kind: string, name = 'tessera', among = manifests): Manifest {
  const found = among.find((object) => object.kind === kind && object.metadata.name === name);
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
export function permissionsOf(
  kind: 'Role' | 'ClusterRole',
  name: string,
  among = manifests,
): readonly Permission[] {
  const { metadata, rules } = manifest(kind, name, among);
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
