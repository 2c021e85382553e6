/** A Node object that somebody deletes, and that its kubelet and its device plugin register anew; its machine runs on. */
import type { NodeAgent } from '../../../src/emulator/node-agent/node-agent.ts';
import type { NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import { mergePatch, nodePath } from '../../../src/kubernetes/api-paths.ts';
import type { RestRequest } from '../../../src/kubernetes/rest-client.ts';
import { failureText } from '../../../src/kubernetes/rest-result.ts';
import type { Cluster } from './cluster.ts';

interface StoredNode {
  readonly metadata: { readonly name: string; readonly labels?: object };
  readonly spec: object;
  readonly status: object;
}

const timeoutMs = 10_000;

/** Deletes the object; what is returned brings it back, without anything that schedulers wrote on it. */
export async function deleteNode(
  cluster: Cluster,
  agent: NodeAgent,
  node: NodeDescription,
): Promise<() => Promise<void>> {
  const path = nodePath(node.name);
  const { metadata, spec, status } = (await call(cluster, { method: 'GET', path, timeoutMs })) as StoredNode;
  await call(cluster, { method: 'DELETE', path, timeoutMs });
  return async () => {
    const { name, labels } = metadata;
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec, status };
    await call(cluster, { method: 'POST', path: '/api/v1/nodes', body, timeoutMs });
    // Every new node gets the not-ready taint, which its kubelet takes away.
    const ready = { spec: { taints: [] } };
    await call(cluster, { method: 'PATCH', path, contentType: mergePatch, body: ready, timeoutMs });
    await agent.updateNode(node);
  };
}

async function call(cluster: Cluster, request: RestRequest): Promise<unknown> {
  const result = await cluster.api.request(request);
  if (result.kind !== 'ok') throw new Error(`${request.method} ${request.path}: ${failureText(result)}`);
  return result.body;
}
