/**
 * Several servers of one installation for a kube-scheduler elsewhere, each with its pod, and the two Services: as in a
 * cluster, the webhook's leads to any that is ready and the extender's to the one whose pod is labelled as the leader.
 */
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import type { PemPair } from '../../../src/certificates/pem.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { HeldApi } from './held-api.ts';
import { createOwnPod, serverConfig, serviceMode, untilWebhookAnswers } from './installation.ts';
import type { PodState } from './pods.ts';
import { authorityOfServer } from './questions.ts';
import { Tessera } from './tessera.ts';

export interface Replica {
  readonly pod: string;
  readonly tessera: Tessera;
  /** Its way to the API server. */
  readonly api: HeldApi;
}

export interface BindAnswer {
  readonly error: string;
  /** The answer's `Connection` header. */
  readonly connection: string | undefined;
}

const { namespace, name } = serviceMode;
const roleLabel = 'hami.io/scheduler-role';
/** Oftener than a cluster's own parts would look. */
const routeEveryMs = 50;
const callTimeoutMs = 2000;

export class Replicas {
  readonly #cluster: Cluster;
  readonly #client: PemPair;
  readonly all: readonly Replica[];

  private constructor(cluster: Cluster, client: PemPair, all: readonly Replica[]) {
    this.#cluster = cluster;
    this.#client = client;
    this.all = all;
  }

  /** Installs and starts them; resolves when one leads and the API server consults their webhook. */
  static async start(cluster: Cluster, pods: readonly string[]): Promise<Replicas> {
    const nowMs = Date.now();
    const authority = await issueAuthority({ commonName: 'schedulers', validDays: 1, nowMs });
    const leaf = await issueLeaf({
      authority,
      names: ['kube-scheduler'],
      validDays: 1,
      nowMs,
      clientAuth: true,
    });
    if (!leaf.ok) throw new Error(leaf.problem);
    await serviceMode.install(cluster);
    const config = await serverConfig(cluster, serviceMode, authority.certificate);
    const all: Replica[] = [];
    for (const pod of pods) {
      await createOwnPod(cluster, serviceMode, pod);
      const api = await HeldApi.start(cluster);
      const tessera = await Tessera.start(cluster, {
        kubeconfig: await api.kubeconfig(namespace, name, `${pod}.kubeconfig`),
        config,
        // As the chart has it.
        env: { POD_NAMESPACE: namespace, POD_NAME: pod, TESSERA_SHUTDOWN_DELAY_SECONDS: '5' },
        isExtenderService: true,
        pod,
      });
      all.push({ pod, tessera, api });
    }
    const replicas = new Replicas(cluster, leaf.value, all);
    await replicas.leader();
    replicas.#keepRoutes();
    await untilWebhookAnswers(cluster);
    return replicas;
  }

  /** Waits until one says that it leads, other than those that are left out. */
  leader({ except = [], timeoutMs = 20_000 }: { except?: readonly Replica[]; timeoutMs?: number } = {}) {
    return eventually(
      'a replica leads',
      async () => {
        const seen = await Promise.all(
          this.all
            .filter((replica) => !except.includes(replica))
            .map(async (replica) => ({ replica, says: await replica.tessera.readiness() })),
        );
        const leading = seen.find(({ says }) => says === 'ok, leader');
        return leading === undefined
          ? { not: seen.map(({ replica, says }) => `${replica.pod}: ${says}`).join('; ') }
          : { done: leading.replica };
      },
      timeoutMs,
    );
  }

  other(replica: Replica): Replica {
    const found = this.all.find((one) => one !== replica);
    if (found === undefined) throw new Error('there is but one');
    return found;
  }

  /** Binds a pod as kube-scheduler would, by way of no Service. Rejects when the connection breaks. */
  async bind({ tessera }: Replica, { metadata }: PodState, node: string): Promise<BindAnswer> {
    const ca = await authorityOfServer(this.#cluster);
    return new Promise((resolve, reject) => {
      const asked = request(
        `https://127.0.0.1:${tessera.port}/bind`,
        {
          method: 'POST',
          agent: false,
          ca,
          cert: this.#client.certificate,
          key: this.#client.key,
          headers: { 'content-type': 'application/json', connection: 'keep-alive' },
        },
        (response) => {
          text(response).then((body) => {
            const { Error: error } = JSON.parse(body) as { Error: string };
            resolve({ error, connection: response.headers.connection });
          }, reject);
        },
      );
      asked.on('error', reject);
      const { namespace: PodNamespace, name: PodName, uid: PodUID } = metadata;
      asked.end(JSON.stringify({ PodNamespace, PodName, PodUID, Node: node }));
    });
  }

  /** For kube-scheduler's `tlsConfig`. */
  async extenderTls() {
    const { folder } = this.#cluster;
    return {
      caFile: await folder.write('extender-ca.crt', await authorityOfServer(this.#cluster)),
      certFile: await folder.write('extender.crt', this.#client.certificate),
      keyFile: await folder.write('extender.key', this.#client.key),
    };
  }

  #keepRoutes(): void {
    const stopping = new AbortController();
    const running = this.#routeUntil(stopping.signal);
    this.#cluster.onStop(async () => {
      stopping.abort();
      await running;
    });
  }

  async #routeUntil(signal: AbortSignal): Promise<void> {
    const routed = new Map<string, Replica>();
    const route = async (service: string, to: Replica | undefined) => {
      if (to === undefined || routed.get(service) === to) return;
      await this.#cluster.routeService(namespace, service, to.tessera.port);
      routed.set(service, to);
    };
    while (!signal.aborted) {
      const ready = await Promise.all(
        this.all.map(async (one) => ((await one.tessera.readiness()).startsWith('ok') ? one : undefined)),
      );
      const leader = await this.#labelledLeader();
      await route(
        name,
        ready.find((one) => one !== undefined),
      );
      await route(
        `${name}-extender`,
        ready.find((one) => one !== undefined && one.pod === leader),
      );
      await pause(routeEveryMs);
    }
  }

  /** Undefined, too, while the API server cannot be reached. */
  async #labelledLeader(): Promise<string | undefined> {
    const result = await this.#cluster.api.request({
      method: 'GET',
      path: `/api/v1/namespaces/${namespace}/pods`,
      query: { labelSelector: `${roleLabel}=leader` },
      timeoutMs: callTimeoutMs,
    });
    if (result.kind !== 'ok') return undefined;
    const { items } = result.body as { readonly items: readonly PodState[] };
    return items.length === 1 ? items[0]?.metadata.name : undefined;
  }
}
