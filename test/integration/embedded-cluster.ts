/**
 * A whole cluster in this process: embedded API, machines, our server as in production, and the scheduler loop. The
 * server can be killed: from then on nothing it does reaches the API, as if its process were gone.
 */
import { type Parsed } from '../../src/model/result.ts';
import type { Mapping } from '../../src/wire/mapping.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { ControlPlane } from '../../src/commands/demo/control-plane.ts';
import { embeddedServerConfig, startEmbeddedServer } from '../../src/commands/demo/embedded-server.ts';
import { schedulerSettings } from '../../src/commands/demo/scheduler-settings.ts';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { SchedulerLoop } from '../../src/emulator/scheduler-loop/scheduler-loop.ts';
import type { Endpoints } from '../../src/http/endpoints.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { failureText } from '../../src/kubernetes/rest-result.ts';
import type { Explanation } from '../../src/scheduler/explain.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';

const anyPort = '127.0.0.1:0';
const anyAddresses = { listen: anyPort, listenExtender: anyPort, listenMetrics: anyPort };
const log = makeLogger({ level: 'silent' });

export interface EmbeddedClusterOptions {
  readonly seed?: number;
  /** Of the server, beside its addresses; keys as in the configuration file. */
  readonly settings?: Mapping;
}

interface Server {
  readonly endpoints: Endpoints;
  kill(): Promise<void>;
}

export class EmbeddedCluster {
  readonly #plane: ControlPlane;
  readonly #random: () => number;
  readonly #settings: Mapping;
  #server: Server;
  #loop: SchedulerLoop | undefined;

  private constructor(plane: ControlPlane, server: Server, random: () => number, settings: Mapping) {
    this.#plane = plane;
    this.#server = server;
    this.#random = random;
    this.#settings = settings;
  }

  static async start(
    nodes: readonly NodeDescription[],
    { seed = 1, settings = {} }: EmbeddedClusterOptions = {},
  ): Promise<EmbeddedCluster> {
    const random = seededRandom(seed);
    const plane = required(await ControlPlane.start({ nodes, random, log }));
    const server = await startServer(plane, required(embeddedServerConfig(anyAddresses, settings)));
    const cluster = new EmbeddedCluster(plane, server, random, settings);
    await cluster.#startLoop();
    return cluster;
  }

  /** Of the embedded API. */
  get client(): RestClient {
    return this.#plane.client;
  }

  get agent(): NodeAgent {
    return this.#plane.agent;
  }

  /** Kills the server, or has it stop by itself, and starts another at the same addresses. */
  async restartServer(how: 'killed' | 'stopped' = 'killed'): Promise<void> {
    const { urls } = this.#server.endpoints;
    await (how === 'killed' ? this.#server.kill() : this.#server.endpoints.close());
    const addressOf = (purpose: string) => new URL(urls[purpose] ?? '').host;
    const addresses = {
      listen: addressOf('main'),
      listenExtender: addressOf('extender'),
      listenMetrics: addressOf('metrics'),
    };
    this.#server = await startServer(this.#plane, required(embeddedServerConfig(addresses, this.#settings)));
  }

  /** What the server says of a pod in the default namespace. */
  async explain(pod: string): Promise<Explanation> {
    const { urls } = this.#server.endpoints;
    const ca = await this.#plane.readAuthority();
    const access = {
      server: urls['main'] ?? '',
      authorize: () => Promise.resolve({ headers: {}, tls: { ca } }),
      renew: () => undefined,
    };
    const client = new RestClient({ access, clock: systemClock, version: 'test' });
    try {
      const answer = await client.request({
        method: 'GET',
        path: `/explain/default/${pod}`,
        timeoutMs: 10_000,
      });
      if (answer.kind !== 'ok') throw new Error(`explaining ${pod}: ${failureText(answer)}`);
      return answer.body as Explanation;
    } finally {
      client.close();
    }
  }

  /** What the server says of itself, by metric with labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`${this.#server.endpoints.urls['metrics'] ?? ''}/metrics`);
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
    await this.#server.endpoints.close();
    await this.#plane.close();
  }

  async #startLoop(): Promise<void> {
    const config = required(embeddedServerConfig(anyAddresses, this.#settings));
    this.#loop = new SchedulerLoop({
      client: this.#plane.client,
      settings: schedulerSettings(config, this.#server.endpoints.urls['extender'] ?? ''),
      clock: systemClock,
      random: this.#random,
      log,
    });
    await this.#loop.start();
  }
}

async function startServer(plane: ControlPlane, config: TesseraConfig): Promise<Server> {
  const access = openAccess(plane.emulator.url);
  let killed = false;
  const client = new RestClient({
    access: {
      ...access,
      authorize: () => (killed ? Promise.reject(new Error('the server was killed')) : access.authorize()),
    },
    clock: systemClock,
    version: 'test',
  });
  const endpoints = required(
    await startEmbeddedServer({ config: { ...config, shutdownGraceSeconds: 0 }, client, log }),
  );
  plane.serveWebhookAt(endpoints.urls['main'] ?? '');
  return {
    endpoints,
    kill: async () => {
      killed = true;
      client.close();
      await endpoints.close();
    },
  };
}

function required<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}
