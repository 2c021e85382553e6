/**
 * Campaigns for a Lease of our own, where no kube-scheduler does it for us: by the rules of client-go's leader
 * election, so that both kinds of candidate keep each other out. A candidate takes a lease that nobody holds, or that
 * has stood still for its duration. The holder counts from the moment it *sent* the last renewal that was confirmed,
 * and leads no longer than `renewDeadlineMs` after it, while the others wait for `durationMs`: so no two lead at once,
 * however long a process stands still or a message is on its way. The clock is read whenever somebody asks, for a
 * process that was stopped answers before its timers do. A watch only makes the hand-over quick.
 */
import type { NamespacedName } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import { parseLease } from '../wire/lease.ts';
import { leasesPath } from './api-paths.ts';
import { pause } from './backoff.ts';
import type { Election, LeadershipOptions, Role } from './leadership.ts';
import { type LeaseReading, LeaseStore, type LeaseWriting, type StoredLease } from './lease-store.ts';
import { Reflector } from './reflector.ts';
import { SeenLease } from './seen-lease.ts';
import { makeTerm } from './term.ts';

export interface LeaseTimes {
  /** How long the others wait after a renewal; whole seconds. */
  readonly durationMs: number;
  /** How long after its last renewal the holder still leads. */
  readonly renewDeadlineMs: number;
  /** Between two attempts. */
  readonly retryPeriodMs: number;
}

/** As `scheduler-config/` has them for kube-scheduler. */
export const leaseTimes: LeaseTimes = { durationMs: 10_000, renewDeadlineMs: 6000, retryPeriodMs: 2000 };

export interface LeaseElectionOptions extends Omit<LeadershipOptions, 'hostname'> {
  readonly lease: NamespacedName;
  /** What we call ourselves, and no other process ever does: `<hostname>_<uuid>`. */
  readonly identity: string;
}

interface Lead {
  readonly term: string;
  readonly acquiredMs: number;
  readonly untilMs: number;
  readonly cancelEnd: () => void;
}

/** The time for giving the lease up at a clean stop; whoever waits finds it run out soon enough. */
const releaseTimeoutMs = 1000;
const shortestPauseMs = 250;
/** Part of the retry period by which followers spread their attempts. */
const spread = 0.2;

