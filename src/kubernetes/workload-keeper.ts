/**
 * Keeps the learnt workload in a ConfigMap of the server's own namespace, so that a restart and every other replica
 * begin with what was learnt. All read it at start; the leader alone writes it, every few minutes where it has changed,
 * and when it stops. It is a help and no record: what cannot be read or written is logged once, tried again next time,
 * and disturbs nobody.
 */
import type { Clock } from '../model/clock.ts';
import type { Log } from '../telemetry/logger.ts';
import type { RestClient } from './rest-client.ts';
import { failureText, type RestResult } from './rest-result.ts';

export interface WorkloadPlace {
  readonly client: Pick<RestClient, 'request'>;
  /** The server's own. */
  readonly namespace: string;
}

export interface WorkloadKeeperOptions extends WorkloadPlace {
  readonly clock: Clock;
  /** Whether this process may write now. */
  readonly isLeader: () => boolean;
  /** What is learnt by now, as text. */
  readonly workload: () => string;
  readonly log: Log;
}

export type StoredWorkload =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly message: string };

export const workloadConfigMap = 'tessera-workload';
const field = 'mix.json';
const keepMs = 180_000;
const callTimeoutMs = 5000;

/** What was kept; `missing` where nobody has kept anything yet. */
export async function loadWorkload(place: WorkloadPlace): Promise<StoredWorkload> {
  const result = await read(place);
  if (result.kind === 'status' && result.status === 404) return { kind: 'missing' };
  if (result.kind !== 'ok') return { kind: 'failed', message: failureText(result) };
  const text = dataOf(result.body)[field];
  if (text === undefined) return { kind: 'missing' };
  if (typeof text !== 'string') return { kind: 'failed', message: `field ${field} is no text` };
  return { kind: 'found', text };
}

export class WorkloadKeeper {
  readonly #options: WorkloadKeeperOptions;
  #cancel = (): void => undefined;
  #keeping: Promise<void> = Promise.resolve();
  /** As it was last known to be kept. */
  #kept: string;
  #problem = '';

  /** @param kept as it was read at start; left out where there was nothing */
  constructor(options: WorkloadKeeperOptions, kept = '') {
    this.#options = options;
    this.#kept = kept;
  }

  start(): void {
    this.#cancel = this.#options.clock.after(keepMs, () => {
      this.#keeping = this.#keep();
      this.start();
    });
  }

  /** Writes once more what has changed, if this process leads at this moment; resolves when that is over. */
  async stop(): Promise<void> {
    this.#cancel();
    const leads = this.#options.isLeader();
    await this.#keeping;
    if (leads) await this.#write();
  }

  async #keep(): Promise<void> {
    if (this.#options.isLeader()) await this.#write();
  }

  async #write(): Promise<void> {
    const text = this.#options.workload();
    if (text === this.#kept) return;
    const result = await this.#store(text);
    if (result.kind === 'ok') {
      this.#kept = text;
      this.#problem = '';
      return;
    }
    const problem = failureText(result);
    if (problem !== this.#problem) this.#options.log.warn({ reason: problem }, 'learnt workload not kept');
    this.#problem = problem;
  }

  /** By compare-and-swap: of two that write at once, one finds a conflict and writes next time. */
  async #store(text: string): Promise<RestResult> {
    const { client, namespace } = this.#options;
    const stored = await read(this.#options);
    if (stored.kind === 'ok') {
      const object = stored.body as Readonly<Record<string, unknown>>;
      return client.request({
        method: 'PUT',
        path: pathOf(namespace),
        body: { ...object, data: { ...dataOf(object), [field]: text } },
        timeoutMs: callTimeoutMs,
      });
    }
    if (stored.kind !== 'status' || stored.status !== 404) return stored;
    return client.request({
      method: 'POST',
      path: collectionOf(namespace),
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: workloadConfigMap, namespace },
        data: { [field]: text },
      },
      timeoutMs: callTimeoutMs,
    });
  }
}

function read({ client, namespace }: WorkloadPlace): Promise<RestResult> {
  return client.request({ method: 'GET', path: pathOf(namespace), timeoutMs: callTimeoutMs });
}

function collectionOf(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
}

function pathOf(namespace: string): string {
  return `${collectionOf(namespace)}/${workloadConfigMap}`;
}

function dataOf(object: unknown): Readonly<Record<string, unknown>> {
  const data: unknown =
    typeof object === 'object' && object !== null ? Reflect.get(object, 'data') : undefined;
  return typeof data === 'object' && data !== null ? { ...data } : {};
}
