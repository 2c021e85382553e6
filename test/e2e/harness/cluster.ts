/**
 * A real Kubernetes control plane on loopback for one test file: etcd, kube-apiserver and, when a test asks for it,
 * kube-scheduler. No controller-manager and no kubelet run; `machines.ts` plays the nodes. Everything lives in one
 * folder and is gone when the run ends, whatever ended it.
 */
import { stringify } from 'yaml';
import { RestClient } from '../../../src/kubernetes/rest-client.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { ensureBinaries } from '../build-binaries.mjs';
import { runCommand } from './command.ts';
import {
  compactEtcd,
  type Credentials,
  makeCredentials,
  startApiServer,
  startEtcd,
  startKubeScheduler,
} from './control-plane.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { type Kubectl, kubectlFor, type KubectlOutput } from './kubectl.ts';
import { onFreePort } from './ports.ts';
import { RunFolder } from './run-folder.ts';
import { adaptSchedulerConfig, type SchedulerSurroundings } from './scheduler-config.ts';
import type { Service } from './service.ts';
import { ServiceProxy } from './service-proxy.ts';

type Binaries = Awaited<ReturnType<typeof ensureBinaries>>;

export interface ClusterOptions {
  /** Flags of kube-apiserver beside the run's own. */
  readonly apiServerArgs?: readonly string[];
}

/** A process that ends with the cluster. */
export type AdoptedService = Pick<Service, 'name' | 'end' | 'lastLines'>;

interface ClusterParts {
  readonly options: ClusterOptions;
  readonly binaries: Binaries;
  readonly folder: RunFolder;
  readonly credentials: Credentials;
  readonly proxy: ServiceProxy;
  readonly etcdPort: number;
  readonly etcd: Service;
}

const proxySocketName = 'services.sock';

export class Cluster {
  readonly #parts: ClusterParts;
  readonly #clients: RestClient[] = [];
  readonly #extraServices: AdoptedService[] = [];
  readonly #cleanups: (() => Promise<void>)[] = [];
  #apiServer: Service;
  #scheduler: Service | undefined;
  readonly #port: number;
  /** As admin. */
  readonly kubectl: Kubectl;
  readonly kubectlOutput: KubectlOutput;
  /** As admin. */
  readonly api: RestClient;
  /** A kubeconfig file with all rights. */
  readonly adminKubeconfig: string;

  private constructor(parts: ClusterParts, apiServer: Service, port: number, adminKubeconfig: string) {
    this.#parts = parts;
    this.#apiServer = apiServer;
    this.#port = port;
    this.adminKubeconfig = adminKubeconfig;
    this.kubectlOutput = kubectlFor(parts.binaries.kubectl, adminKubeconfig);
    this.kubectl = async (args, options) => (await this.kubectlOutput(args, options)).stdout;
    this.api = this.client();
  }

  /** Starts etcd and kube-apiserver; resolves when the server is ready and has its default namespace. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const binaries = await ensureBinaries({
      log: (line) => {
        console.error(line);
      },
    });
    const folder = await RunFolder.make();
    const proxy = await ServiceProxy.start(folder.file(proxySocketName));
    try {
      const credentials = await makeCredentials(folder);
      const { etcd, etcdPort } = await onFreePort(async (port) => ({
        etcd: await startEtcd(folder, binaries.etcd, port),
        etcdPort: port,
      }));
      const parts = { options, binaries, folder, credentials, proxy, etcdPort, etcd };
      const { apiServer, port } = await onFreePort(async (free) => ({
        apiServer: await startOnPort(parts, free),
        port: free,
      }));
      const url = `https://127.0.0.1:${port}`;
      const kubeconfig = await folder.write(
        'admin.kubeconfig',
        kubeconfigText(url, credentials.ca, credentials.admin),
      );
      const cluster = new Cluster(parts, apiServer, port, kubeconfig);
      await cluster.kubectl(['wait', '--for=create', '--timeout=30s', 'namespace/default']);
      return cluster;
    } catch (error) {
      await proxy.stop();
      await folder.remove();
      throw error;
    }
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** The API server's authority, PEM. */
  get ca(): string {
    return this.#parts.credentials.ca;
  }

  /** The bearer token behind the admin's kubeconfig. */
  get adminToken(): string {
    return this.#parts.credentials.admin.token;
  }

  get folder(): RunFolder {
    return this.#parts.folder;
  }

  get binaries(): Binaries {
    return this.#parts.binaries;
  }

  get apiServer(): Service {
    return this.#apiServer;
  }

  get scheduler(): Service | undefined {
    return this.#scheduler;
  }

  /** A client with all rights and connections of its own; closed with the cluster. */
  client(): RestClient {
    const { ca, admin } = this.#parts.credentials;
    const client = new RestClient({
      access: {
        server: this.url,
        authorize: () =>
          Promise.resolve({ headers: { authorization: `Bearer ${admin.token}` }, tls: { ca } }),
        renew: () => undefined,
      },
      clock: systemClock,
      version: 'e2e',
    });
    this.#clients.push(client);
    return client;
  }

