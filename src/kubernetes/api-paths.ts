/** Paths and content types of the API server that more than one file writes to. */
import type { NamespacedName } from '../model/cluster-objects.ts';

/** RFC 7396; the default of some clients is JSON Patch, so it is always named. */
export const mergePatch = 'application/merge-patch+json';

export function nodePath(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
}

export function podPath({ namespace, name }: NamespacedName): string {
  return `${podsPath(namespace)}/${encodeURIComponent(name)}`;
}

export function leasesPath(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
}
