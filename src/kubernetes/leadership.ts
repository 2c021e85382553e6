/**
 * Whether this process leads, where kube-scheduler runs beside it (spec §9.5). It never campaigns: it watches the Lease
 * for which the kube-scheduler in the same pod does, and leads while that one holds it. The holder calls itself
 * `<hostname>_<uuid>`, and the whole hostname counts, so that `s-1` is not taken for `s-10` (Q21). That the holder lives
 * is told by the lease changing, and how long ago by our own clock alone; a lease that stands still for its duration
 * leads nobody. The clock is read whenever somebody asks, for a process that was stopped answers before its timers do.
 */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import type { Log } from '../telemetry/logger.ts';
import { type LeaseHolder, type LeaseObject, parseLease } from '../wire/lease.ts';
import { leasesPath } from './api-paths.ts';
import type { ReflectorSignal } from './interruption.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { makeTerm } from './term.ts';

export type Role = 'leader' | 'follower';

/** Who leads among the replicas, by whatever means they agree on it. */
export interface Election {
  /** Undefined until it is known. */
  readonly role: Role | undefined;
  /** Names this leadership of this process; undefined unless it leads now. */
  readonly term: string | undefined;
  /** What the holder of the lease as last seen calls itself, whether or not it still lives. */
  readonly leader: string | undefined;
  start(): void;
  /** Ends all requests. May be called twice. */
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  readonly client: ReflectorOptions<unknown>['client'];
  readonly lease: NamespacedName;
  /** Of the pod, which its containers share. */
  readonly hostname: string;
  /** One that nobody can set: a jump forward would end the leadership too soon, one backward too late. */
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Up to 32 characters, never the same twice. */
  readonly newTermId: () => string;
  readonly log: Log;
  /** Called once the role is known and at each change of it; must neither throw nor wait. */
  readonly onRole: (role: Role) => void;
  /** For counting. */
  readonly onSignal?: (signal: ReflectorSignal) => void;
}

interface Lead {
  readonly term: string;
  readonly of: LeaseHolder;
}

export class Leadership implements Election {
  readonly #options: LeadershipOptions;
  readonly #reflector: Reflector<LeaseObject>;
  #role: Role | undefined;
  #lead: Lead | undefined;
  #leader: string | undefined;
  /** Of the lease as last seen, whether or not it is still there. */
  #record: string | undefined;
  /** Since the first complete list, a lease that appears is one that was just taken. */
  #listed = false;
  #stopped = false;
  /** When what was seen in our name has run out. */
  #expiry: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(options: LeadershipOptions) {
    const { client, lease, clock, random, log } = options;
    this.#options = options;
    this.#reflector = new Reflector({
      kind: 'leases',
      client,
      path: leasesPath(lease.namespace),
      query: { fieldSelector: `metadata.name=${lease.name}` },
      parse: parseLease,
      handler: {
        upsert: (seen) => {
          this.#see(seen);
        },
        remove: () => {
          this.#leader = undefined;
          this.#follow();
        },
        malformed: (_identity, problem) => {
          log.warn({ lease: podName(lease), problem }, 'lease could not be read');
          this.#leader = undefined;
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

  get role(): Role | undefined {
    this.#followIfExpired();
    return this.#role;
  }

  get term(): string | undefined {
    this.#followIfExpired();
    return this.#lead?.term;
  }

  get leader(): string | undefined {
    return this.#leader;
  }

  /** Begins to watch. */
  start(): void {
    this.#reflector.start();
  }

  /** Ends all requests and the term; nobody is told of a role. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    this.#lead = undefined;
    if (this.#role === 'leader') this.#role = 'follower';
    await this.#reflector.stop();
  }

  #see({ holder, record }: LeaseObject): void {
    if (this.#stopped) return;
    this.#followIfExpired();
    const changed = this.#record === undefined ? this.#listed : this.#record !== record;
    this.#record = record;
    this.#leader = holder?.identity;
    if (holder?.identity.startsWith(`${this.#options.hostname}_`) !== true) {
      this.#follow();
      return;
    }
    if (changed) {
      this.#disarm();
      this.#leadFor(holder);
    }
    // A lease found in our name may be left from a holder that is gone: until it changes or runs out, nothing is known.
    this.#expiry ??= this.#arm(holder.durationMs);
  }

  /** A holder that is another, or that has lost the lease in between, begins a new term. */
  #leadFor(holder: LeaseHolder): void {
    const { of } = this.#lead ?? {};
    if (of?.identity !== holder.identity || of.transitions !== holder.transitions) {
      const { identity, transitions } = holder;
      const id = this.#options.newTermId();
      this.#lead = { of: holder, term: makeTerm({ holder: identity, transitions, id }) };
    }
    this.#become('leader');
  }

  #completeList(): void {
    this.#listed = true;
    if (this.#record === undefined) this.#follow();
  }

  #follow(): void {
    this.#disarm();
    this.#lead = undefined;
    this.#become('follower');
  }

  #followIfExpired(): void {
    if (this.#expiry !== undefined && this.#options.clock.nowMs() >= this.#expiry.atMs) this.#follow();
  }

  #arm(durationMs: number) {
    const { clock } = this.#options;
    const cancel = clock.after(durationMs, () => {
      this.#follow();
    });
    return { atMs: clock.nowMs() + durationMs, cancel };
  }

  #disarm(): void {
    this.#expiry?.cancel();
    this.#expiry = undefined;
  }

  #become(role: Role): void {
    if (this.#role === role) return;
    this.#role = role;
    const { log, lease, onRole } = this.#options;
    log.info({ lease: podName(lease), role, term: this.#lead?.term }, 'role changed');
    onRole(role);
  }
}
