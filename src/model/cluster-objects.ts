/**
 * Kubernetes objects cut down to the fields that Tessera uses, whatever they came from: a watch, a snapshot file, an
 * extender call or an AdmissionReview. `wire/kubernetes.ts` reads them from JSON; nothing above sees a raw object.
 */
import type { ContainerRole } from './container-role.ts';

export type TextMap = Readonly<Record<string, string>>;

export interface ContainerObject {
  readonly name: string;
  readonly role: ContainerRole;
  /** Quantities as written, by resource name. */
  readonly limits: TextMap;
  readonly requests: TextMap;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface PodObject {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly annotations: TextMap;
  readonly labels: TextMap;
  /** RFC 3339 as the API server set it; empty before a pod is stored. */
  readonly creationTimestamp: string;
  readonly deleting: boolean;
  /** Seconds that its containers may outlive it: the longer of the pod's own period and the deletion's. */
  readonly gracePeriodSeconds: number;
  readonly nodeName?: string;
  readonly schedulerName: string;
  /** `spec.priority`; 0 when absent. */
  readonly priority: number;
  readonly phase: PodPhase;
  /** Init containers first, then app containers, in spec order. */
  readonly containers: readonly ContainerObject[];
  /** True when some container's last reported state is running. */
  readonly running: boolean;
  /** True when every plain init container has ended with exit code 0. */
  readonly initFinished: boolean;
}

export interface NodeObject {
  readonly name: string;
  readonly resourceVersion: string;
  readonly annotations: TextMap;
  readonly labels: TextMap;
  /** Quantities as written, by resource name: what the node has, working or not. */
  readonly capacity: TextMap;
  /** The part of it that pods may have now. */
  readonly allocatable: TextMap;
}

/** A ResourceQuota: what a namespace may ask for, as written, by resource name. */
export interface QuotaObject {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly hard: TextMap;
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`, as people write it. */
export function podName({ namespace, name }: NamespacedName): string {
  return `${namespace}/${name}`;
}

/** A pod written by hand, as the API server would complete it: with a namespace, and its name for its UID. */
export function withIdentity(pod: PodObject): PodObject {
  const named = pod.namespace === '' ? { ...pod, namespace: 'default' } : pod;
  return named.uid === '' ? { ...named, uid: podName(named) } : named;
}

/** The resource amount a container asks for, as written: its limit, else its request (spec §5.3). */
export function askedQuantity(container: ContainerObject, resource: string): string | undefined {
  return container.limits[resource] ?? container.requests[resource];
}
