/** What befalls nodes: their objects deleted and registered anew, their machines lost and set up again, cards unlisted. */
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { nodePath } from '../../src/kubernetes/api-paths.ts';
import type { World } from './world.ts';

interface StoredNode {
  readonly metadata: {
    readonly name: string;
    readonly labels?: object;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
  readonly status: object;
}

const timeoutMs = 10_000;
const register = 'hami.io/node-nvidia-register';

/** The object alone is deleted; kubelet registers it again, without what the plugin writes, and then comes the plugin. */
export async function deleteNode(world: World, node: NodeDescription, awayMs: number): Promise<void> {
  const path = nodePath(node.name);
  const read = await world.client.request({ method: 'GET', path, timeoutMs });
  if (read.kind !== 'ok') return;
  const { metadata, spec, status } = read.body as StoredNode;
  world.setAway(node.name, true);
  await world.client.request({ method: 'DELETE', path, timeoutMs });
  await world.pass(awayMs);
  const { name, labels } = metadata;
  const body = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: { ...spec, taints: [] },
    status,
  };
  await world.client.request({ method: 'POST', path: '/api/v1/nodes', body, timeoutMs });
  await dropTaints(world, name);
  await world.pass(awayMs / 2);
  world.setAway(node.name, false);
  await registerNode(world, node);
}

/** The machine is gone with all that ran on it; its pods are collected, and later it is set up again as it was. */
export async function wipeMachine(world: World, node: NodeDescription, awayMs: number): Promise<void> {
  const { name } = node;
  world.setAway(name, true);
  world.agent.loseNode(name);
  for (const pod of world.objects.podsOn(name)) world.agent.book.end(pod.metadata.uid);
  await world.client.request({ method: 'DELETE', path: nodePath(name), timeoutMs });
  await world.pass(awayMs / 2);
  for (const pod of world.objects.podsOn(name)) {
    world.agent.book.end(pod.metadata.uid);
    await world.objects.deletePod(pod.metadata.name, true);
  }
  await world.pass(awayMs / 2);
  // Binds that were under way may have come after the first look.
  for (const pod of world.objects.podsOn(name)) await world.objects.deletePod(pod.metadata.name, true);
  await world.agent.addNode(node);
  world.setAway(name, false);
}

/** The machine says again what it has; while its object is away there is nobody to tell. */
export async function registerNode(world: World, node: NodeDescription): Promise<void> {
  if (!world.hasMachine(node.name)) return;
  // The object may be deleted at this very moment; whoever brings it back registers it.
  await world.agent.updateNode(node).catch(() => undefined);
}

/** The plugin no longer lists the node's first card, which is there all the same for whoever has it. */
export async function unlistCard(world: World, node: NodeDescription): Promise<void> {
  const read = await world.client.request({ method: 'GET', path: nodePath(node.name), timeoutMs });
  if (read.kind !== 'ok') return;
  const { metadata } = read.body as StoredNode;
  const listed = JSON.parse(metadata.annotations?.[register] ?? '[]') as readonly unknown[];
  await world.client.request({
    method: 'PATCH',
    path: nodePath(node.name),
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { [register]: JSON.stringify(listed.slice(1)) } } },
    timeoutMs,
  });
}

/** Every new node gets the not-ready taint, which its kubelet takes away. */
async function dropTaints(world: World, name: string): Promise<void> {
  await world.client.request({
    method: 'PATCH',
    path: nodePath(name),
    contentType: 'application/merge-patch+json',
    body: { spec: { taints: [] } },
    timeoutMs,
  });
}
