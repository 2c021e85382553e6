/**
 * A cluster as a scenario sees it, real or embedded: pods are created and deleted through the API, and what becomes of
 * them is followed by watch. Waiting is for a state, never for a time; a state that does not come fails with what is
 * there instead. A judge looks on.
 */
import { Reflector } from '../../../src/kubernetes/reflector.ts';
import type { PatchType, RestClient } from '../../../src/kubernetes/rest-client.ts';
import { failureText } from '../../../src/kubernetes/rest-result.ts';
import { parsed } from '../../../src/model/result.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { makeLogger } from '../../../src/telemetry/logger.ts';
import { CommitmentJudge } from './commitment-judge.ts';
import { isRunning, type PodState } from './pods.ts';

interface NodeState {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

interface EventState {
  readonly metadata: { readonly uid: string };
  readonly involvedObject: { readonly name: string };
  readonly reason?: string;
  readonly message?: string;
}

const registerAnnotation = 'hami.io/node-nvidia-register';
const callTimeoutMs = 20_000;
const defaultWaitMs = 15_000;

export class ScenarioCluster {
  readonly judge = new CommitmentJudge();
  readonly #client: RestClient;
  readonly #podsPath: string;
  readonly #nodes: Reflector<NodeState>;
  readonly #pods: Reflector<PodState>;
  readonly #eventFeed: Reflector<EventState>;
  readonly #known = new Map<string, PodState>();
  readonly #events = new Map<string, EventState>();
  readonly #looks = new Set<() => void>();

