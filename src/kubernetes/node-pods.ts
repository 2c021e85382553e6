/**
 * Makes sure that the ledger holds every pod that is bound to a node: asks the API server for them, and waits until our
 * own watch has brought those that are missing. Only the watch feeds the ledger; a second source would tell of a pod's
 * past after its future. A watch that hangs makes the wait end in a refusal.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { parsePod, podSchema } from '../wire/kubernetes.ts';
import { listedPages } from './listed-pages.ts';
import type { PodWatch } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import { shapeOf } from './skim.ts';

export interface NodePodsOptions {
  readonly client: RestClient;
  readonly pods: PodWatch;
  /** Whether the ledger has the pod as bound to that node. */
  readonly isCharged: (podUid: string, node: string) => boolean;
}

export type CaughtUp = { readonly ok: true } | { readonly ok: false; readonly message: string };

const podShape = shapeOf(podSchema);
const pageSize = 500;

export class NodePods {
  readonly #options: NodePodsOptions;

  constructor(options: NodePodsOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async catchUp(node: string, signal: AbortSignal): Promise<CaughtUp> {
    const { pods, isCharged } = this.#options;
    const bound = await this.#list(node, signal);
    if (!Array.isArray(bound)) return { ok: false, message: `the pods of node ${node}: ${bound.problem}` };
    for (;;) {
      const changed = pods.changed(node, signal);
      const missing = bound.find(({ uid }) => !isCharged(uid, node));
      if (missing === undefined) return { ok: true };
      if (signal.aborted) {
        return {
          ok: false,
          message: `pods of node ${node} have not come by the watch, e.g. ${missing.name}`,
        };
      }
      await changed;
    }
  }

  /** Those that hold something. */
  async #list(node: string, signal: AbortSignal): Promise<PodObject[] | { readonly problem: string }> {
    const query = { fieldSelector: `spec.nodeName=${node}` };
    const path = '/api/v1/pods';
    const found: PodObject[] = [];
    for await (const page of listedPages({
      ...this.#options,
      path,
      query,
      shape: podShape,
      pageSize,
      signal,
    })) {
      if (!page.ok) return { problem: page.problem };
      // What cannot be read comes malformed by the watch, too, and is told there.
      found.push(...page.value.map(parsePod).flatMap((pod) => (pod.ok ? [pod.value] : [])));
    }
    return found.filter(({ phase, running }) => running || (phase !== 'Succeeded' && phase !== 'Failed'));
  }
}