export class LeaseElection implements Election {
  readonly #options: LeaseElectionOptions;
  readonly #store: LeaseStore;
  readonly #reflector: Reflector<unknown>;
  readonly #seen: SeenLease;
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #role: Role | undefined;
  #lead: Lead | undefined;
  /** As last read or written. */
  #stored: StoredLease | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LeaseElectionOptions) {
    const { client, lease, identity, clock, random, log, onSignal } = options;
    this.#options = options;
    this.#store = new LeaseStore(client, lease);
    this.#seen = new SeenLease({ identity, clock, unreadableMs: leaseTimes.durationMs });
    this.#reflector = new Reflector({
      kind: 'leases',
      client,
      path: leasesPath(lease.namespace),
      query: { fieldSelector: `metadata.name=${lease.name}` },
      parse: parseLease,
      handler: {
        upsert: (seen) => {
          this.#seen.see(seen);
          if (seen.holder === undefined) this.#wake.abort();
        },
        remove: () => {
          this.#seen.seeNone();
          this.#wake.abort();
        },
        malformed: () => {
          this.#seen.see(undefined);
        },
      },
      clock,
      random,
      log,
      ...(onSignal === undefined ? {} : { onSignal }),
    });
  }

  get role(): Role | undefined {
    this.#followIfOver();
    return this.#role;
  }

  get term(): string | undefined {
    this.#followIfOver();
    return this.#lead?.term;
  }

  get leader(): string | undefined {
    return this.#seen.holder;
  }

  /** Begins to campaign. Has no effect when started or stopped before. */
  start(): void {
    if (this.#stopping.signal.aborted || this.#running !== undefined) return;
    this.#reflector.start();
    this.#running = this.#run();
  }

  /** Leads no longer, at once; then gives up a lease that is ours, within seconds. May be called twice. */
  async stop(): Promise<void> {
    const isFirst = !this.#stopping.signal.aborted;
    this.#stopping.abort();
    if (this.#role === 'leader') this.#follow();
    await this.#reflector.stop();
    await this.#running;
    if (isFirst) await this.#release();
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    const { retryPeriodMs } = leaseTimes;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const startedMs = clock.nowMs();
      await this.#attempt();
      // The holder counts from the start of its attempt, so that one slow answer does not cost it the lease.
      const leads = this.term !== undefined;
      const waitMs = leads
        ? startedMs + retryPeriodMs - clock.nowMs()
        : Math.min(retryPeriodMs * (1 + spread * random()), this.#seen.freeInMs() || Infinity);
      const woken = leads ? [signal] : [signal, this.#wake.signal];
      await pause(clock, Math.max(shortestPauseMs, waitMs), AbortSignal.any(woken));
    }
  }

  /** Renews the lease if we lead, takes it if it is free, else waits for its holder. */
  async #attempt(): Promise<void> {
    if (this.term !== undefined) {
      const renewal = await this.#claim(this.#stored);
      if (renewal.kind !== 'outdated') return;
    }
    const reading = this.#note(await this.#store.read(this.#limits()));
    if (reading.kind === 'failed' || this.#stopping.signal.aborted) return;
    if (reading.kind === 'found' && this.#seen.freeInMs() > 0) this.#follow();
    else await this.#claim(reading.kind === 'found' ? reading : undefined);
  }

  /** Writes our name over what was read, or where there was none; leads from then on if that is confirmed in time. */
  async #claim(over: StoredLease | undefined): Promise<LeaseWriting> {
    const { identity, clock } = this.#options;
    const sentMs = clock.nowMs();
    const isOurs = over?.lease?.holder?.identity === identity;
    const acquiredMs = this.#lead?.acquiredMs ?? sentMs;
    const transitions = transitionsOf(over) + (over === undefined || isOurs ? 0 : 1);
    const claim = {
      identity,
      durationSeconds: leaseTimes.durationMs / 1000,
      acquiredMs,
      renewedMs: sentMs,
      transitions,
    };
    const writing = this.#note(
      await (over === undefined
        ? this.#store.create(claim, this.#limits())
        : this.#store.replace(over, claim, this.#limits())),
    );
    if (writing.kind === 'found') {
      this.#leadUntil(sentMs + leaseTimes.renewDeadlineMs, { acquiredMs, transitions });
    } else if (this.#lead === undefined) this.#become('follower');
    return writing;
  }

  /** Remembers what an answer tells of the lease. */
  #note<T extends LeaseReading | LeaseWriting>(result: T): T {
    if (result.kind === 'found') {
      this.#stored = result;
      this.#seen.see(result.lease);
    } else if (result.kind === 'missing') {
      this.#stored = undefined;
      this.#seen.seeNone();
    } else if (result.kind === 'failed' && !this.#stopping.signal.aborted) {
      const { log, lease } = this.#options;
      log.warn({ lease: podName(lease), reason: result.message }, 'lease not reached');
    }
    return result;
  }

  #leadUntil(untilMs: number, { acquiredMs, transitions }: { acquiredMs: number; transitions: number }) {
    const { clock, identity, newTermId } = this.#options;
    this.#followIfOver();
    const leftMs = untilMs - clock.nowMs();
    // An answer that was long on its way: the lease is ours, but the next renewal has to be sooner confirmed.
    if (leftMs <= 0 || this.#stopping.signal.aborted) return;
    this.#lead?.cancelEnd();
    this.#lead = {
      term: this.#lead?.term ?? makeTerm({ holder: identity, transitions, id: newTermId() }),
      acquiredMs,
      untilMs,
      cancelEnd: clock.after(leftMs, () => {
        this.#follow();
      }),
    };
    this.#become('leader');
  }

  #followIfOver(): void {
    if (this.#lead !== undefined && this.#options.clock.nowMs() >= this.#lead.untilMs) this.#follow();
  }

  #follow(): void {
    this.#lead?.cancelEnd();
    this.#lead = undefined;
    this.#become('follower');
  }

  #become(role: Role): void {
    if (this.#role === role) return;
    this.#role = role;
    const { log, lease, onRole } = this.#options;
    log.info({ lease: podName(lease), role, term: this.#lead?.term }, 'role changed');
    onRole(role);
  }

  /** Leaves the lease to whoever comes next, if it is ours; it is read, for a claim that was under way may have counted. */
  async #release(): Promise<void> {
    const { clock, identity } = this.#options;
    const limits = { timeoutMs: releaseTimeoutMs };
    let found: LeaseReading | undefined = await this.#store.read(limits);
    while (found?.kind === 'found' && found.lease?.holder?.identity === identity) {
      const nowMs = clock.nowMs();
      const transitions = transitionsOf(found);
      const claim = { identity: '', durationSeconds: 1, acquiredMs: nowMs, renewedMs: nowMs, transitions };
      const writing = await this.#store.replace(found, claim, limits);
      found = writing.kind === 'outdated' ? await this.#store.read(limits) : undefined;
    }
  }

  #limits() {
    // Half the deadline, so that a request that gets no answer leaves time for another.
    return { timeoutMs: leaseTimes.renewDeadlineMs / 2, signal: this.#stopping.signal };
  }
}

function transitionsOf(stored: StoredLease | undefined): number {
  const transitions = stored?.spec['leaseTransitions'];
  return typeof transitions === 'number' && Number.isSafeInteger(transitions) ? transitions : 0;
}
