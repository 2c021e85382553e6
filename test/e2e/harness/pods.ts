/** Pods of a run: their manifests, and ways to wait for what becomes of them. */
import { failureText } from '../../../src/kubernetes/rest-result.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';

type Quantities = Readonly<Record<string, string | number>>;

export interface ContainerFields {
  readonly name?: string;
  readonly limits?: Quantities;
  /** Always for a sidecar. */
  readonly restartPolicy?: 'Always';
}

export interface PodManifestFields {
  readonly name: string;
  readonly namespace?: string;
  readonly schedulerName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly initContainers?: readonly ContainerFields[];
  /** One that asks for nothing where left out. */
  readonly containers?: readonly ContainerFields[];
  /** Further fields of the spec, e.g. `affinity`. */
  readonly spec?: object;
}

export function podManifest(fields: PodManifestFields): object {
  const { name, namespace = 'default', schedulerName, labels, annotations, spec } = fields;
  const { initContainers = [], containers = [{}] } = fields;
  const container = (prefix: string) => (given: ContainerFields, index: number) => ({
    name: given.name ?? `${prefix}${index}`,
    image: 'registry.invalid/pause:1',
    ...(given.limits === undefined ? {} : { resources: { limits: given.limits } }),
    ...(given.restartPolicy === undefined ? {} : { restartPolicy: given.restartPolicy }),
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels, annotations },
    spec: {
      ...(schedulerName === undefined ? {} : { schedulerName }),
      terminationGracePeriodSeconds: 2,
      initContainers: initContainers.map(container('init')),
      containers: containers.map(container('c')),
      ...spec,
    },
  };
}

interface ContainerState {
  readonly name: string;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

/** What tests read of a pod. */
export interface PodState {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly schedulerName?: string;
    readonly initContainers?: readonly ContainerState[];
    readonly containers: readonly ContainerState[];
  };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

export async function listPods(cluster: Cluster, namespace = 'default'): Promise<readonly PodState[]> {
  const text = await cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']);
  return (JSON.parse(text) as { items: readonly PodState[] }).items;
}

/** The pod now; undefined when there is none of that name. */
export async function findPod(
  cluster: Cluster,
  name: string,
  namespace = 'default',
): Promise<PodState | undefined> {
  const text = await cluster.kubectl([
    'get',
    'pod',
    name,
    '-n',
    namespace,
    '-o',
    'json',
    '--ignore-not-found',
  ]);
  return text === '' ? undefined : (JSON.parse(text) as PodState);
}

/** Waits until a pod is in a phase; fails with what it is in instead. */
export function untilPhase(
  cluster: Cluster,
  name: string,
  phase: string,
  { namespace = 'default', timeoutMs = 15_000 } = {},
): Promise<PodState> {
  return eventually(
    `pod ${namespace}/${name} is ${phase}`,
    async () => {
      const pod = await findPod(cluster, name, namespace);
      return pod?.status.phase === phase
        ? { done: pod }
        : { not: JSON.stringify(pod?.status ?? 'no such pod') };
    },
    timeoutMs,
  );
}

/** Waits until all pods of a namespace are in a phase; fails with how many are not. */
export function untilAllIn(
  cluster: Cluster,
  phase: string,
  { namespace = 'default', timeoutMs = 15_000 } = {},
): Promise<readonly PodState[]> {
  return eventually(
    `all pods of ${namespace} are ${phase}`,
    async () => {
      const pods = await listPods(cluster, namespace);
      const others = pods.filter(({ status }) => status.phase !== phase);
      return others.length === 0 ? { done: pods } : { not: describePhases(others) };
    },
    timeoutMs,
  );
}

function describePhases(pods: readonly PodState[]): string {
  const [first] = pods;
  return `${pods.length} are not, e.g. ${first?.metadata.name ?? ''}: ${JSON.stringify(first?.status)}`;
}

/** Waits until kube-scheduler has said that no node will do. */
export function untilRefused(cluster: Cluster, name: string, namespace = 'default'): Promise<PodState> {
  return eventually(`pod ${namespace}/${name} is unschedulable`, async () => {
    const pod = await findPod(cluster, name, namespace);
    const refused = pod?.status.conditions?.some(({ reason }) => reason === 'Unschedulable') === true;
    return refused ? { done: pod } : { not: JSON.stringify(pod?.status ?? 'no such pod') };
  });
}

/** Deletes all pods of a namespace and waits until they are gone. */
export async function clearPods(cluster: Cluster, namespace = 'default'): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const result = await cluster.api.request({ method: 'DELETE', path, timeoutMs: 30_000 });
  if (result.kind !== 'ok') throw new Error(`deleting the pods of ${namespace}: ${failureText(result)}`);
  await eventually(`namespace ${namespace} has no pods`, async () => {
    const pods = await listPods(cluster, namespace);
    return pods.length === 0 ? { done: true } : { not: pods.map(({ metadata }) => metadata.name).join(', ') };
  });
}

export function untilGone(
  cluster: Cluster,
  name: string,
  { namespace = 'default', timeoutMs = 15_000 } = {},
): Promise<true> {
  return eventually(
    `pod ${namespace}/${name} is gone`,
    async () => {
      const pod = await findPod(cluster, name, namespace);
      return pod === undefined ? { done: true as const } : { not: JSON.stringify(pod.status) };
    },
    timeoutMs,
  );
}
