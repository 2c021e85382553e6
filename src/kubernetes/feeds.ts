/**
 * Feeds the device-state cache from the API server: nodes first, then the pods of all namespaces, since what a pod
 * weighs depends on the devices of its node, then quotas. The cache is synced once all lists are in. Nothing is decided
 * and nothing is written here; what cannot be read and what others wait for is told through the callbacks.
 */
import type { Clock } from '../model/clock.ts';
import type { NodeObject, PodObject, QuotaObject } from '../model/cluster-objects.ts';
import { allowsMore } from '../model/quota.ts';
import { type Parsed, unparsable } from '../model/result.ts';
import type { AllocationProblem } from '../state/annotated-allocation.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { RegisterProblem } from '../state/node-table.ts';
import type { QuotaProblem } from '../state/quota-table.ts';
import type { Log } from '../telemetry/logger.ts';
import { nodeSchema, parseNode, parsePod, parseQuota, podSchema, quotaSchema } from '../wire/kubernetes.ts';
import type { ReflectorSignal } from './interruption.ts';
import type { ObjectIdentity } from './list-watch-format.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { shapeOf } from './skim.ts';
import type { Departure } from './tracked-objects.ts';

export type FeedKind = 'nodes' | 'pods' | 'resourcequotas';

/** Each is called after the state has taken the change, in the order of events, and must neither throw nor wait. */
export interface FeedCallbacks {
  readonly onNode: (node: NodeObject) => void;
  /** What a node offers has changed: its cards, their health, a cordon, or how many may be asked for. */
  readonly onOfferChanged: (node: string) => void;
  readonly onNodeGone: (name: string) => void;
  readonly onPod: (pod: PodObject) => void;
  readonly onPodGone: (podUid: string) => void;
  /** The quotas of a namespace allow more than before. */
  readonly onQuotaRaised: (namespace: string) => void;
  /** A node's annotation could not be read; its last good inventory stays. Told once per change of the value. */
  readonly onRegisterProblem: (node: NodeObject, problem: RegisterProblem) => void;
  /** A bound pod's allocation could not be read; the pod is charged by its own request. */
  readonly onAllocationProblem: (pod: PodObject, problem: AllocationProblem) => void;
  /** A limit of a quota could not be taken as it was written. Told once per change of the value. */
  readonly onQuotaProblem: (quota: QuotaObject, problem: QuotaProblem) => void;
  /** A whole object could not be read; what was known of it stays. Told once per version of the object. */
  readonly onMalformed: (kind: FeedKind, problem: string, identity: ObjectIdentity) => void;
  /** For counting. */
  readonly onSignal: (kind: FeedKind, signal: ReflectorSignal) => void;
}

export interface FeedOptions extends Partial<FeedCallbacks> {
  readonly client: ReflectorOptions<unknown>['client'];
  readonly state: DeviceState;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Only nodes with these labels are followed, `key=value,…`; empty or left out: all. */
  readonly nodeLabelSelector?: string;
}

export interface Feeds {
  /** Settles when the state holds the whole cluster, or the feeds were stopped before. Never rejects. */
  readonly synced: Promise<'synced' | 'stopped'>;
  /** Ends all requests and waits for their end. May be called twice. */
  stop(): Promise<void>;
}

export function startFeeds(options: FeedOptions): Feeds {
  const nodes = nodeFeed(options);
  const pods = podFeed(options);
  const quotas = quotaFeed(options);
  const sync = async () => {
    nodes.start();
    await nodes.synced;
    // Has no effect once the feeds are stopped.
    pods.start();
    await pods.synced;
    quotas.start();
    const result = await quotas.synced;
    if (result === 'synced') options.state.markSynced();
    return result;
  };
  return {
    synced: sync(),
    stop: async () => {
      await Promise.all([nodes.stop(), pods.stop(), quotas.stop()]);
    },
  };
}

