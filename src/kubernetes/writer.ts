/**
 * Commits a bind to the cluster: node locks and fence, then one Binding that carries the pod's UID, its resource version
 * and the whole allocation, so that an annotated but unbound pod cannot exist. Where others may have bound pods to the
 * node, all of its pods are made known first. A conflict or a time-out is resolved by reading the pod, never by assuming.
 */
import type { Clock } from '../model/clock.ts';
import { podName, type PodObject } from '../model/cluster-objects.ts';
import type { BindCommand, BindOutcome, ClusterWriter, DeviceBind } from '../scheduler/cluster-writer.ts';
import { sealAnnotation } from '../vendors/pod-annotations.ts';
import { parsePod } from '../wire/kubernetes.ts';
import { mergePatch, podPath } from './api-paths.ts';
import { pause } from './backoff.ts';
import { fencePatch } from './bind-fence.ts';
import type { LabelKeeper } from './label-keeper.ts';
import type { LockResult, NodeLocks } from './node-locks.ts';
import type { NodePods } from './node-pods.ts';
import type { PodWatch } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import { failureText, type RestFailure } from './rest-result.ts';
import type { Sealer } from './seal.ts';
import { withinTime } from './within-time.ts';

export interface WriterOptions {
  readonly client: RestClient;
  readonly locks: NodeLocks;
  readonly nodePods: Pick<NodePods, 'catchUp'>;
  readonly pods: PodWatch;
  readonly labels: LabelKeeper;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

const callTimeoutMs = 4000;
const mostAttempts = 4;
const defaultRetryAfterMs = 1000;
const firstFenceDelayMs = 250;
const longestFenceDelayMs = 10_000;

interface Metadata {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A bind that is being written. */
interface Write {
  readonly pod: PodObject;
  readonly node: string;
  readonly metadata: Metadata;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** What a read says about a pod that was to be bound. */
type Standing =
  | { readonly kind: 'bound' }
  /** To our node, but with an allocation that is not the one we wrote. */
  | { readonly kind: 'otherwise' }
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unbound'; readonly pod: PodObject };

type Ending =
  | { readonly kind: 'bound' }
  | { readonly kind: 'rejected'; readonly message: string; readonly standing?: Standing['kind'] }
  | { readonly kind: 'unknown'; readonly message: string; readonly settled: Promise<Standing['kind']> };

export class KubernetesWriter implements ClusterWriter {
  readonly #client: RestClient;
  readonly #locks: NodeLocks;
  readonly #nodePods: Pick<NodePods, 'catchUp'>;
  readonly #pods: PodWatch;
  readonly #labels: LabelKeeper;
  readonly #sealer: Sealer;
  readonly #clock: Clock;

  constructor({ client, locks, nodePods, pods, labels, sealer, clock }: WriterOptions) {
    this.#client = client;
    this.#locks = locks;
    this.#nodePods = nodePods;
    this.#pods = pods;
    this.#labels = labels;
    this.#sealer = sealer;
    this.#clock = clock;
  }

  async bind(command: BindCommand, signal: AbortSignal): Promise<BindOutcome> {
    const { devices } = command;
    if (devices !== undefined) return this.#bindDevices(command, devices, signal);
    const ending = await this.#commit({ ...command, metadata: { annotations: {}, labels: {} }, signal });
    return this.#outcome(ending, () => Promise.resolve());
  }

