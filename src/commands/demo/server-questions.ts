/** What the demo asks its own server over HTTPS, as a person with curl would: the state of all cards, and why a pod waits. */
import { systemClock } from '../../http/system-clock.ts';
import { RestClient } from '../../kubernetes/rest-client.ts';
import type { NamespacedName } from '../../model/cluster-objects.ts';
import type { DeviceView } from '../../model/node-view.ts';
import type { Explanation, NodeExplanation } from '../../scheduler/explain.ts';
import { version } from '../version.ts';

export interface NodeState {
  readonly name: string;
  /** Absent where the node announces none. */
  readonly devices?: readonly DeviceView[];
}

const timeoutMs = 2000;

export class ServerQuestions {
  readonly #client: RestClient;

  /** @param authority PEM */
  constructor(url: string, authority: string) {
    const access = {
      server: url,
      authorize: () => Promise.resolve({ headers: {}, tls: { ca: authority } }),
      renew: () => undefined,
    };
    this.#client = new RestClient({ access, clock: systemClock, version });
  }

  /** Undefined when the server does not answer. */
  async nodes(): Promise<readonly NodeState[] | undefined> {
    const body = await this.#get('/debug/state');
    return (body as { readonly nodes: readonly NodeState[] } | undefined)?.nodes;
  }

  /** The node that comes nearest to what a waiting pod asks for, and what it lacks; undefined if some node has it all. */
  async nearestMiss({ namespace, name }: NamespacedName): Promise<NodeExplanation | undefined> {
    const body = await this.#get(`/explain/${namespace}/${name}`);
    const explanation = body as Explanation | undefined;
    if (explanation?.state !== 'pending') return undefined;
    if (explanation.nodes.some(({ fits }) => fits)) return undefined;
    return explanation.nodes.reduce<NodeExplanation | undefined>(
      (best, miss) => (best === undefined || nearness(miss) > nearness(best) ? miss : best),
      undefined,
    );
  }

  close(): void {
    this.#client.close();
  }

  async #get(path: string): Promise<unknown> {
    const result = await this.#client.request({ method: 'GET', path, timeoutMs });
    return result.kind === 'ok' ? result.body : undefined;
  }
}

/** More cards that would do are nearer; with none, more cards at all. */
function nearness({ refusal }: NodeExplanation): number {
  switch (refusal?.code) {
    case 'AllocatedCardsInsufficientRequest':
      return 1 + refusal.accepted + refusal.cards / 1000;
    case 'NodeInsufficientDevice':
      return refusal.cards / 1000;
    case 'NodeCountExhausted':
      return 0;
    case 'NodeClosed':
    case 'NodeBusy':
    case 'NodeUnregistered':
    case 'RequestInvalid':
    case undefined:
      return -1;
  }
}
