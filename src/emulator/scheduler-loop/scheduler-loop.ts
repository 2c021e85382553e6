/**
 * A small scheduler for the demo and for tests, and for nothing else: it schedules pods of one scheduler name and talks
 * to their extender over HTTP as kube-scheduler v1.36 does. One pod at a time is filtered and given a node; its binding
 * then goes on in the background while the next one is looked at. Preemption, volumes, topology spread and everything
 * else that `in-tree-filters.ts` does not name do not exist here.
 */
import { podPath } from '../../kubernetes/api-paths.ts';
import { openAccess } from '../../kubernetes/api-access.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import { RestClient } from '../../kubernetes/rest-client.ts';
import { failureText } from '../../kubernetes/rest-result.ts';
import type { Clock } from '../../model/clock.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { Log } from '../../telemetry/logger.ts';
import { ClusterCache } from './cluster-cache.ts';
import { ExtenderClient } from './extender-client.ts';
import { fitErrorMessage } from './fit-error.ts';
import { reasonsAgainst } from './in-tree-filters.ts';
import { chooseNode } from './node-choice.ts';
import { isWorthRetry, parseSchedulableNode, type SchedulableNode } from './node-spec.ts';
import { PodQueue } from './pod-queue.ts';
import { type FailureReason, PodReports } from './pod-reports.ts';
import { parseSchedulablePod, type SchedulablePod } from './pod-spec.ts';
import type { SchedulerSettings } from './scheduler-settings.ts';

export interface SchedulerLoopOptions {
  /** Of the API server. */
  readonly client: Pick<RestClient, 'request' | 'stream'>;
  readonly settings: SchedulerSettings;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** Why an attempt came to nothing: no node will do, or something broke. */
interface Failure {
  readonly ok: false;
  readonly reason: FailureReason;
  readonly message: string;
}

const bindingTimeoutMs = 30_000;

export class SchedulerLoop {
  readonly #options: SchedulerLoopOptions;
  readonly #cache = new ClusterCache();
  readonly #queue: PodQueue;
  readonly #reports: PodReports;
  readonly #extenderConnections: RestClient;
  readonly #extender: ExtenderClient;
  readonly #ignored: ReadonlySet<string>;
  readonly #nodes: Reflector<SchedulableNode>;
  readonly #pods: Reflector<SchedulablePod>;
  readonly #binding = new Set<Promise<void>>();
  #cycles: Promise<void> | undefined;
  /** Before everything is known, nothing is decided; after the end, neither. */
  #deciding = false;

