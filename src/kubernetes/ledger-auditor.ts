/**
 * Audits the ledger on a timer: lists nodes and pods, makes of them the state that a start would come to, and compares.
 * The watch may be ahead of the list or behind it, so a difference counts only when the pod, read once more by itself,
 * is the very version that memory has taken, or when the watch has not brought it for longer than it ever needs. Each
 * difference is mended, told and reported. Never two audits at once, never before the first sync, never a long turn of
 * the event loop; only the leader writes to a pod.
 */
import type { Clock } from '../model/clock.ts';
import { type NamespacedName, podName, type PodObject } from '../model/cluster-objects.ts';
import type { DeviceState } from '../state/device-state.ts';
import { compareCharge, compareSums } from '../state/ledger-audit.ts';
import { type FoundCharge, repairMemory, repairOf } from '../state/ledger-repair.ts';
import type { Log } from '../telemetry/logger.ts';
import { parsePod } from '../wire/kubernetes.ts';
import { writeBack } from './allocation-write-back.ts';
import { podPath } from './api-paths.ts';
import { type AuditEnding, type AuditReport, type FoundDrift, tellDrift } from './audit-report.ts';
import { pause } from './backoff.ts';
import { inTurns, rebuildState } from './rebuilt-state.ts';
import type { RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';
import type { Sealer } from './seal.ts';

export type { AuditReport } from './audit-report.ts';

export interface LedgerAuditorOptions {
  readonly client: Pick<RestClient, 'request'>;
  readonly state: DeviceState;
  readonly sealer: Pick<Sealer, 'seal' | 'isSealed'>;
  /** Whether this process may write to pods now. */
  readonly isLeader: () => boolean;
  /** Between the end of an audit and the next one; 0: none but those that somebody asks for. */
  readonly everyMs: number;
  /** As for the feeds. */
  readonly nodeLabelSelector: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Told of every audit that was not skipped; must neither throw nor wait. */
  readonly onReport?: (report: Exclude<AuditReport, { kind: 'skipped' }>) => void;
}

/** Pauses before each further look at what differs: together longer than the watch takes to notice a lost connection. */
const lookAgainMs = [1000, 4000, 15_000, 60_000, 180_000];
/** More differences than this in one audit would mean as many single reads. */
const mostLookedInto = 1000;
const podsPerTurn = 500;
const nodesPerTurn = 50;
const callTimeoutMs = 10_000;

/** Pods of which memory and list disagree, by UID. */
type Suspects = Map<string, NamespacedName>;

export class LedgerAuditor {
  readonly #options: LedgerAuditorOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #audit: Promise<AuditReport> | undefined;

  constructor(options: LedgerAuditorOptions) {
    this.#options = options;
  }

  /** Begins to audit on the timer. Has no effect when started before, or when there is to be no timer. */
  start(): void {
    if (this.#options.everyMs > 0) this.#loop ??= this.#run();
  }

  /** Ends all requests and waits until nothing of them is left. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#audit;
  }

  /** Audits now; while an audit is under way, answers that one's report. Never rejects. */
  audit(): Promise<AuditReport> {
    this.#audit ??= this.#auditOnce().finally(() => {
      this.#audit = undefined;
    });
    return this.#audit;
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { clock, everyMs, random } = this.#options;
    while (!this.#isStopped()) {
      // Spread, so that replicas do not list everything at the same time.
      await pause(clock, Math.round(everyMs * (0.9 + 0.2 * random())), this.#stopping.signal);
      if (!this.#isStopped()) await this.audit();
    }
  }

  async #auditOnce(): Promise<AuditReport> {
    const { state, clock, log, onReport } = this.#options;
    if (!state.synced || this.#isStopped()) return { kind: 'skipped' };
    const startedMs = clock.nowMs();
    const drift: FoundDrift[] = [];
    const ended = await this.#compare(drift).catch((error: unknown) => {
      log.error({ err: error }, 'the ledger audit broke off');
      return { kind: 'failed', problem: 'it broke off; the log has the details' } as const;
    });
    if (this.#isStopped()) return { kind: 'skipped' };
    const report = { ...ended, drift, tookMs: clock.nowMs() - startedMs };
    const fields = { tookMs: report.tookMs, drift: drift.length };
    if (report.kind === 'failed') log.warn({ ...fields, reason: report.problem }, 'ledger audit failed');
    else log.info({ ...fields, notLookedInto: report.notLookedInto }, 'ledger audited');
    onReport?.(report);
    return report;
  }

  async #compare(drift: FoundDrift[]): Promise<AuditEnding> {
    await this.#checkSums(drift);
    const { client, state, nodeLabelSelector, clock } = this.#options;
    const { signal } = this.#stopping;
    const rebuilt = await rebuildState({ client, state, nodeLabelSelector, clock, signal });
    if (!rebuilt.ok) return { kind: 'failed', problem: rebuilt.problem };
    const { suspects, notLookedInto } = await this.#suspects(rebuilt.value);
    for (const [round, waitMs] of lookAgainMs.entries()) {
      if (suspects.size === 0) break;
      await pause(clock, waitMs, signal);
      for (const [podUid, name] of [...suspects]) {
        if (this.#isStopped()) break;
        const read = await this.#read(name, podUid);
        if (read.kind === 'failed') return { kind: 'failed', problem: read.problem };
        const looked = await this.#look(read, { podUid, name, rebuilt: rebuilt.value, round });
        // What is undecided after the last look is the next audit's.
        if (looked !== 'undecided') suspects.delete(podUid);
        if (typeof looked === 'object') drift.push(looked);
      }
    }
    return { kind: 'complete', notLookedInto };
  }

  /** Sums and entries change in one step, so what differs here differs for good. */
  async #checkSums(drift: FoundDrift[]): Promise<void> {
    const { state, log } = this.#options;
    const nodes = new Set([...state.nodeNames(), ...[...state.entries()].map(({ node }) => node)]);
    await inTurns(nodes, nodesPerTurn, (node) => {
      const found = compareSums(state, node);
      if (found === undefined) return;
      state.recount(node);
      const sums = { kind: 'sums', object: node, left: undefined } as const;
      tellDrift(log, { ...sums, memory: found.held, api: found.counted });
      drift.push(sums);
    });
  }

  async #suspects(
    rebuilt: DeviceState,
  ): Promise<{ readonly suspects: Suspects; readonly notLookedInto: number }> {
    const { state } = this.#options;
    const suspects: Suspects = new Map();
    let notLookedInto = 0;
    const uids = new Set([...state.entries(), ...rebuilt.entries()].map(({ podUid }) => podUid));
    await inTurns(uids, podsPerTurn, (podUid) => {
      if (compareCharge(podUid, { memory: state, rebuilt }) === undefined) return;
      const entry = state.entry(podUid) ?? rebuilt.entry(podUid);
      if (entry === undefined) return;
      if (suspects.size < mostLookedInto)
        suspects.set(podUid, { namespace: entry.namespace, name: entry.name });
      else notLookedInto += 1;
    });
    return { suspects, notLookedInto };
  }

  /** Compares once more, with the pod as it is now, and mends what is certain. */
  async #look(
    read: Exclude<PodReading, { kind: 'failed' }>,
    { podUid, name, rebuilt, round }: Look,
  ): Promise<FoundDrift | 'agreed' | 'undecided'> {
    const { state, sealer, clock, log } = this.#options;
    // What is known of an object that cannot be read stays in force, here as with the feeds.
    if (read.kind === 'unreadable') return 'agreed';
    const { pod } = read;
    const versionBefore = rebuilt.versionOf(podUid);
    // The charge of a bound pod never follows its annotations; here it has to.
    rebuilt.discharge(podUid);
    if (pod === undefined) rebuilt.removePod(podUid, clock.nowMs());
    else rebuilt.applyPod(pod, clock.nowMs());
    const compared = compareCharge(podUid, { memory: state, rebuilt });
    if (compared === undefined) return 'agreed';
    if (!this.#isCertain(podUid, pod, { versionBefore, round })) return 'undecided';

    const { kind, memory, api } = compared;
    const found: FoundCharge = {
      kind,
      podUid,
      memory,
      api,
      pod,
      sealed: pod !== undefined && sealer.isSealed(pod),
    };
    let left: string | undefined;
    if (repairOf(found) === 'write-back') {
      left = await this.#writeBack(podUid, pod);
    } else {
      repairMemory(state, found, clock.nowMs());
      const still = compareCharge(podUid, { memory: state, rebuilt });
      if (still !== undefined) left = `memory is still ${still.kind}`;
    }
    const told = { kind, object: podName(name), left };
    tellDrift(log, { ...told, memory, api, podUid });
    return told;
  }

  /** Whether memory knows the very state of the pod that it disagrees with; else the watch may be on its way. */
  #isCertain(
    podUid: string,
    pod: PodObject | undefined,
    { versionBefore, round }: { readonly versionBefore: string | undefined; readonly round: number },
  ): boolean {
    const { state } = this.#options;
    const isLast = round === lookAgainMs.length - 1;
    // What has been so since the look before had time enough to be brought.
    if (isLast && versionBefore === pod?.resourceVersion) return true;
    const version = state.versionOf(podUid);
    if (pod !== undefined) return version === pod.resourceVersion;
    // A bind may be ahead of all events; its own failure ends it.
    return version === undefined && round > 0 && state.entry(podUid)?.state === 'bound';
  }

  async #writeBack(podUid: string, pod: PodObject | undefined): Promise<string | undefined> {
    const entry = this.#options.state.entry(podUid);
    if (pod === undefined || entry === undefined) return 'there is nothing to write to';
    if (!this.#options.isLeader()) return 'only the leader writes to pods';
    return writeBack(pod, entry, { ...this.#options, signal: this.#stopping.signal });
  }

  async #read(name: NamespacedName, podUid: string): Promise<PodReading> {
    const result = await this.#options.client.request({
      method: 'GET',
      path: podPath(name),
      timeoutMs: callTimeoutMs,
      signal: this.#stopping.signal,
    });
    if (result.kind === 'status' && result.status === 404) return { kind: 'read', pod: undefined };
    if (result.kind !== 'ok') return { kind: 'failed', problem: `${podPath(name)}: ${failureText(result)}` };
    const pod = parsePod(result.body);
    if (!pod.ok) return { kind: 'unreadable' };
    return { kind: 'read', pod: pod.value.uid === podUid ? pod.value : undefined };
  }
}

interface Look {
  readonly podUid: string;
  readonly name: NamespacedName;
  readonly rebuilt: DeviceState;
  /** How many looks there were before. */
  readonly round: number;
}

type PodReading =
  /** Undefined when the pod is gone, or another has its name. */
  | { readonly kind: 'read'; readonly pod: PodObject | undefined }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'failed'; readonly problem: string };