  async #bindDevices(
    { pod, node, deadlineMs }: BindCommand,
    devices: DeviceBind,
    signal: AbortSignal,
  ): Promise<BindOutcome> {
    // From now on the node's locks may be this pod's, and nobody is to take them for left over.
    this.#pods.expect(pod, node, devices.locks);
    const taken = await this.#take(node, pod, { ...devices, deadlineMs, signal });
    if (!taken.ok) {
      this.#pods.forget(pod.uid);
      return { kind: 'rejected', message: taken.message };
    }
    const metadata = devices.metadata(taken.mayBeBehind);
    if (metadata === undefined) {
      await this.#giveBack(pod, node, devices);
      return {
        kind: 'rejected',
        message: `binding ${podName(pod)}: it has no place on node ${node} any more`,
      };
    }
    const seal = this.#sealer.seal(pod.uid, node, metadata.annotations);
    const sealed = { ...metadata, annotations: { ...metadata.annotations, [sealAnnotation]: seal } };
    this.#labels.expect(pod.uid, metadata.labels);
    const ending = await this.#commit({ pod, node, deadlineMs, metadata: sealed, signal });
    return this.#outcome(ending, async (standing) => {
      this.#labels.forget(pod.uid);
      // Bound to this node by whomever, the pod needs its locks, and the device plugins release them.
      if (standing === 'otherwise') this.#locks.doubt(node);
      else await this.#giveBack(pod, node, devices);
    });
  }

  async #giveBack(pod: PodObject, node: string, { locks }: DeviceBind): Promise<void> {
    this.#pods.forget(pod.uid);
    if (locks.length > 0) await this.#locks.release(node, pod, locks);
  }

  /** Takes the node and makes sure that what is known of its pods is as new as that. */
  async #take(
    node: string,
    pod: PodObject,
    { term, locks, deadlineMs, signal }: Omit<DeviceBind, 'metadata'> & Pick<Write, 'deadlineMs' | 'signal'>,
  ): Promise<LockResult> {
    const { namespace, name, uid } = pod;
    const taker = { namespace, name, uid, term, locks };
    const taken = await this.#locks.acquire(node, taker, { deadlineMs, signal });
    if (!taken.ok || !taken.mayBeBehind) return taken;
    const known = await withinTime(this.#clock, { deadlineMs, signal }, (either) =>
      this.#nodePods.catchUp(node, either),
    );
    if (known.ok) {
      this.#locks.trust(node, term);
      return taken;
    }
    if (locks.length > 0) await this.#locks.release(node, pod, locks);
    return { ok: false, message: known.message };
  }

  /** A bound pod's locks are the device plugins' to release; any other end is cleaned up before it is told. */
  async #outcome(
    ending: Ending,
    cleanUp: (standing: Standing['kind'] | undefined) => Promise<void>,
  ): Promise<BindOutcome> {
    switch (ending.kind) {
      case 'bound':
        return ending;
      case 'rejected':
        await cleanUp(ending.standing);
        return { kind: 'rejected', message: ending.message };
      case 'unknown': {
        const settled = ending.settled.then(async (standing) => {
          if (standing === 'bound') return 'bound';
          await cleanUp(standing);
          return 'rejected';
        });
        return { ...ending, settled };
      }
    }
  }

  async #commit(write: Write): Promise<Ending> {
    const { pod, deadlineMs, signal } = write;
    let version = pod.resourceVersion;
    // Without it a Binding that was given up could not be kept from being carried out later.
    if (version === '') return rejected(pod, 'its resource version is not known');
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      if (signal.aborted) return rejected(pod, 'the caller has gone');
      if (this.#clock.nowMs() > deadlineMs) return rejected(pod, 'no time left for the Binding');
      const result = await this.#client.request({
        method: 'POST',
        path: `${podPath(pod)}/binding`,
        body: bindingOf(write, version),
        timeoutMs: callTimeoutMs,
      });
      if (result.kind === 'ok') return { kind: 'bound' };
      if (result.kind === 'status' && result.status === 429) {
        const waitMs = result.retryAfterMs ?? defaultRetryAfterMs;
        if (this.#clock.nowMs() + waitMs > deadlineMs) return rejected(pod, failureText(result));
        await pause(this.#clock, waitMs, signal);
        continue;
      }
      if (result.kind === 'status' && result.status < 500 && result.status !== 409) {
        return rejected(pod, failureText(result));
      }
      const standing = await this.#read(write);
      if (standing?.kind === 'bound') return { kind: 'bound' };
      if (standing !== undefined && standing.kind !== 'unbound') return rejectedAs(pod, standing.kind);
      if (standing === undefined || !mustFail(standing, version)) {
        if (standing !== undefined && isConflict(result)) return rejected(pod, failureText(result));
        return this.#unknown(write, version, result);
      }
      // The pod has changed since it was planned. Only what we did not read may have.
      if (standing.pod.deleting || !isSameRequest(pod, standing.pod)) {
        return rejected(pod, 'the pod changed while it was being bound');
      }
      version = standing.pod.resourceVersion;
    }
    return rejected(pod, `no Binding after ${mostAttempts} attempts`);
  }

  #unknown(write: Write, version: string, failure: RestFailure): Ending {
    return {
      kind: 'unknown',
      message: `binding ${podName(write.pod)}: ${failureText(failure)}; the outcome is being looked up`,
      settled: this.#fence(write, version),
    };
  }

  /** Changes the pod so that a Binding for that version must fail if it is still under way, and reads what happened. */
  async #fence(write: Write, version: string): Promise<Standing['kind']> {
    let waitMs = firstFenceDelayMs;
    for (;;) {
      const result = await this.#client.request({
        method: 'PATCH',
        path: podPath(write.pod),
        contentType: mergePatch,
        body: fencePatch(write.pod, this.#clock.nowMs()),
        timeoutMs: callTimeoutMs,
      });
      // A refusal decides nothing: another pod of that name, a crowd of writers, or somebody's policy. The pod does.
      const standing = result.kind === 'ok' ? standingOf(result.body, write) : await this.#read(write);
      if (standing !== undefined && (standing.kind !== 'unbound' || mustFail(standing, version))) {
        return standing.kind;
      }
      await pause(this.#clock, waitMs);
      waitMs = Math.min(waitMs * 2, longestFenceDelayMs);
    }
  }

  async #read(write: Write): Promise<Standing | undefined> {
    const result = await this.#client.request({
      method: 'GET',
      path: podPath(write.pod),
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'status' && result.status === 404) return { kind: 'gone' };
    return result.kind === 'ok' ? standingOf(result.body, write) : undefined;
  }
}