  constructor(options: SchedulerLoopOptions) {
    const { client, settings, clock, random, log } = options;
    const { extender } = settings;
    this.#options = options;
    this.#queue = new PodQueue({
      clock,
      onActive: () => {
        this.#startCycles();
      },
    });
    this.#reports = new PodReports({ client, clock, log, schedulerName: settings.schedulerName });
    const access = openAccess(extender.urlPrefix);
    this.#extenderConnections = new RestClient({ access, clock, version: 'scheduler-loop' });
    this.#extender = new ExtenderClient(this.#extenderConnections, extender);
    this.#ignored = new Set(
      extender.managedResources.flatMap(({ name, ignoredByScheduler }) => (ignoredByScheduler ? [name] : [])),
    );
    const shared = { client, clock, random, log };
    this.#nodes = new Reflector<SchedulableNode>({
      ...shared,
      kind: 'nodes to schedule to',
      path: '/api/v1/nodes',
      parse: parseSchedulableNode,
      handler: {
        upsert: (node) => {
          this.#seeNode(node);
        },
        remove: ({ name }) => {
          this.#cache.removeNode(name);
          this.#queue.wake();
        },
        malformed: ({ name }, problem) => {
          log.error({ node: name, problem }, 'node cannot be read');
        },
      },
    });
    this.#pods = new Reflector<SchedulablePod>({
      ...shared,
      kind: 'pods to schedule',
      path: '/api/v1/pods',
      // A pod that is over takes nothing, so to a scheduler it is gone.
      query: { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' },
      parse: parseSchedulablePod,
      handler: {
        upsert: (pod) => {
          this.#seePod(pod);
        },
        remove: ({ uid }) => {
          this.#losePod(uid);
        },
        malformed: ({ namespace, name }, problem) => {
          log.error({ pod: `${namespace}/${name}`, problem }, 'pod cannot be read');
        },
      },
    });
  }

  /** Begins to schedule; resolves when all nodes and pods that exist are known. */
  async start(): Promise<void> {
    this.#nodes.start();
    await this.#nodes.synced;
    this.#pods.start();
    await this.#pods.synced;
    this.#deciding = true;
    this.#startCycles();
  }

  /** Ends watches and calls; bindings under way are cut off, their outcome is not looked up. */
  async stop(): Promise<void> {
    this.#deciding = false;
    this.#queue.stop();
    this.#extenderConnections.close();
    await Promise.all([this.#nodes.stop(), this.#pods.stop(), this.#cycles, ...this.#binding]);
    await this.#reports.flush();
  }

  // --- what the watches say

  #seeNode(node: SchedulableNode): void {
    const before = this.#cache.findNode(node.name);
    this.#cache.setNode(node);
    if (isWorthRetry(before, node)) this.#queue.wake();
  }

  #seePod(pod: SchedulablePod): void {
    if (pod.nodeName !== undefined) {
      this.#queue.remove(pod.uid);
      this.#reports.forget(pod.uid);
      this.#cache.assign(pod, pod.nodeName);
      this.#queue.wake();
      return;
    }
    if (pod.schedulerName !== this.#options.settings.schedulerName || this.#cache.isAssumed(pod.uid)) return;
    if (pod.deleting || pod.gated) this.#queue.remove(pod.uid);
    else this.#queue.offer(pod);
  }

  #losePod(uid: string): void {
    this.#queue.remove(uid);
    this.#reports.forget(uid);
    if (this.#cache.removePod(uid)) this.#queue.wake();
  }

  // --- one pod at a time

  #startCycles(): void {
    if (!this.#deciding || this.#cycles !== undefined) return;
    this.#cycles = this.#runCycles().finally(() => {
      this.#cycles = undefined;
      // A pod may have become active after the last look.
      if (this.#queue.hasActive) this.#startCycles();
    });
  }

  async #runCycles(): Promise<void> {
    while (this.#deciding) {
      const pod = this.#queue.take();
      if (pod === undefined) return;
      await this.#schedule(pod);
    }
  }

  async #schedule(pod: SchedulablePod): Promise<void> {
    const found = await this.#findNode(pod);
    if (!found.ok) {
      this.#fail(pod, found);
      return;
    }
    // The pod may have gone, and the end may have come, while the extender was asked.
    if (!this.#deciding || this.#queue.find(pod.uid) === undefined) return;
    const { node } = found;
    this.#cache.assume(pod, node);
    const binding = this.#bind(pod, node).finally(() => this.#binding.delete(binding));
    this.#binding.add(binding);
  }

  async #findNode(pod: SchedulablePod): Promise<{ readonly ok: true; readonly node: string } | Failure> {
    const nodes = this.#cache.nodes;
    const reasons = new Map<string, readonly string[]>();
    for (const node of nodes) {
      const against = reasonsAgainst(pod, node, this.#cache.usageOf(node.name), this.#ignored);
      if (against.length > 0) reasons.set(node.name, against);
    }
    let feasible = nodes.filter(({ name }) => !reasons.has(name));
    const isExtended = this.#extender.isInterested(pod);
    if (feasible.length > 0 && isExtended) {
      const verdict = await this.#extender.filter(pod, namesOf(feasible));
      if (!verdict.ok) return { ok: false, reason: 'SchedulerError', message: verdict.problem };
      const fits = new Set(verdict.value.feasible);
      for (const [name, reason] of verdict.value.refused) reasons.set(name, [reason]);
      feasible = feasible.filter(({ name }) => fits.has(name));
    }
    const [only] = feasible;
    if (only === undefined) {
      const message = fitErrorMessage(nodes.length, reasons.values());
      return { ok: false, reason: 'Unschedulable', message };
    }
    // With one node left there is nothing to rank, and the extender is not asked.
    const node = feasible.length === 1 ? only.name : await this.#choose(pod, feasible, isExtended);
    return { ok: true, node };
  }

  async #choose(
    pod: SchedulablePod,
    nodes: readonly SchedulableNode[],
    isExtended: boolean,
  ): Promise<string> {
    const scores = isExtended ? await this.#extender.prioritize(pod, namesOf(nodes)) : parsed(new Map());
    if (!scores.ok) this.#options.log.warn({ reason: scores.problem }, 'extender gave no scores');
    return chooseNode({
      pod,
      nodes,
      // An extender that does not answer leaves the choice to the others.
      extenderScores: scores.ok ? scores.value : new Map(),
      extenderWeight: this.#extender.weight,
      random: this.#options.random,
    });
  }

  #fail({ uid }: SchedulablePod, { reason, message }: Failure): void {
    const newest = this.#queue.find(uid);
    if (newest === undefined || !this.#deciding) return;
    this.#queue.giveBack(uid, reason === 'Unschedulable' ? 'refused' : 'backoff');
    this.#reports.failed(newest, reason, message);
  }

  // --- in the background

  async #bind(pod: SchedulablePod, node: string): Promise<void> {
    const result = this.#extender.isInterested(pod)
      ? await this.#extender.bind(pod, node)
      : await this.#postBinding(pod, node);
    if (!this.#deciding) return;
    if (result.ok) {
      this.#queue.remove(pod.uid);
      this.#reports.bound(pod, node);
      return;
    }
    this.#cache.forget(pod.uid);
    this.#queue.wake();
    this.#fail(pod, { ok: false, reason: 'SchedulerError', message: result.problem });
  }

  async #postBinding(pod: SchedulablePod, node: string): Promise<Parsed<true>> {
    const { namespace, name, uid } = pod;
    const result = await this.#options.client.request({
      method: 'POST',
      path: `${podPath(pod)}/binding`,
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      },
      timeoutMs: bindingTimeoutMs,
    });
    return result.kind === 'ok'
      ? parsed(true)
      : unparsable(`running Bind plugin "DefaultBinder": ${failureText(result)}`);
  }
}

function namesOf(nodes: readonly SchedulableNode[]): readonly string[] {
  return nodes.map(({ name }) => name);
}
