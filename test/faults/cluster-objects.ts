/** What users, administrators and onlookers do in a simulated cluster: create and delete pods, and look at objects. */
import type { ApiObject } from '../../src/emulator/api/api-object.ts';
import type { ObjectStore } from '../../src/emulator/api/store.ts';
import { mergePatch, nodePath, podPath, podsPath } from '../../src/kubernetes/api-paths.ts';
import type { RestClient } from '../../src/kubernetes/rest-client.ts';
import type { PodState } from '../integration/scenarios/pods.ts';
import { nodeLocks } from './bind-steps.ts';
import { podNamespace } from './pod-mix.ts';

const timeoutMs = 10_000;

export class ClusterObjects {
  readonly #client: RestClient;
  readonly #store: ObjectStore;

  constructor(client: RestClient, store: ObjectStore) {
    this.#client = client;
    this.#store = store;
  }

  createPod(manifest: object): Promise<unknown> {
    return this.#client.request({ method: 'POST', path: podsPath(podNamespace), body: manifest, timeoutMs });
  }

  /** As `kubectl delete`, or with `--force --grace-period=0`. */
  deletePod(name: string, isForced: boolean): Promise<unknown> {
    return this.#client.request({
      method: 'DELETE',
      path: podPath({ namespace: podNamespace, name }),
      ...(isForced ? { query: { gracePeriodSeconds: 0 } } : {}),
      timeoutMs,
    });
  }

  /** The node's locks are lost, as when its object is made anew. */
  forgetLock(node: string): Promise<unknown> {
    return this.#client.request({
      method: 'PATCH',
      path: nodePath(node),
      contentType: mergePatch,
      body: { metadata: { annotations: Object.fromEntries(nodeLocks.map((lock) => [lock, null])) } },
      timeoutMs,
    });
  }

  /** As the API server has them now. */
  stored(collection: 'pods' | 'nodes'): readonly ApiObject[] {
    return this.#store.collection(collection).at(this.#store.version) ?? [];
  }

  pods(): readonly PodState[] {
    return this.stored('pods') as unknown as readonly PodState[];
  }

  phaseOf(pod: string): string | undefined {
    return this.pods().find(({ metadata }) => metadata.name === pod)?.status?.phase;
  }

  podsOn(node: string): readonly PodState[] {
    return this.pods().filter(({ spec }) => spec.nodeName === node);
  }
}