function nodeFeed(options: FeedOptions): Reflector<NodeObject> {
  const { state, nodeLabelSelector: selector = '' } = options;
  return new Reflector<NodeObject>({
    ...sharedOptions(options, 'nodes'),
    path: '/api/v1/nodes',
    ...(selector === '' ? {} : { query: { labelSelector: selector } }),
    parse: parseNode,
    shape: shapeOf(nodeSchema),
    handler: {
      upsert: (node) => {
        const before = state.node(node.name)?.generation;
        const problems = state.applyNode(node);
        for (const problem of problems) options.onRegisterProblem?.(node, problem);
        options.onNode?.(node);
        if (state.node(node.name)?.generation !== before) options.onOfferChanged?.(node.name);
      },
      remove: ({ name }) => {
        state.removeNode(name);
        options.onNodeGone?.(name);
      },
      malformed: malformedHandler(options, 'nodes'),
    },
  });
}

function podFeed(options: FeedOptions): Reflector<PodObject> {
  const { state, clock } = options;
  const gone = (uid: string, departure: Departure) => {
    state.removePod(uid, clock.nowMs(), departure === 'missed');
    options.onPodGone?.(uid);
  };
  let unseen: readonly string[] = [];
  return new Reflector<PodObject>({
    ...sharedOptions(options, 'pods'),
    path: '/api/v1/pods',
    parse: parseStoredPod,
    shape: shapeOf(podSchema),
    handler: {
      upsert: (pod) => {
        const problems = state.applyPod(pod, clock.nowMs());
        for (const problem of problems) options.onAllocationProblem?.(pod, problem);
        options.onPod?.(pod);
      },
      remove: ({ uid }, departure) => {
        gone(uid, departure);
      },
      // A pod that we have bound may have come and gone while the watch was dead. No list can miss what it never saw,
      // but a pod that was bound before the list and is not in it is no more.
      listBegins: () => {
        unseen = boundAndUnseen(state);
      },
      listEnds: () => {
        for (const uid of unseen) if (state.versionOf(uid) === undefined) gone(uid, 'missed');
      },
      malformed: malformedHandler(options, 'pods'),
    },
  });
}

function quotaFeed(options: FeedOptions): Reflector<QuotaObject> {
  const { state } = options;
  return new Reflector<QuotaObject>({
    ...sharedOptions(options, 'resourcequotas'),
    path: '/api/v1/resourcequotas',
    parse: parseQuota,
    shape: shapeOf(quotaSchema),
    handler: {
      upsert: (quota) => {
        withQuotaChange(options, quota.namespace, () => {
          const problems = state.applyQuota(quota);
          for (const problem of problems) options.onQuotaProblem?.(quota, problem);
        });
      },
      remove: (quota) => {
        withQuotaChange(options, quota.namespace, () => {
          state.removeQuota(quota);
        });
      },
      malformed: malformedHandler(options, 'resourcequotas'),
    },
  });
}

/** Pods that the ledger knows from their binds alone. */
function boundAndUnseen(state: DeviceState): readonly string[] {
  return [...state.entries()].flatMap(({ podUid, state: stage }) =>
    stage === 'bound' && state.versionOf(podUid) === undefined ? [podUid] : [],
  );
}

/** A stored pod always has a UID, and the ledger is kept by it. */
function parseStoredPod(raw: unknown): Parsed<PodObject> {
  const pod = parsePod(raw);
  return pod.ok && pod.value.uid === '' ? unparsable('a pod without a uid') : pod;
}

function sharedOptions(options: FeedOptions, kind: FeedKind) {
  const { client, clock, random, log, onSignal } = options;
  return {
    kind,
    client,
    clock,
    random,
    log,
    onSignal: (signal: ReflectorSignal) => onSignal?.(kind, signal),
  };
}

function malformedHandler({ onMalformed, log }: FeedOptions, kind: FeedKind) {
  return (identity: ObjectIdentity, problem: string) => {
    const { namespace, name } = identity;
    log.warn({ feed: kind, namespace, name, problem }, 'object could not be read');
    onMalformed?.(kind, problem, identity);
  };
}

/** Quota objects change with every pod that is counted; only looser limits are told. */
function withQuotaChange({ state, onQuotaRaised }: FeedOptions, namespace: string, change: () => void): void {
  const before = state.quotaOf(namespace);
  change();
  if (allowsMore(before, state.quotaOf(namespace))) onQuotaRaised?.(namespace);
}
