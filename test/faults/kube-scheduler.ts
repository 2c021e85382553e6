/**
 * kube-scheduler as the simulated cluster has it: the parts of the emulator's scheduler loop in the same order, but
 * with connections that are handed in, and with what the real one does about pods that nothing wakes: those refused
 * for long are tried again from time to time.
 */
import { ClusterCache } from '../../src/emulator/scheduler-loop/cluster-cache.ts';
import { ExtenderClient } from '../../src/emulator/scheduler-loop/extender-client.ts';
import { fitErrorMessage } from '../../src/emulator/scheduler-loop/fit-error.ts';
import { reasonsAgainst } from '../../src/emulator/scheduler-loop/in-tree-filters.ts';
import { chooseNode } from '../../src/emulator/scheduler-loop/node-choice.ts';
import {
  isWorthRetry,
  parseSchedulableNode,
  type SchedulableNode,
} from '../../src/emulator/scheduler-loop/node-spec.ts';
import { PodQueue } from '../../src/emulator/scheduler-loop/pod-queue.ts';
import { type FailureReason, PodReports } from '../../src/emulator/scheduler-loop/pod-reports.ts';
import { parseSchedulablePod, type SchedulablePod } from '../../src/emulator/scheduler-loop/pod-spec.ts';
import type { SchedulerSettings } from '../../src/emulator/scheduler-loop/scheduler-settings.ts';
import { Reflector } from '../../src/kubernetes/reflector.ts';
import type { RestClient } from '../../src/kubernetes/rest-client.ts';
import type { Clock } from '../../src/model/clock.ts';
import type { Log } from '../../src/telemetry/logger.ts';

export interface KubeSchedulerOptions {
  /** Of the API server. */
  readonly client: RestClient;
  /** Of the extender. */
  readonly extender: Pick<RestClient, 'request'>;
  readonly settings: SchedulerSettings;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
}

type Choice = { readonly node: string } | Failure;

/** kube-scheduler looks every 30 s for pods that were refused five minutes ago; here all refused ones are tried. */
const flushMs = 60_000;

export class KubeScheduler {
  readonly #options: KubeSchedulerOptions;
  readonly #cache = new ClusterCache();
  readonly #queue: PodQueue;
  readonly #reports: PodReports;
  readonly #extender: ExtenderClient;
  readonly #ignored: ReadonlySet<string>;
  readonly #nodes: Reflector<SchedulableNode>;
  readonly #pods: Reflector<SchedulablePod>;
  #deciding = false;
  #isBusy = false;

  constructor(options: KubeSchedulerOptions) {
    const { client, settings, clock, random, log } = options;
    this.#options = options;
    this.#queue = new PodQueue({
      clock,
      onActive: () => {
        // Never rejects: what its calls may answer is a value.
        void this.#runCycles();
      },
    });
    this.#reports = new PodReports({ client, clock, log, schedulerName: settings.schedulerName });
    this.#extender = new ExtenderClient(options.extender, settings.extender);
    this.#ignored = new Set(
      settings.extender.managedResources.flatMap(({ name, ignoredByScheduler }) =>
        ignoredByScheduler ? [name] : [],
      ),
    );
    const shared = { client, clock, random, log };
    this.#nodes = new Reflector<SchedulableNode>({
      ...shared,
      kind: 'nodes to schedule to',
      path: '/api/v1/nodes',
      parse: parseSchedulableNode,
      handler: {
        upsert: (node) => {
          const isNews = isWorthRetry(this.#cache.findNode(node.name), node);
          this.#cache.setNode(node);
          if (isNews) this.#queue.wake();
        },
        remove: ({ name }) => {
          this.#cache.removeNode(name);
          this.#queue.wake();
        },
        malformed: unreadable,
      },
    });
    this.#pods = new Reflector<SchedulablePod>({
      ...shared,
      kind: 'pods to schedule',
      path: '/api/v1/pods',
      query: { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' },
      parse: parseSchedulablePod,
      handler: {
        upsert: (pod) => {
          this.#see(pod);
        },
        remove: ({ uid }) => {
          this.#queue.remove(uid);
          this.#reports.forget(uid);
          if (this.#cache.removePod(uid)) this.#queue.wake();
        },
        malformed: unreadable,
      },
    });
  }

  async start(): Promise<void> {
    this.#nodes.start();
    await this.#nodes.synced;
    this.#pods.start();
    await this.#pods.synced;
    this.#deciding = true;
    this.#flushLater();
    await this.#runCycles();
  }

  #flushLater(): void {
    this.#options.clock.after(flushMs, () => {
      this.#queue.wake();
      this.#flushLater();
    });
  }

  #see(pod: SchedulablePod): void {
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

  /** One pod after the other is given a node; its bind goes on beside the next. */
  async #runCycles(): Promise<void> {
    if (!this.#deciding || this.#isBusy) return;
    this.#isBusy = true;
    for (let pod = this.#queue.take(); pod !== undefined; pod = this.#queue.take()) {
      const choice = await this.#choose(pod);
      if ('reason' in choice) this.#fail(pod, choice);
      else if (this.#queue.find(pod.uid) !== undefined) {
        this.#cache.assume(pod, choice.node);
        // Never rejects, as above.
        void this.#bind(pod, choice.node);
      }
    }
    this.#isBusy = false;
  }

  async #choose(pod: SchedulablePod): Promise<Choice> {
    const { nodes } = this.#cache;
    const reasons = new Map<string, readonly string[]>();
    for (const node of nodes) {
      const against = reasonsAgainst(pod, node, this.#cache.usageOf(node.name), this.#ignored);
      if (against.length > 0) reasons.set(node.name, against);
    }
    let feasible = nodes.filter(({ name }) => !reasons.has(name));
    const names = () => feasible.map(({ name }) => name);
    if (feasible.length > 0) {
      const verdict = await this.#extender.filter(pod, names());
      if (!verdict.ok) return { reason: 'SchedulerError', message: verdict.problem };
      const fits = new Set(verdict.value.feasible);
      for (const [name, reason] of verdict.value.refused) reasons.set(name, [reason]);
      feasible = feasible.filter(({ name }) => fits.has(name));
    }
    const [only] = feasible;
    if (only === undefined) {
      return { reason: 'Unschedulable', message: fitErrorMessage(nodes.length, reasons.values()) };
    }
    if (feasible.length === 1) return { node: only.name };
    const scores = await this.#extender.prioritize(pod, names());
    return {
      node: chooseNode({
        pod,
        nodes: feasible,
        extenderScores: scores.ok ? scores.value : new Map(),
        extenderWeight: this.#extender.weight,
        random: this.#options.random,
      }),
    };
  }

  async #bind(pod: SchedulablePod, node: string): Promise<void> {
    const result = await this.#extender.bind(pod, node);
    if (result.ok) {
      this.#queue.remove(pod.uid);
      this.#reports.bound(pod, node);
      return;
    }
    this.#cache.forget(pod.uid);
    this.#queue.wake();
    this.#fail(pod, { reason: 'SchedulerError', message: result.problem });
  }

  #fail({ uid }: SchedulablePod, { reason, message }: Failure): void {
    const newest = this.#queue.find(uid);
    if (newest === undefined) return;
    this.#queue.giveBack(uid, reason === 'Unschedulable' ? 'refused' : 'backoff');
    this.#reports.failed(newest, reason, message);
  }
}

function unreadable({ name }: { readonly name: string }, problem: string): void {
  throw new Error(`${name} cannot be read: ${problem}`);
}
