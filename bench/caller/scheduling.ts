/**
 * Calls the extender as kube-scheduler does: filter with a sample of the nodes that goes round, prioritize among those
 * that fit, bind to the best one, one pod at a time over a kept-alive connection. The floor gets every call, too, just
 * before. Between pods it waits until the last one runs, so that a bind never waits for another pod's device plugin.
 */
import { Latencies } from '../report/latencies.ts';
import { Connection } from './connection.ts';
import type { TestBed } from './test-bed.ts';

export interface VerbLatencies {
  readonly ours: Latencies;
  readonly floor: Latencies;
}

export interface SchedulingFigures {
  readonly filter: VerbLatencies;
  readonly prioritize: VerbLatencies;
  readonly bind: VerbLatencies;
  bound: number;
  /** Pods that no node of their sample could take. */
  refused: number;
  /** Filter calls answered with an error, and binds that failed, with the first such text. */
  failed: number;
  firstFailure: string;
  /** Nodes that filter let through, all calls together. */
  feasibleNodes: number;
}

interface FilterAnswer {
  readonly NodeNames?: readonly string[] | null;
  readonly Error?: string;
}

type Priorities = readonly { readonly Host: string; readonly Score: number }[];

interface SentPod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string };
}

export class Scheduling {
  readonly #bed: TestBed;
  readonly #names: number;
  readonly #server: Connection;
  readonly #floor: Connection;
  #nextNode = 0;
  #figures = emptyFigures();

  /** @param names how many node names a filter call has; all there are where that is fewer */
  constructor(bed: TestBed, names: number) {
    this.#bed = bed;
    this.#names = Math.min(names, bed.opened.nodeNames.length);
    this.#server = new Connection(bed.urls['extender'] ?? '');
    this.#floor = new Connection(bed.floorUrl);
  }

  get figures(): SchedulingFigures {
    return this.#figures;
  }

  /** From here on new figures are gathered. */
  beginFigures(): void {
    this.#figures = emptyFigures();
  }

  close(): void {
    this.#server.close();
    this.#floor.close();
  }

  /** Creates a pod and brings it onto a node, or deletes it when none of its sample will do. */
  async schedulePod(): Promise<void> {
    const { cluster } = this.#bed;
    const pod = (await cluster.ask('createPod', { impossible: false })) as SentPod;
    const { name, namespace, uid } = pod.metadata;
    const node = await this.#chooseNode(pod);
    if (node !== undefined) {
      const args = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
      const { Error: problem = '' } = (await this.#call('bind', args)) as { readonly Error?: string };
      if (problem === '') {
        this.#figures.bound += 1;
        await cluster.ask('whenRunning', uid);
        return;
      }
      this.#noteFailure(problem);
    }
    await cluster.ask('deletePod', name);
  }

  /** Asks about a pod that waits; answers the nodes that would take it. */
  async filterPod(pod: object): Promise<readonly string[]> {
    const args = { Pod: pod, Nodes: null, NodeNames: this.#nextSample() };
    const { NodeNames, Error: problem = '' } = (await this.#call('filter', args)) as FilterAnswer;
    const feasible = NodeNames ?? [];
    this.#figures.feasibleNodes += feasible.length;
    if (problem !== '') this.#noteFailure(problem);
    else if (feasible.length === 0) this.#figures.refused += 1;
    return feasible;
  }

  async #chooseNode(pod: object): Promise<string | undefined> {
    const feasible = await this.filterPod(pod);
    if (feasible.length < 2) return feasible[0];
    const args = { Pod: pod, Nodes: null, NodeNames: feasible };
    const scores = (await this.#call('prioritize', args)) as Priorities;
    const [best] = scores.toSorted((a, b) => b.Score - a.Score);
    return best?.Host;
  }

  async #call(verb: 'filter' | 'prioritize' | 'bind', args: object): Promise<unknown> {
    const body = JSON.stringify(args);
    const floor = await this.#floor.post(`/${verb}`, body);
    const ours = await this.#server.post(`/${verb}`, body);
    this.#figures[verb].floor.add(floor.tookMs);
    this.#figures[verb].ours.add(ours.tookMs);
    return JSON.parse(ours.text);
  }

  /** The next nodes in order: kube-scheduler goes on where it stopped the last time. */
  #nextSample(): readonly string[] {
    const { nodeNames } = this.#bed.opened;
    const sample = Array.from(
      { length: this.#names },
      (_, index) => nodeNames[(this.#nextNode + index) % nodeNames.length] ?? '',
    );
    this.#nextNode = (this.#nextNode + this.#names) % nodeNames.length;
    return sample;
  }

  #noteFailure(problem: string): void {
    this.#figures.failed += 1;
    this.#figures.firstFailure ||= problem;
  }
}

function emptyFigures(): SchedulingFigures {
  const both = () => ({ ours: new Latencies(), floor: new Latencies() });
  return {
    filter: both(),
    prioritize: both(),
    bind: both(),
    bound: 0,
    refused: 0,
    failed: 0,
    firstFailure: '',
    feasibleNodes: 0,
  };
}
