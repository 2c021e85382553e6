/**
 * Reads off the node agents' own calls when pods were bound and ran, and how long each node's device plugin was at work:
 * from its look at the node lock until the lock is free again, one pod of a node after the other. It adds no call.
 */
import type { AgentClient } from '../../src/emulator/node-agent/agent-api.ts';
import type { RestClient, RestRequest, StreamEnd, StreamRequest } from '../../src/kubernetes/rest-client.ts';
import type { RestResult } from '../../src/kubernetes/rest-result.ts';

/** How the line of an object begins that is new to a watch. The agents watch bound pods alone, so it has been bound. */
const added = '{"type":"ADDED"';
const statusPath = /^\/api\/v1\/namespaces\/[^/]+\/pods\/([^/]+)\/status$/;
const nodePath = /^\/api\/v1\/nodes\/([^/]+)$/;

export type PodEvent = 'bound' | 'running' | 'failed';

export class AgentObserver implements AgentClient {
  readonly #client: RestClient;
  readonly #onPod: (event: PodEvent, name: string) => void;
  readonly #turns = new Map<string, number>();
  #workedMs = new Map<string, number>();

  constructor(client: RestClient, onPod: (event: PodEvent, name: string) => void) {
    this.#client = client;
    this.#onPod = onPod;
  }

  /** Most time that the device plugin of one node was at work since `reset`; no run can be shorter. */
  get longestWorkMs(): number {
    return Math.max(0, ...this.#workedMs.values());
  }

  reset(): void {
    this.#turns.clear();
    this.#workedMs = new Map();
  }

  async request(request: RestRequest): Promise<RestResult> {
    const node = nodePath.exec(request.path)?.[1];
    if (node !== undefined && request.method === 'GET' && !this.#turns.has(node)) {
      this.#turns.set(node, performance.now());
    }
    const result = await this.#client.request(request);
    if (result.kind !== 'ok') return result;
    if (node !== undefined && request.method === 'PATCH') this.#endTurn(node);
    const pod = statusPath.exec(request.path)?.[1];
    if (pod !== undefined) this.#noteStatus(pod, request.body);
    return result;
  }

  stream(request: StreamRequest): Promise<StreamEnd> {
    return this.#client.stream({
      ...request,
      onLine: (line) => {
        if (line.startsWith(added)) this.#onPod('bound', nameIn(line));
        return request.onLine(line);
      },
    });
  }

  #endTurn(node: string): void {
    const startedMs = this.#turns.get(node);
    if (startedMs === undefined) return;
    this.#turns.delete(node);
    this.#workedMs.set(node, (this.#workedMs.get(node) ?? 0) + performance.now() - startedMs);
  }

  #noteStatus(pod: string, body: unknown): void {
    const { status } = body as { readonly status: { readonly phase?: string } };
    if (status.phase === 'Running') this.#onPod('running', pod);
    else if (status.phase === 'Failed') this.#onPod('failed', pod);
  }
}

function nameIn(line: string): string {
  const { object } = JSON.parse(line) as {
    readonly object: { readonly metadata: { readonly name: string } };
  };
  return object.metadata.name;
}