  /** Applies YAML text, or an object or a list of them; answers what kubectl says. */
  async apply(manifest: string | object | readonly object[]): Promise<string> {
    const input = typeof manifest === 'string' ? manifest : documents(manifest);
    return this.kubectl(['apply', '-f', '-'], { input });
  }

  /** Creates objects that have no `kubectl apply` history; faster for many. */
  async create(objects: readonly object[]): Promise<string> {
    return this.kubectl(['create', '-f', '-'], { input: documents(objects) });
  }

  /** A kubeconfig file for a ServiceAccount that exists: whoever uses it has just that account's rights. */
  async accountKubeconfig(namespace: string, account: string): Promise<string> {
    const token = (await this.kubectl(['create', 'token', account, '-n', namespace])).trim();
    return this.folder.write(
      `${namespace}.${account}.kubeconfig`,
      kubeconfigText(this.url, this.ca, { name: account, token }),
    );
  }

  /** From now on, requests to a Service that exists end at a local port, by its address as by its name. */
  async routeService(namespace: string, name: string, localPort: number): Promise<void> {
    const text = await this.kubectl(['get', 'service', name, '-n', namespace, '-o', 'json']);
    const { spec } = JSON.parse(text) as { spec: { clusterIP: string; ports: readonly { port: number }[] } };
    for (const { port } of spec.ports) {
      for (const host of [spec.clusterIP, `${name}.${namespace}.svc`]) {
        this.#parts.proxy.route(`${host}:${port}`, localPort);
      }
    }
  }

  /**
   * Starts kube-scheduler with a KubeSchedulerConfiguration, given as YAML text; one that runs is ended first. Where no
   * kubeconfig is given it is the user `system:kube-scheduler`.
   */
  async startScheduler(config: string, surroundings: Partial<SchedulerSurroundings> = {}): Promise<Service> {
    const { folder, credentials, binaries, proxy } = this.#parts;
    await this.#scheduler?.end('SIGTERM');
    const kubeconfig = await folder.write(
      'scheduler.kubeconfig',
      kubeconfigText(this.url, this.ca, credentials.scheduler),
    );
    const configFile = await folder.write(
      'scheduler.yaml',
      adaptSchedulerConfig(config, { kubeconfig, ...surroundings }),
    );
    this.#scheduler = await onFreePort((port) =>
      startKubeScheduler({
        folder,
        command: binaries.kubeScheduler,
        configFile,
        port,
        proxyUrl: proxy.url,
      }),
    );
    return this.#scheduler;
  }

  /** Ends the API server at once, as a crash does. */
  async killApiServer(): Promise<void> {
    await this.#apiServer.end('SIGKILL');
  }

  /** Starts the API server again, on the same data and the same port. */
  async restartApiServer(): Promise<void> {
    if (this.#apiServer.running) await this.#apiServer.end('SIGTERM');
    this.#apiServer = await startOnPort(this.#parts, this.#port);
  }

  /** Makes etcd forget every version but the current ones. */
  async compact(): Promise<void> {
    await compactEtcd(this.#parts.etcdPort);
  }

  /** Runs helm as admin, with its own files in the run's folder. */
  async helm(args: readonly string[]): Promise<string> {
    const { folder, binaries } = this.#parts;
    const env = {
      ...process.env,
      KUBECONFIG: this.adminKubeconfig,
      HELM_CACHE_HOME: folder.file('helm', 'cache'),
      HELM_CONFIG_HOME: folder.file('helm', 'config'),
      HELM_DATA_HOME: folder.file('helm', 'data'),
    };
    return (await runCommand(binaries.helm, args, { env })).stdout;
  }

  /** Takes over a process that a test has started beside these: it ends with the cluster, and its log is shown. */
  adopt(service: AdoptedService): void {
    this.#extraServices.push(service);
  }

  /** Does something before the cluster stops; what was asked for last is done first. */
  onStop(cleanup: () => Promise<void>): void {
    this.#cleanups.unshift(cleanup);
  }

  /** The last lines of every process's log, for the message of a test that failed. */
  async lastLines(): Promise<string> {
    const parts = await Promise.all(
      this.#services().map(async (service) => `--- ${service.name}\n${await service.lastLines()}`),
    );
    return parts.join('\n');
  }

  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups) await cleanup();
    for (const client of this.#clients) client.close();
    for (const service of this.#services()) await service.end('SIGKILL');
    await this.#parts.proxy.stop();
    await this.folder.remove();
  }

  /** Those that depend on others first. */
  #services(): readonly AdoptedService[] {
    return [
      ...this.#extraServices,
      ...(this.#scheduler === undefined ? [] : [this.#scheduler]),
      this.#apiServer,
      this.#parts.etcd,
    ];
  }
}

function startOnPort({ folder, binaries, credentials, etcdPort, options }: ClusterParts, port: number) {
  return startApiServer({
    folder,
    command: binaries.kubeApiserver,
    ca: credentials.ca,
    etcdPort,
    port,
    proxySocket: folder.file(proxySocketName),
    extraArgs: options.apiServerArgs ?? [],
  });
}

function documents(objects: object | readonly object[]): string {
  return (Array.isArray(objects) ? (objects as readonly object[]) : [objects])
    .map((object) => stringify(object))
    .join('---\n');
}
