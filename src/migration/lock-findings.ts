/**
 * What the node locks tell (spec §1.6, Q14; vendors §3.8), judged as the server judges them: by what has become of the pod
 * that a lock names, not by its age, unless it names none. No pod may be on its way through a device plugin while the
 * scheduler changes.
 */
import type { NodeObject, PodObject } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import { LockProtocols } from '../vendors/lock-protocols.ts';
import { type NodeLockProtocol, readNodeLock } from '../vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../vendors/pod-annotations.ts';
import { type Finding, finding } from './finding.ts';
import { nodeReference, type Subject } from './subject.ts';

export function lockFindings(subject: Subject): readonly Finding[] {
  const { picture, vendors } = subject;
  const podsByName = new Map(picture.pods.map(({ pod }) => [podName(pod), pod]));
  const protocols = new LockProtocols(vendors).all;
  return picture.nodes.flatMap((node) =>
    protocols.flatMap((protocol) => lockFinding(node, protocol, { ...subject, podsByName }) ?? []),
  );
}

interface LockJudges extends Pick<Subject, 'config' | 'nowMs'> {
  readonly podsByName: ReadonlyMap<string, PodObject>;
}

function lockFinding(
  node: NodeObject,
  protocol: NodeLockProtocol,
  { config, nowMs, podsByName }: LockJudges,
): Finding | undefined {
  const { annotation, expiryMs } = protocol;
  const value = node.annotations[annotation];
  if (value === undefined) return undefined;
  const lock = readNodeLock(protocol, value);
  const object = nodeReference(node);
  switch (lock.kind) {
    case 'malformed':
      return finding('NodeLockMalformed', object, `${annotation} is ${JSON.stringify(value)}`);
    case 'bare': {
      const isExpired = Math.abs(nowMs - lock.atMs) > (expiryMs ?? config.nodeLockExpirySeconds * 1000);
      const limit = expiryMs === undefined ? 'nodeLockExpirySeconds' : `${expiryMs / 1000} s`;
      return isExpired
        ? finding('NodeLockLeftOver', object, `${annotation} names no pod and is older than ${limit}`)
        : finding('NodeLockHeld', object, `${annotation} names no pod and was set less than ${limit} ago`);
    }
    case 'owned': {
      const name = podName(lock.owner);
      const idle = idleBecause(podsByName.get(name), node);
      return idle === undefined
        ? finding('NodeLockHeld', object, `locked for ${name}, which waits for its devices`)
        : finding('NodeLockLeftOver', object, `locked for ${name}, which ${idle}`);
    }
  }
}

/** Why the device plugin has nothing left to do for a lock's owner; undefined when it has. */
function idleBecause(owner: PodObject | undefined, node: NodeObject): string | undefined {
  if (owner === undefined) return 'is gone';
  if (owner.nodeName === undefined) return 'is not bound';
  if (owner.nodeName !== node.name) return `is bound to ${owner.nodeName}`;
  if (owner.phase !== 'Pending') return 'has its devices already';
  const phase = owner.annotations[bindPhaseAnnotation];
  return phase === 'allocating'
    ? undefined
    : `is not waiting for devices (${bindPhaseAnnotation}: ${phase ?? 'none'})`;
}
