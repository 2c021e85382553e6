/**
 * `tessera serve` as a process of its own, built as it is shipped. It keeps its ports over crashes and restarts, as a
 * pod keeps its addresses, so that whoever calls it need not be told.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { Cluster } from './cluster.ts';
import { isAnswering } from './https-probe.ts';
import { seriesValue } from './metrics-page.ts';
import { inPod } from './pod-hostname.ts';
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
  /** Its pod among several, which names the process, too. */
  readonly pod?: string;
}

interface Ports {
  readonly main: number;
  readonly extender: number;
  readonly metrics: number;
}

const probeTimeoutMs = 500;

/** The program as it is built. */
export const tesseraEntry = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export class Tessera {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #options: TesseraOptions;
  readonly #ports: Ports;
  #process: Service;

  private constructor(cluster: Cluster, options: TesseraOptions, ports: Ports, process: Service) {
    this.name = options.pod ?? 'tessera';
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

  /** The path of its configuration file. */
  get config(): string {
    return this.#options.config;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<void> {
    await this.#process.end(signal);
  }

  /** Stops it where it stands, or lets it go on. */
  send(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.send(signal);
  }

  /** What its readiness probe answers; empty where nobody answers. */
  async readiness(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.metrics}/readyz`, {
      signal: AbortSignal.timeout(probeTimeoutMs),
    }).catch(() => undefined);
    return (await answer?.text()) ?? '';
  }

  /** Starts it anew on the same ports; resolves when it is ready again. */
  async startAgain(): Promise<void> {
    this.#process = await launch(this.#cluster, this.#options, this.#ports);
  }

  /** Starts it anew with these settings in its file beside, or instead of, those that it had. */
  async restartWith(settings: object): Promise<void> {
    const { config } = this.#options;
    const before = parse(await readFile(config, 'utf8')) as object;
    await writeFile(config, stringify({ ...before, ...settings }));
    await this.end('SIGTERM');
    await this.startAgain();
  }

  /** A metric's value; see `seriesValue`. */
  async metric(series: string): Promise<number> {
    return seriesValue(await this.metricsPage(), series);
  }

  async metricsPage(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#ports.metrics}/metrics`)).text();
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
  { kubeconfig, config, env, isExtenderService = false, pod }: TesseraOptions,
  ports: Ports,
): Promise<Service> {
  const args = [
    tesseraEntry,
    'serve',
    `--kubeconfig=${kubeconfig}`,
    `--config=${config}`,
    `--listen=127.0.0.1:${ports.main}`,
    `--listen-extender=${isExtenderService ? '' : `127.0.0.1:${ports.extender}`}`,
    `--listen-metrics=127.0.0.1:${ports.metrics}`,
  ];
  return Service.start({
    folder,
    name: pod ?? 'tessera',
    ...(pod === undefined ? { command: process.execPath, args } : inPod(pod, process.execPath, args)),
    // Only where Services are sent elsewhere meanwhile is it of use.
    env: { ...process.env, TESSERA_SHUTDOWN_DELAY_SECONDS: '0', ...env },
    isReady: () => isAnswering(`http://127.0.0.1:${ports.metrics}/readyz`),
  });
}