function rejected(pod: PodObject, cause: string): Ending {
  return { kind: 'rejected', message: `binding ${podName(pod)}: ${cause}` };
}

function rejectedAs(pod: PodObject, standing: 'otherwise' | 'elsewhere' | 'gone'): Ending {
  const cause = standing === 'gone' ? 'the pod is gone' : 'the pod is bound already';
  return { kind: 'rejected', message: `binding ${podName(pod)}: ${cause}`, standing };
}

function bindingOf({ pod, node, metadata }: Write, resourceVersion: string): object {
  const { name, namespace, uid } = pod;
  return {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid, resourceVersion, ...metadata },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  };
}

function standingOf(body: unknown, { pod, node, metadata }: Write): Standing | undefined {
  const now = parsePod(body);
  if (!now.ok) return undefined;
  if (now.value.uid !== pod.uid) return { kind: 'gone' };
  if (now.value.nodeName === undefined) return { kind: 'unbound', pod: now.value };
  if (now.value.nodeName !== node) return { kind: 'elsewhere' };
  // The seal is ours alone: with it, the allocation that was bound is the one in the ledger.
  const ours = now.value.annotations[sealAnnotation] === metadata.annotations[sealAnnotation];
  return { kind: ours ? 'bound' : 'otherwise' };
}

/** Whether a Binding for that version has failed or is going to: the unbound pod has another one by now. */
function mustFail({ pod }: Extract<Standing, { kind: 'unbound' }>, version: string): boolean {
  return pod.resourceVersion !== version;
}

function isConflict(failure: RestFailure): boolean {
  return failure.kind === 'status' && failure.status === 409;
}

/**
 * A pod's spec cannot change before it is bound; the annotations that select cards can. Those include the fence: a
 * pod that was fenced has lost its node's lock.
 */
function isSameRequest(before: PodObject, now: PodObject): boolean {
  const keys = new Set([...Object.keys(before.annotations), ...Object.keys(now.annotations)]);
  return [...keys].every((key) => before.annotations[key] === now.annotations[key]);
}
