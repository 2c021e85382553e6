/**
 * `tessera serve` as a process of its own, built as it is shipped. It keeps its ports over crashes and restarts, as a
 * pod keeps its addresses, so that whoever calls it need not be told.
 */
import { fileURLToPath } from 'node:url';
import type { Cluster } from './cluster.ts';
import { isAnswering } from './https-probe.ts';
import { seriesValue } from './metrics-page.ts';
import { freePort, onFreePort } from './ports.ts';
import { Service } from './service.ts';

export interface TesseraOptions {
  /** Whose rights it has. */
  readonly kubeconfig: string;
  /** Its configuration file; listen addresses in it are overruled. */
  readonly config: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether kube-scheduler calls over the Service, so that the main port answers it; else it has its own port. */
  readonly isExtenderService?: boolean;
}

interface Ports {
  readonly main: number;
  readonly extender: number;
  readonly metrics: number;
}

const entry = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export class Tessera {
  readonly name = 'tessera';
  readonly #cluster: Cluster;
  readonly #options: TesseraOptions;
  readonly #ports: Ports;
  #process: Service;

  private constructor(cluster: Cluster, options: TesseraOptions, ports: Ports, process: Service) {
    this.#cluster = cluster;
    this.#options = options;
    this.#ports = ports;
    this.#process = process;
  }

  /** Resolves when it is ready; it ends with the cluster. */
  static async start(cluster: Cluster, options: TesseraOptions): Promise<Tessera> {
    const { ports, process } = await onFreePort(async (main) => {
      const free = { main, extender: await freePort(), metrics: await freePort() };
      return { ports: free, process: await launch(cluster, options, free) };
    });
    const tessera = new Tessera(cluster, options, ports, process);
    cluster.adopt(tessera);
    return tessera;
  }

  /** Of the HTTPS server: webhook, explanations, and the extender as a Service. */
  get port(): number {
    return this.#ports.main;
  }

  /** Where a kube-scheduler in the same pod would call. */
  get extenderUrl(): string {
    return `http://127.0.0.1:${this.#ports.extender}`;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<void> {
    await this.#process.end(signal);
  }

  /** Starts it anew on the same ports; resolves when it is ready again. */
  async startAgain(): Promise<void> {
    this.#process = await launch(this.#cluster, this.#options, this.#ports);
  }

  /** A metric's value; see `seriesValue`. */
  async metric(series: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.metrics}/metrics`);
    return seriesValue(await response.text(), series);
  }

  log(): Promise<string> {
    return this.#process.log();
  }

  lastLines(): Promise<string> {
    return this.#process.lastLines();
  }
}

function launch(
  { folder }: Cluster,
  { kubeconfig, config, env, isExtenderService = false }: TesseraOptions,
  ports: Ports,
): Promise<Service> {
  return Service.start({
    folder,
    name: 'tessera',
    command: process.execPath,
    args: [
      entry,
      'serve',
      `--kubeconfig=${kubeconfig}`,
      `--config=${config}`,
      `--listen=127.0.0.1:${ports.main}`,
      `--listen-extender=${isExtenderService ? '' : `127.0.0.1:${ports.extender}`}`,
      `--listen-metrics=127.0.0.1:${ports.metrics}`,
    ],
    env: { ...process.env, ...env },
    isReady: () => isAnswering(`http://127.0.0.1:${ports.metrics}/readyz`),
  });
}
