/**
 * The few calls that kubelet and the device plugin make, over the small REST client. A call that did not succeed
 * throws `AgentApiError`, as their own clients do; who calls decides whether that ends something or is tried again.
 */
import {
  type NodeObject,
  type NamespacedName,
  type PodObject,
  podName,
} from '../../model/cluster-objects.ts';
import type { Parsed } from '../../model/result.ts';
import { mergePatch, nodePath, podPath } from '../../kubernetes/api-paths.ts';
import type { PatchType, RestClient, RestRequest } from '../../kubernetes/rest-client.ts';
import { failureText, type RestFailure } from '../../kubernetes/rest-result.ts';
import { parseNode, parsePod } from '../../wire/kubernetes.ts';

export type AgentClient = Pick<RestClient, 'request' | 'stream'>;

/** A call failed; the failure tells how. */
export class AgentApiError extends Error {
  override readonly name = 'AgentApiError';
  readonly code = 'AGENT_API';
  readonly failure: RestFailure;

  constructor(action: string, failure: RestFailure) {
    super(`${action}: ${failureText(failure)}`);
    this.failure = failure;
  }
}

export function isAgentApiError(error: unknown): error is AgentApiError {
  return error instanceof AgentApiError;
}

/** True when the server answered with this status. */
export function hasStatus(error: unknown, status: number): boolean {
  return isAgentApiError(error) && error.failure.kind === 'status' && error.failure.status === status;
}

const timeoutMs = 10_000;
export const strategicPatch: PatchType = 'application/strategic-merge-patch+json';

export class AgentApi {
  readonly #client: AgentClient;

  constructor(client: AgentClient) {
    this.#client = client;
  }

  async createNode(manifest: object): Promise<void> {
    await this.#call('creating a node', { method: 'POST', path: '/api/v1/nodes', body: manifest, timeoutMs });
  }

  async node(name: string): Promise<NodeObject & { readonly taints: readonly { readonly key: string }[] }> {
    const body = await this.#call(`reading node ${name}`, { method: 'GET', path: nodePath(name), timeoutMs });
    const { spec } = body as { spec?: { taints?: readonly { readonly key: string }[] } };
    return { ...read(parseNode(body), `node ${name}`), taints: spec?.taints ?? [] };
  }

  /** Merge patch; with a `resourceVersion` in its metadata it is a compare-and-swap. */
  async patchNode(name: string, patch: object): Promise<void> {
    await this.#patch(`patching node ${name}`, nodePath(name), patch, mergePatch);
  }

  async patchNodeStatus(name: string, patch: object): Promise<void> {
    await this.#patch(
      `patching the status of node ${name}`,
      `${nodePath(name)}/status`,
      patch,
      strategicPatch,
    );
  }

  async deleteNode(name: string): Promise<void> {
    await this.#call(`deleting node ${name}`, { method: 'DELETE', path: nodePath(name), timeoutMs });
  }

  async pod(pod: NamespacedName): Promise<PodObject> {
    const body = await this.#call(`reading pod ${podName(pod)}`, {
      method: 'GET',
      path: podPath(pod),
      timeoutMs,
    });
    return read(parsePod(body), `pod ${podName(pod)}`);
  }

  /** The pods of one node, in the server's order. */
  async podsOf(node: string): Promise<readonly PodObject[]> {
    const body = await this.#call(`listing the pods of node ${node}`, {
      method: 'GET',
      path: '/api/v1/pods',
      query: { fieldSelector: `spec.nodeName=${node}` },
      timeoutMs,
    });
    const { items = [] } = body as { items?: readonly unknown[] | null };
    return (items ?? []).map((item) => read(parsePod(item), 'a listed pod'));
  }

  /** Without UID or version, as the real plugin patches. */
  async annotatePod(pod: NamespacedName, annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.#patch(
      `patching pod ${podName(pod)}`,
      podPath(pod),
      { metadata: { annotations } },
      mergePatch,
    );
  }

  /** A compare-and-swap: only onto the version that was read. */
  async annotateVersion(pod: PodObject, annotations: Readonly<Record<string, string>>): Promise<void> {
    const { resourceVersion } = pod;
    await this.#patch(
      `patching pod ${podName(pod)}`,
      podPath(pod),
      { metadata: { resourceVersion, annotations } },
      mergePatch,
    );
  }

  async patchPodStatus(pod: PodObject, status: object): Promise<void> {
    await this.#patch(
      `patching the status of pod ${podName(pod)}`,
      `${podPath(pod)}/status`,
      { metadata: { uid: pod.uid }, status },
      strategicPatch,
    );
  }

  /** Removes the object at once; what bears the name by now but is another pod stays. */
  async deletePod(pod: PodObject): Promise<void> {
    await this.#call(`deleting pod ${podName(pod)}`, {
      method: 'DELETE',
      path: podPath(pod),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        gracePeriodSeconds: 0,
        preconditions: { uid: pod.uid },
      },
      timeoutMs,
    });
  }

  async #patch(action: string, path: string, body: object, contentType: PatchType): Promise<void> {
    await this.#call(action, { method: 'PATCH', path, body, contentType, timeoutMs });
  }

  async #call(action: string, request: RestRequest): Promise<unknown> {
    const result = await this.#client.request(request);
    if (result.kind !== 'ok') throw new AgentApiError(action, result);
    return result.body;
  }
}

function read<T>(object: Parsed<T>, what: string): T {
  if (!object.ok) throw new TypeError(`${what} cannot be read: ${object.problem}`);
  return object.value;
}
