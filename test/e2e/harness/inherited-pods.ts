/**
 * Pods as HAMi's scheduler and device plugin have left them: bound, served and running, with an allocation in one of the
 * layouts that its versions write (spec §1.9, Appendix A). They are made without any plugin, so the nodes' agent must be
 * started after them.
 */
import { runningStatus } from '../../../src/emulator/node-agent/pod-status.ts';
import { failureText } from '../../../src/kubernetes/rest-result.ts';
import { parsePod } from '../../../src/wire/kubernetes.ts';
import type { Cluster } from './cluster.ts';
import { type ContainerFields, podManifest } from './pods.ts';

export interface InheritedPod {
  readonly name: string;
  readonly node: string;
  /** As it stands in `hami.io/vgpu-devices-allocated`. */
  readonly allocated: string;
  readonly initContainers?: readonly ContainerFields[];
  readonly containers: readonly ContainerFields[];
}

const mergePatch = 'application/merge-patch+json';
const timeoutMs = 10_000;

/** Creates a pod that runs already; its plain init containers have ended. */
export async function inherit(cluster: Cluster, pod: InheritedPod): Promise<void> {
  const { name, node, allocated, initContainers = [], containers } = pod;
  const manifest = podManifest({
    name,
    schedulerName: 'hami-scheduler',
    labels: { 'hami.io/vgpu-node': node },
    annotations: {
      'hami.io/vgpu-node': node,
      'hami.io/vgpu-time': '1767225600',
      'hami.io/bind-phase': 'success',
      'hami.io/bind-time': '1767225600',
      'hami.io/vgpu-devices-allocated': allocated,
      'hami.io/vgpu-devices-to-allocate': ';;',
    },
    initContainers,
    containers,
    spec: { nodeName: node },
  });
  const path = '/api/v1/namespaces/default/pods';
  const stored = parsePod(await call(cluster, { method: 'POST', path, body: manifest }));
  if (!stored.ok) throw new Error(`pod ${name}: ${stored.problem}`);
  const nowMs = Date.now();
  const status = runningStatus(stored.value, { startedMs: nowMs, nowMs });
  await call(cluster, {
    method: 'PATCH',
    path: `${path}/${name}/status`,
    contentType: mergePatch,
    body: { status },
  });
}

async function call(
  cluster: Cluster,
  request: {
    readonly method: 'POST' | 'PATCH';
    readonly path: string;
    readonly body: object;
    readonly contentType?: typeof mergePatch;
  },
): Promise<unknown> {
  const result = await cluster.api.request({ ...request, timeoutMs });
  if (result.kind !== 'ok') throw new Error(`${request.method} ${request.path}: ${failureText(result)}`);
  return result.body;
}
