/**
 * Calls of the extender, in the form in which kube-scheduler makes them (k8s.io/kubernetes `pkg/scheduler/extender.go`,
 * v1.36): POST, keys as Go writes structs without tags, node names instead of nodes, connections kept open between
 * calls, and anything but HTTP 200 an error whose body nobody reads.
 */
import type { RestClient } from '../../kubernetes/rest-client.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { schemaParser } from '../../wire/validate.ts';
import type { SchedulablePod } from './pod-spec.ts';
import type { ExtenderSettings } from './scheduler-settings.ts';

export interface FilterVerdict {
  readonly feasible: readonly string[];
  readonly refused: ReadonlyMap<string, string>;
}

type Refused = Readonly<Record<string, string>> | null;

interface RawFilterResult {
  readonly NodeNames?: readonly string[] | null;
  readonly FailedNodes?: Refused;
  readonly FailedAndUnresolvableNodes?: Refused;
  readonly Error?: string;
}

const refused = { type: 'object', nullable: true, additionalProperties: { type: 'string' } };

const readFilterResult = schemaParser<RawFilterResult>({
  type: 'object',
  properties: {
    NodeNames: { type: 'array', nullable: true, items: { type: 'string' } },
    FailedNodes: refused,
    FailedAndUnresolvableNodes: refused,
    Error: { type: 'string' },
  },
});

const readPriorities = schemaParser<readonly { readonly Host: string; readonly Score: number }[]>({
  type: 'array',
  items: {
    type: 'object',
    properties: { Host: { type: 'string' }, Score: { type: 'integer' } },
    required: ['Host', 'Score'],
  },
});

const readBindResult = schemaParser<{ readonly Error?: string }>({
  type: 'object',
  properties: { Error: { type: 'string' } },
});

export class ExtenderClient {
  readonly #client: Pick<RestClient, 'request'>;
  readonly #settings: ExtenderSettings;
  readonly #managed: ReadonlySet<string>;

  /** @param client of the extender's `urlPrefix` */
  constructor(client: Pick<RestClient, 'request'>, settings: ExtenderSettings) {
    this.#client = client;
    this.#settings = settings;
    this.#managed = new Set(settings.managedResources.map(({ name }) => name));
  }

  get weight(): number {
    return this.#settings.weight;
  }

  /** Whether the pod names a managed resource at all; the amount does not matter. */
  isInterested({ requests }: SchedulablePod): boolean {
    return [...requests.keys()].some((resource) => this.#managed.has(resource));
  }

  async filter(pod: SchedulablePod, nodes: readonly string[]): Promise<Parsed<FilterVerdict>> {
    const answer = await this.#call(this.#settings.filterVerb, nodeArgs(pod, nodes), readFilterResult);
    if (!answer.ok) return answer;
    const { NodeNames, FailedNodes, FailedAndUnresolvableNodes, Error: problem = '' } = answer.value;
    if (problem !== '') return unparsable(problem);
    const feasible = NodeNames ?? [];
    const stranger = feasible.find((name) => !nodes.includes(name));
    if (stranger !== undefined) {
      const { urlPrefix } = this.#settings;
      return unparsable(
        `extender "${urlPrefix}" claims a filtered node "${stranger}" which is not found in the input node list`,
      );
    }
    const failed = { ...FailedNodes, ...FailedAndUnresolvableNodes };
    return parsed({ feasible, refused: new Map(Object.entries(failed)) });
  }

  /** Scores by node, 0 to 10. */
  async prioritize(
    pod: SchedulablePod,
    nodes: readonly string[],
  ): Promise<Parsed<ReadonlyMap<string, number>>> {
    const answer = await this.#call(this.#settings.prioritizeVerb, nodeArgs(pod, nodes), readPriorities);
    if (!answer.ok) return answer;
    return parsed(new Map(answer.value.map(({ Host, Score }) => [Host, Score])));
  }

  async bind({ name, namespace, uid }: SchedulablePod, node: string): Promise<Parsed<true>> {
    const args = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
    const answer = await this.#call(this.#settings.bindVerb, args, readBindResult);
    if (!answer.ok) return answer;
    const { Error: problem = '' } = answer.value;
    return problem === '' ? parsed(true) : unparsable(problem);
  }

  async #call<T>(verb: string, body: object, read: (value: unknown) => Parsed<T>): Promise<Parsed<T>> {
    const { urlPrefix, httpTimeoutMs } = this.#settings;
    const url = `${urlPrefix}/${verb}`;
    const result = await this.#client.request({
      method: 'POST',
      path: `/${verb}`,
      body,
      timeoutMs: httpTimeoutMs,
    });
    if (result.kind === 'status' || (result.kind === 'ok' && result.status !== 200)) {
      return unparsable(`failed ${verb} with extender at URL ${url}, code ${result.status}`);
    }
    return result.kind === 'ok' ? read(result.body) : unparsable(`Post "${url}": ${result.message}`);
  }
}

function nodeArgs({ object }: SchedulablePod, nodes: readonly string[]): object {
  return { Pod: object, Nodes: null, NodeNames: nodes };
}
