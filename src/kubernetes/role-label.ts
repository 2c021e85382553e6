/**
 * The pod label by which HAMi's Service finds the scheduler in charge (spec §1.8, §9.5). Each scheduler labels its own
 * pod; the leader also labels the others of its installation, since one that died cannot take its label back. It looks
 * before it writes, writes nothing but this label, and looks again now and then: whoever removes the label of the leader
 * would otherwise leave the Service without an endpoint.
 */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName, PodObject, TextMap } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import { parsePod } from '../wire/kubernetes.ts';
import { mergePatch, podPath, podsPath } from './api-paths.ts';
import { Backoff, pause } from './backoff.ts';
import type { Role } from './leadership.ts';
import { parseListPage } from './list-watch-format.ts';
import type { Query, RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';

export const roleLabel = 'hami.io/scheduler-role';

export interface RoleLabelsOptions {
  readonly client: Pick<RestClient, 'request'>;
  readonly ownPod: NamespacedName;
  /** Whether there are others to lead; without an election each scheduler speaks for itself. */
  readonly labelsOthers: boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

const callTimeoutMs = 10_000;
/** At the end of the process. */
const lastTimeoutMs = 1000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Between two looks at labels that were right. */
const lookAgainMs = 60_000;
/** What the pods of one scheduler have in common, and no other pod of the chart has: HAMi's component, our name. */
const sharedLabels = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component'];

export class RoleLabels {
  readonly #options: RoleLabelsOptions;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #change = new AbortController();
  #role: Role | undefined;
  /** What our own pod's label said when it was last read or written. */
  #ownLabel: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RoleLabelsOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ baseMs: firstPauseMs, maxMs: longestPauseMs, random: options.random });
  }

  /** The labels are to say this from now on. Returns at once; failures are tried again and logged. */
  say(role: Role): void {
    this.#role = role;
    this.#change.abort();
    this.#change = new AbortController();
    this.#running ??= this.#run();
  }

  /**
   * Ends all requests and waits until nothing of them is left; the labels stay, unless our own is to say something
   * else in the end, which is tried once and for a second at most. May be called twice.
   */
  async stop(lastly?: Role): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (lastly === undefined || this.#ownLabel === undefined || this.#ownLabel === lastly) return;
    this.#ownLabel = lastly;
    const { log, ownPod, client } = this.#options;
    const result = await client.request({
      method: 'PATCH',
      path: podPath(ownPod),
      contentType: mergePatch,
      body: { metadata: { labels: { [roleLabel]: lastly } } },
      timeoutMs: lastTimeoutMs,
    });
    if (result.kind === 'ok') return;
    log.warn({ pod: podName(ownPod), role: lastly, reason: failureText(result) }, 'role not labelled');
  }

  /** Whether labels for this role are still wanted. */
  #isStill(role: Role): boolean {
    return this.#role === role && !this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { clock, log, ownPod } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const { signal } = this.#change;
      const role = this.#role;
      if (role === undefined) return;
      const problems = await this.#label(role);
      if (!this.#isStill(role)) continue;
      if (problems.length === 0) this.#backoff.reset();
      const pauseMs = problems.length === 0 ? lookAgainMs : this.#backoff.nextMs();
      for (const reason of problems)
        log.warn({ pod: podName(ownPod), role, reason, pauseMs }, 'role not labelled');
      await pause(clock, pauseMs, AbortSignal.any([signal, this.#stopping.signal]));
    }
  }

  /** Makes the labels right for the role, unless that changes meanwhile; answers what could not be done. */
  async #label(role: Role): Promise<readonly string[]> {
    const own = await this.#readOwn();
    if (!own.ok) return [own.problem];
    if (!this.#isStill(role)) return [];
    // First our own: for a moment two pods lead, which is better for a Service than none.
    this.#ownLabel = own.value.labels[roleLabel];
    const problems = await this.#labelPod(own.value, role);
    if (problems.length === 0) this.#ownLabel = role;
    if (role === 'follower' || !this.#options.labelsOthers) return problems;
    const others = await this.#listOthers(own.value);
    if (!others.ok) return [...problems, others.problem];
    for (const other of others.value) {
      if (!this.#isStill(role)) break;
      problems.push(...(await this.#labelPod(other, 'follower')));
    }
    return problems;
  }

  async #readOwn(): Promise<Parsed<PodObject>> {
    const body = await this.#get(podPath(this.#options.ownPod));
    return body.ok ? parsePod(body.value) : body;
  }

  async #listOthers(own: PodObject): Promise<Parsed<readonly PodObject[]>> {
    const labelSelector = selectorOf(own.labels);
    if (labelSelector === '') return parsed([]);
    const body = await this.#get(podsPath(own.namespace), { labelSelector });
    const page = body.ok ? parseListPage(body.value) : body;
    if (!page.ok) return page;
    // One that cannot be read is no reason to leave the rest as they are.
    const pods = page.value.items.map(parsePod).flatMap((pod) => (pod.ok ? [pod.value] : []));
    return parsed(pods.filter(({ name }) => name !== own.name));
  }

  async #labelPod(pod: PodObject, role: Role): Promise<string[]> {
    if (pod.labels[roleLabel] === role) return [];
    const { client } = this.#options;
    const result = await client.request({
      method: 'PATCH',
      path: podPath(pod),
      contentType: mergePatch,
      // The UID makes sure that it is still the same pod.
      body: { metadata: { uid: pod.uid, labels: { [roleLabel]: role } } },
      timeoutMs: callTimeoutMs,
      signal: this.#stopping.signal,
    });
    return result.kind === 'ok' ? [] : [`${podName(pod)}: ${failureText(result)}`];
  }

  async #get(path: string, query: Query = {}): Promise<Parsed<unknown>> {
    const result = await this.#options.client.request({
      method: 'GET',
      path,
      query,
      timeoutMs: callTimeoutMs,
      signal: this.#stopping.signal,
    });
    return result.kind === 'ok' ? parsed(result.body) : unparsable(failureText(result));
  }
}

/** Empty for a pod that has none of the labels, and so nobody in common. */
function selectorOf(labels: TextMap): string {
  return sharedLabels
    .flatMap((key) => (labels[key] === undefined ? [] : [`${key}=${labels[key]}`]))
    .join(',');
}
