/**
 * Node locks that serve nobody (spec §1.6, vendors §3.8): while one stands, nothing else that needs it can be bound to
 * the node. A lock that names its pod is judged by that pod; one that names nobody by its age and by who waits there.
 */
import { hasBegun } from '../../kubernetes/pod-watch.ts';
import { nodeReference } from '../../migration/subject.ts';
import { type NodeObject, podName, type PodObject } from '../../model/cluster-objects.ts';
import { LockProtocols } from '../../vendors/lock-protocols.ts';
import { type NodeLockProtocol, readNodeLock } from '../../vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../../vendors/pod-annotations.ts';
import { type Finding, finding } from './finding.ts';
import type { Subject } from './subject.ts';

export function lockFindings(subject: Subject): readonly Finding[] {
  const protocols = new LockProtocols(subject.vendors);
  const pods = subject.picture.pods.map(({ pod }) => pod);
  const podsByName = new Map(pods.map((pod) => [podName(pod), pod]));
  const isAwaited = (node: NodeObject, protocol: NodeLockProtocol) =>
    pods.some(
      (pod) => pod.nodeName === node.name && !hasBegun(pod) && protocols.isAwaited(pod.annotations, protocol),
    );
  return subject.nodes.flatMap((node) =>
    protocols.all.flatMap(
      (protocol) => lockFinding(node, protocol, { subject, podsByName, isAwaited }) ?? [],
    ),
  );
}

interface LockJudges {
  readonly subject: Subject;
  readonly podsByName: ReadonlyMap<string, PodObject>;
  /** Whether a pod of the node waits for devices under the lock. */
  readonly isAwaited: (node: NodeObject, protocol: NodeLockProtocol) => boolean;
}

function lockFinding(
  node: NodeObject,
  protocol: NodeLockProtocol,
  { subject: { config, nowMs }, podsByName, isAwaited }: LockJudges,
): Finding | undefined {
  const { annotation, ownerAnnotation, expiryMs } = protocol;
  const value = node.annotations[annotation];
  if (value === undefined) return undefined;
  const object = nodeReference(node);
  const lock = readNodeLock(protocol, value);
  if (lock.kind === 'malformed') {
    return finding('LockMalformed', object, `${annotation} is ${JSON.stringify(value)}`);
  }
  const ageMs = Math.abs(nowMs - lock.atMs);
  if (lock.kind === 'bare') {
    if (ageMs <= (expiryMs ?? config.nodeLockExpirySeconds * 1000)) return undefined;
    if (ownerAnnotation === undefined) {
      return finding('LockLeftOver', object, 'its lock names no pod and is older than nodeLockExpirySeconds');
    }
    return isAwaited(node, protocol)
      ? undefined
      : finding('LockLeftOver', object, `${annotation} is ${JSON.stringify(value)}, and no pod waits for it`);
  }
  const name = podName(lock.owner);
  const idle = idleBecause(podsByName.get(name), {
    node,
    ageMs,
    bindMs: config.extenderTimeoutSeconds * 1000,
  });
  return idle === undefined
    ? undefined
    : finding('LockLeftOver', object, `locked for ${name}, which ${idle}`);
}

/** Why the device plugin has nothing to do for a lock's owner; undefined while it has, or may come to have. */
function idleBecause(
  owner: PodObject | undefined,
  { node, ageMs, bindMs }: { readonly node: NodeObject; readonly ageMs: number; readonly bindMs: number },
): string | undefined {
  if (owner === undefined) return 'is gone';
  if (owner.nodeName === undefined) {
    return ageMs > bindMs ? 'was never bound, though no bind takes that long' : undefined;
  }
  if (owner.nodeName !== node.name) return `is bound to ${owner.nodeName}`;
  if (owner.phase === 'Succeeded' || owner.phase === 'Failed') return 'is over';
  if (owner.phase === 'Running') return 'runs and so has its devices';
  const phase = owner.annotations[bindPhaseAnnotation];
  return phase === 'success' || phase === 'failed'
    ? `waits no longer (${bindPhaseAnnotation}: ${phase})`
    : undefined;
}
