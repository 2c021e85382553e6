/** The calls about one node, each of which tells the watch what it has learnt: its answer may be newer than any event. */
import type { NodeLockProtocol } from '../vendors/node-lock.ts';
import { mergePatch, nodePath } from './api-paths.ts';
import { NodeTraces } from './node-trace.ts';
import type { NodeWatch, WatchedNode } from './node-watch.ts';
import type { RestClient } from './rest-client.ts';
import type { RestResult } from './rest-result.ts';

const callTimeoutMs = 4000;

export class NodeWrites {
  readonly #client: RestClient;
  readonly #watch: NodeWatch;
  readonly #traces: NodeTraces;

  /** @param protocols of all locks that the watch looks at */
  constructor(client: RestClient, watch: NodeWatch, protocols: readonly NodeLockProtocol[]) {
    this.#client = client;
    this.#watch = watch;
    this.#traces = new NodeTraces(protocols);
  }

  /** Changes annotations of the node of that version, null to remove one. */
  async patch(
    node: string,
    resourceVersion: string,
    annotations: Readonly<Record<string, string | null>>,
  ): Promise<RestResult> {
    const result = await this.#client.request({
      method: 'PATCH',
      path: nodePath(node),
      contentType: mergePatch,
      body: { metadata: { resourceVersion, annotations } },
      shape: this.#traces.shape,
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'ok') this.#see(result.body);
    return result;
  }

  /** The node as the server has it now; undefined when that cannot be known. */
  async read(node: string): Promise<WatchedNode | 'gone' | undefined> {
    const result = await this.#client.request({
      method: 'GET',
      path: nodePath(node),
      shape: this.#traces.shape,
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'status' && result.status === 404) return 'gone';
    return result.kind === 'ok' ? this.#see(result.body) : undefined;
  }

  #see(body: unknown): WatchedNode | undefined {
    const node = this.#traces.parse(body);
    if (!node.ok) return undefined;
    this.#watch.see(node.value);
    return this.#watch.find(node.value.name);
  }
}
