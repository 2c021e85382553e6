/**
 * Makes sure that the ledger holds every pod that is bound to a node: asks the API server for them, and waits until our
 * own watch has brought those that are missing. Only the watch feeds the ledger; a second source would tell of a pod's
 * past after its future. A watch that hangs makes the wait end in a refusal.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parsePod, podStatusSchema } from '../wire/kubernetes.ts';
import { pageShape, parseListPage } from './list-watch-format.ts';
import type { PodWatch } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';
import { shapeOf, shapeWith } from './skim.ts';

export interface NodePodsOptions {
  readonly client: RestClient;
  readonly pods: PodWatch;
  /** Whether the ledger has the pod as bound to that node. */
  readonly isCharged: (podUid: string, node: string) => boolean;
}

export type CaughtUp = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Who they are, and whether they hold something still: the rest is the watch's to tell, and most of a list's size. */
const podsShape = pageShape(
  shapeWith({ metadata: shapeWith({ name: 'whole', uid: 'whole' }), status: shapeOf(podStatusSchema) }),
);
const callTimeoutMs = 10_000;

export class NodePods {
  readonly #options: NodePodsOptions;

  constructor(options: NodePodsOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async catchUp(node: string, signal: AbortSignal): Promise<CaughtUp> {
    const { pods, isCharged } = this.#options;
    const bound = await this.#list(node, signal);
    if (!bound.ok) return { ok: false, message: `the pods of node ${node}: ${bound.problem}` };
    for (;;) {
      const changed = pods.changed(node, signal);
      const missing = bound.value.find(({ uid }) => !isCharged(uid, node));
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

  /** Those that hold something. In one piece: the server keeps an index of nodes, which it does not use for pages. */
  async #list(node: string, signal: AbortSignal): Promise<Parsed<readonly PodObject[]>> {
    const result = await this.#options.client.request({
      method: 'GET',
      path: '/api/v1/pods',
      query: { fieldSelector: `spec.nodeName=${node}` },
      shape: podsShape,
      timeoutMs: callTimeoutMs,
      signal,
    });
    const page = result.kind === 'ok' ? parseListPage(result.body) : unparsable(failureText(result));
    if (!page.ok) return page;
    // What cannot be read comes malformed by the watch, too, and is told there.
    const pods = page.value.items.map(parsePod).flatMap((pod) => (pod.ok ? [pod.value] : []));
    return parsed(
      pods.filter(({ phase, running }) => running || (phase !== 'Succeeded' && phase !== 'Failed')),
    );
  }
}
