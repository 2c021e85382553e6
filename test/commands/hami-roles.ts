/**
 * What HAMi's chart permits its scheduler (spec §12.4), with what the cluster's own role `system:kube-scheduler` adds of
 * the resources in use here. Written down from the specification, so that more is never taken for granted.
 */
import type { Permission } from '../deploy/manifests.ts';

export function hamiPermissions(namespace: string): readonly Permission[] {
  const core = (resource: string, verbs: readonly string[]) =>
    verbs.map((verb) => ({ group: '', resource, verb }));
  const leases = ['create', 'list', 'watch', 'get', 'update', 'patch'];
  return [
    ...core('pods', ['get', 'list', 'watch', 'patch']),
    ...core('configmaps', ['get', 'list', 'watch', 'patch']),
    ...core('pods/binding', ['create']),
    ...core('nodes', ['get', 'list', 'watch', 'patch']),
    ...core('events', ['create', 'get', 'list']),
    ...core('resourcequotas', ['get', 'list', 'watch']),
    ...leases.map((verb) => ({ group: 'coordination.k8s.io', resource: 'leases', verb, namespace })),
  ];
}