  private constructor(client: RestClient, namespace: string) {
    this.#client = client;
    this.#podsPath = `/api/v1/namespaces/${namespace}/pods`;
    const shared = {
      client,
      clock: systemClock,
      random: Math.random,
      log: makeLogger({ level: 'silent' }),
    };
    const malformed = () => undefined;
    this.#nodes = new Reflector<NodeState>({
      ...shared,
      kind: 'nodes',
      path: '/api/v1/nodes',
      parse: (raw) => parsed(raw as NodeState),
      handler: {
        upsert: ({ metadata }) => {
          this.judge.seeNode(metadata.name, metadata.annotations?.[registerAnnotation]);
        },
        remove: () => undefined,
        malformed,
      },
    });
    this.#pods = new Reflector<PodState>({
      ...shared,
      kind: 'pods',
      path: this.#podsPath,
      parse: (raw) => parsed(raw as PodState),
      handler: {
        upsert: (pod) => {
          this.#known.set(pod.metadata.uid, pod);
          this.judge.seePod(pod);
          this.#look();
        },
        remove: ({ uid }) => {
          this.#known.delete(uid);
          this.judge.losePod(uid);
          this.#look();
        },
        malformed,
      },
    });
    this.#eventFeed = new Reflector<EventState>({
      ...shared,
      kind: 'events',
      path: `/api/v1/namespaces/${namespace}/events`,
      parse: (raw) => parsed(raw as EventState),
      handler: {
        upsert: (event) => {
          this.#events.set(event.metadata.uid, event);
          this.#look();
        },
        remove: () => undefined,
        malformed,
      },
    });
  }

  /** Follows the cluster from now on; nodes must have been added. */
  static async follow(client: RestClient, namespace = 'default'): Promise<ScenarioCluster> {
    const cluster = new ScenarioCluster(client, namespace);
    cluster.#nodes.start();
    await cluster.#nodes.synced;
    cluster.#pods.start();
    cluster.#eventFeed.start();
    await Promise.all([cluster.#pods.synced, cluster.#eventFeed.synced]);
    return cluster;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#nodes.stop(), this.#pods.stop(), this.#eventFeed.stop()]);
  }

  /** Creates pods, all at once. */
  async create(...manifests: readonly object[]): Promise<void> {
    await Promise.all(manifests.map((body) => this.#call({ method: 'POST', path: this.#podsPath, body })));
  }

  /** Asks for a pod's deletion, as `kubectl delete` does; its kubelet does the rest. */
  async delete(name: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: `${this.#podsPath}/${name}` });
  }

  /** Limits what the namespace may hold, e.g. `{ 'limits.nvidia.com/gpumem': '5000' }`. */
  async createQuota(name: string, hard: Readonly<Record<string, string>>): Promise<void> {
    const path = this.#podsPath.replace(/pods$/, 'resourcequotas');
    const body = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name }, spec: { hard } };
    await this.#call({ method: 'POST', path, body });
  }

  async deleteQuota(name: string): Promise<void> {
    const path = this.#podsPath.replace(/pods$/, `resourcequotas/${name}`);
    await this.#call({ method: 'DELETE', path });
  }

  /** Writes annotations of a node as an administrator does; null removes one. */
  async annotateNode(name: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#call({
      method: 'PATCH',
      path: `/api/v1/nodes/${name}`,
      body: { metadata: { annotations } },
      contentType: 'application/merge-patch+json',
    });
  }

  /** Deletes all pods and waits until they are gone. */
  async clear(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ metadata }) => this.delete(metadata.name)));
    await this.waitFor('no pod is left', (pods) => (pods.length === 0 ? true : undefined));
  }

  /** What `look` finds, as soon as it finds something. */
  waitFor<T>(
    what: string,
    look: (pods: readonly PodState[]) => T | undefined,
    timeoutMs = defaultWaitMs,
  ): Promise<T> {
    return this.#until(what, () => look([...this.#known.values()]), timeoutMs);
  }

  /** The pod, once it satisfies the condition. */
  waitForPod(
    name: string,
    what: string,
    isReached: (pod: PodState) => boolean,
    timeoutMs?: number,
  ): Promise<PodState> {
    return this.waitFor(
      `pod ${name} ${what}`,
      (pods) => pods.find((pod) => pod.metadata.name === name && isReached(pod)),
      timeoutMs,
    );
  }

  running(name: string, timeoutMs?: number): Promise<PodState> {
    return this.waitForPod(name, 'runs', isRunning, timeoutMs);
  }

  /** Resolves once an event of this reason about the pod has these words in its message. */
  async untilEvent(name: string, reason: string, words: string): Promise<void> {
    const isMeant = (event: EventState) =>
      event.involvedObject.name === name && event.reason === reason && (event.message ?? '').includes(words);
    await this.#until(`event ${reason} of pod ${name} says ${words}`, () =>
      [...this.#events.values()].some(isMeant) ? true : undefined,
    );
  }

  #until<T>(what: string, look: () => T | undefined, timeoutMs = defaultWaitMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = look();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`not within ${timeoutMs} ms: ${what}; instead: ${this.#summary()}`));
      }, timeoutMs);
      const end = () => {
        clearTimeout(timer);
        this.#looks.delete(check);
      };
      this.#looks.add(check);
      check();
    });
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }

  #summary(): string {
    const states = [...this.#known.values()].map(({ metadata, spec, status }) => {
      const conditions = (status?.conditions ?? []).flatMap(({ message }) => message ?? []).join(' ');
      return `${metadata.name} ${status?.phase ?? ''} ${spec.nodeName ?? ''} ${status?.message ?? ''} ${conditions}`;
    });
    const shown = states.filter((state) => !state.includes(' Running ')).slice(0, 10);
    return `${states.length} pods, of those not running ${shown.join('; ') || 'none'}`;
  }

  async #call(request: {
    readonly method: 'POST' | 'DELETE' | 'PATCH';
    readonly path: string;
    readonly body?: object;
    readonly contentType?: PatchType;
  }): Promise<void> {
    const result = await this.#client.request({ ...request, timeoutMs: callTimeoutMs });
    if (result.kind !== 'ok') throw new Error(`${request.method} ${request.path}: ${failureText(result)}`);
  }
}
