/**
 * Whether this process leads (spec §9.5). It never campaigns: it watches the Lease for which the kube-scheduler in the
 * same pod does, and leads while that one holds it. The holder calls itself `<hostname>_<uuid>`, and the whole hostname
 * counts, so that `s-1` is not taken for `s-10` (Q21). That the holder lives is told by the lease changing, and how long
 * ago by our own clock alone; a lease that stands still for its duration leads nobody.
 */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import type { Log } from '../telemetry/logger.ts';
import { type LeaseObject, parseLease } from '../wire/lease.ts';
import type { ReflectorSignal } from './interruption.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';

export type Role = 'leader' | 'follower';

export interface LeadershipOptions {
  readonly client: ReflectorOptions<unknown>['client'];
  readonly lease: NamespacedName;
  /** Of the pod, which its containers share. */
  readonly hostname: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Called once the role is known and at each change of it; must neither throw nor wait. */
  readonly onRole: (role: Role) => void;
  /** For counting. */
  readonly onSignal?: (signal: ReflectorSignal) => void;
}

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #reflector: Reflector<LeaseObject>;
  #role: Role | undefined;
  /** Of the lease as last seen, whether or not it is still there. */
  #record: string | undefined;
  /** Since the first complete list, a lease that appears is one that was just taken. */
  #listed = false;
  #cancelExpiry: (() => void) | undefined;

  constructor(options: LeadershipOptions) {
    const { client, lease, clock, random, log } = options;
    this.#options = options;
    this.#reflector = new Reflector({
      kind: 'leases',
      client,
      path: `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(lease.namespace)}/leases`,
      query: { fieldSelector: `metadata.name=${lease.name}` },
      parse: parseLease,
      handler: {
        upsert: (seen) => {
          this.#see(seen);
        },
        remove: () => {
          this.#follow();
        },
        malformed: (_identity, problem) => {
          log.warn({ lease: podName(lease), problem }, 'lease could not be read');
          this.#follow();
        },
      },
      clock,
      random,
      log,
      onSignal: (signal) => {
        if (signal === 'listed') this.#completeList();
        options.onSignal?.(signal);
      },
    });
  }

  /** Undefined until the lease has told. */
  get role(): Role | undefined {
    return this.#role;
  }

  /** Begins to watch. */
  start(): void {
    this.#reflector.start();
  }

  /** Ends all requests; the role stays as it was. May be called twice. */
  async stop(): Promise<void> {
    await this.#reflector.stop();
    this.#disarm();
  }

  #see({ holder, record }: LeaseObject): void {
    const changed = this.#record === undefined ? this.#listed : this.#record !== record;
    this.#record = record;
    if (holder?.identity.startsWith(`${this.#options.hostname}_`) !== true) {
      this.#follow();
      return;
    }
    if (changed) {
      this.#disarm();
      this.#become('leader');
    }
    // A lease found in our name may be left from a holder that is gone: until it changes or runs out, nothing is known.
    this.#cancelExpiry ??= this.#options.clock.after(holder.durationMs, () => {
      this.#follow();
    });
  }

  #completeList(): void {
    this.#listed = true;
    if (this.#record === undefined) this.#follow();
  }

  #follow(): void {
    this.#disarm();
    this.#become('follower');
  }

  #disarm(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
  }

  #become(role: Role): void {
    if (this.#role === role) return;
    this.#role = role;
    const { log, lease, onRole } = this.#options;
    log.info({ lease: podName(lease), role }, 'role changed');
    onRole(role);
  }
}
