/** Questions of people to the server that is installed from the manifests, over TLS by its own authority. */
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { getSecurely } from './secure-get.ts';
import type { Tessera } from './tessera.ts';

/** What the server believes of a node, at `/debug/state`. */
export interface BelievedNode {
  readonly name: string;
  readonly devices: readonly {
    readonly device: { readonly id: string };
    readonly used: { readonly slots: number; readonly memoryMiB: number; readonly corePercent: number };
    readonly cordoned: boolean;
  }[];
}

/** The JSON at a path, e.g. `/explain/default/train-0`. */
export async function ask(cluster: Cluster, tessera: Tessera, path: string): Promise<unknown> {
  return getSecurely(`https://127.0.0.1:${tessera.port}${path}`, await authorityOfServer(cluster));
}

/** What the server believes of every node. */
export async function believedNodes(cluster: Cluster, tessera: Tessera): Promise<readonly BelievedNode[]> {
  return ((await ask(cluster, tessera, '/debug/state')) as { nodes: readonly BelievedNode[] }).nodes;
}

/** Waits until the server's nodes are just these. */
export async function untilNodesKnown(
  cluster: Cluster,
  tessera: Tessera,
  names: readonly string[],
): Promise<void> {
  const want = [...names].sort().join();
  await eventually(`the server knows the nodes ${want}`, async () => {
    const known = (await believedNodes(cluster, tessera)).map(({ name }) => name);
    return known.sort().join() === want ? { done: true } : { not: known.join() };
  });
}

/** Waits until the server believes that no card of any node is in use. */
export async function untilNodesFree(cluster: Cluster, tessera: Tessera): Promise<void> {
  await eventually('all cards are free', async () => {
    const nodes = await believedNodes(cluster, tessera);
    const busy = nodes.flatMap(({ devices }) => devices.filter(({ used }) => used.slots > 0));
    return busy.length === 0 ? { done: true } : { not: JSON.stringify(busy) };
  });
}

/** As the documentation says: the authority comes from the server's Secret. */
export async function authorityOfServer(cluster: Cluster): Promise<string> {
  const text = await cluster.kubectl(['get', 'secret', 'tessera-tls', '-n', 'tessera-system', '-o', 'json']);
  const { data } = JSON.parse(text) as { data: Readonly<Record<string, string>> };
  return Buffer.from(data['ca.crt'] ?? '', 'base64').toString('utf8');
}
