/**
 * What became of every pod, as the API server tells it: the board follows one watch, counts, and tells of each change
 * that a reader would want to hear of. It decides nothing and writes nothing.
 */
import type { NvidiaConfig } from '../../vendors/nvidia/nvidia-settings.ts';
import { listAt, textAt } from '../../emulator/api/json.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import type { RestClient } from '../../kubernetes/rest-client.ts';
import type { Clock } from '../../model/clock.ts';
import type { PodObject } from '../../model/cluster-objects.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import type { Log } from '../../telemetry/logger.ts';
import { decodeEntries } from '../../vendors/allocation-codec.ts';
import { makeNvidia } from '../../vendors/nvidia/nvidia.ts';
import { parsePod } from '../../wire/kubernetes.ts';
import { askText, cardsText } from './pod-texts.ts';

export interface BoardPod {
  readonly pod: PodObject;
  readonly asks: string;
  /** Which cards of its node it was given. */
  readonly cards: string;
  /** Why it waits or failed, in the words of its conditions or status. */
  readonly reason: string;
  readonly sinceMs: number;
  /** When it was first seen to be over. */
  readonly endedMs?: number;
}

export type PodChange = 'waits' | 'placed' | 'finished' | 'failed' | 'removed';

export interface BoardChange {
  readonly atMs: number;
  readonly change: PodChange;
  readonly entry: BoardPod;
}

export interface PodBoardOptions {
  readonly client: RestClient;
  readonly config: NvidiaConfig;
  /** A card's index on its node. */
  readonly indexOf: (deviceId: string) => number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

interface Read {
  readonly pod: PodObject;
  readonly reason: string;
}

export class PodBoard {
  readonly #options: PodBoardOptions;
  readonly #reflector: Reflector<Read>;
  readonly #pods = new Map<string, BoardPod>();
  readonly #allocated: string;
  #onChange: (change: BoardChange) => void = () => undefined;
  #finished = 0;
  #failed = 0;

  constructor(options: PodBoardOptions) {
    const { client, clock, random, log, config } = options;
    this.#options = options;
    this.#allocated = makeNvidia(config).annotations.allocated;
    this.#reflector = new Reflector<Read>({
      kind: 'pods on the board',
      client,
      clock,
      random,
      log,
      path: '/api/v1/pods',
      parse: readPod,
      handler: {
        upsert: (read) => {
          this.#see(read);
        },
        remove: ({ uid }) => {
          this.#lose(uid);
        },
        malformed: ({ name }, problem) => {
          log.warn({ pod: name, problem }, 'pod cannot be read');
        },
      },
    });
  }

  /** Begins to follow; `onChange` is called for what changes, and once for each pod that is there already. */
  async start(onChange: (change: BoardChange) => void): Promise<void> {
    this.#onChange = onChange;
    this.#reflector.start();
    await this.#reflector.synced;
  }

  async stop(): Promise<void> {
    await this.#reflector.stop();
  }

  get pods(): readonly BoardPod[] {
    return [...this.#pods.values()];
  }

  /** Pods without a node, longest waiting first. */
  get waiting(): readonly BoardPod[] {
    return this.pods.filter(isWaiting).sort((a, b) => a.sinceMs - b.sinceMs);
  }

  get counts(): {
    readonly running: number;
    readonly waiting: number;
    readonly finished: number;
    readonly failed: number;
  } {
    return {
      running: this.pods.filter(({ pod }) => pod.phase === 'Running').length,
      waiting: this.pods.filter(isWaiting).length,
      finished: this.#finished,
      failed: this.#failed,
    };
  }

  #see({ pod, reason }: Read): void {
    const { config, clock } = this.#options;
    const nowMs = clock.nowMs();
    const before = this.#pods.get(pod.uid);
    const over = pod.phase === 'Succeeded' || pod.phase === 'Failed';
    const endedMs = over ? (before?.endedMs ?? nowMs) : undefined;
    const entry: BoardPod = {
      pod,
      asks: askText(pod.containers, config),
      cards: this.#cardsOf(pod),
      reason,
      sinceMs: before?.sinceMs ?? nowMs,
      ...(endedMs === undefined ? {} : { endedMs }),
    };
    this.#pods.set(pod.uid, entry);
    const change = changeBetween(before, entry);
    if (change === 'finished') this.#finished += 1;
    if (change === 'failed') this.#failed += 1;
    if (change !== undefined) this.#onChange({ atMs: nowMs, change, entry });
  }

  #lose(uid: string): void {
    const entry = this.#pods.get(uid);
    this.#pods.delete(uid);
    if (entry === undefined || entry.endedMs !== undefined) return;
    this.#onChange({ atMs: this.#options.clock.nowMs(), change: 'removed', entry });
  }

  #cardsOf({ annotations }: PodObject): string {
    const written = annotations[this.#allocated];
    const entries = written === undefined ? undefined : decodeEntries(written, 'NVIDIA');
    return entries?.ok === true ? cardsText(entries.value.flat(), this.#options.indexOf) : '';
  }
}

function isWaiting({ pod }: BoardPod): boolean {
  return pod.nodeName === undefined && !pod.deleting;
}

function changeBetween(before: BoardPod | undefined, now: BoardPod): PodChange | undefined {
  if (now.endedMs !== undefined) {
    if (before?.endedMs !== undefined) return undefined;
    if (now.pod.deleting) return 'removed';
    return now.pod.phase === 'Failed' ? 'failed' : 'finished';
  }
  if (now.pod.nodeName !== undefined) return before?.pod.nodeName === undefined ? 'placed' : undefined;
  return now.reason !== '' && now.reason !== before?.reason ? 'waits' : undefined;
}

function readPod(raw: unknown): Parsed<Read> {
  const pod = parsePod(raw);
  if (!pod.ok) return pod;
  const condition = listAt(raw, 'status', 'conditions').find(
    (entry) => textAt(entry, 'type') === 'PodScheduled' && textAt(entry, 'status') === 'False',
  );
  return parsed({ pod: pod.value, reason: textAt(raw, 'status', 'message') || textAt(condition, 'message') });
}
