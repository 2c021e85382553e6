/** Node locks that serve nobody (spec §1.6): while one stands, nothing else of the node can be bound. */
import { nodeReference } from '../../migration/subject.ts';
import { type NodeObject, podName, type PodObject } from '../../model/cluster-objects.ts';
import { nodeLockAnnotation, parseNodeLock } from '../../vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../../vendors/pod-annotations.ts';
import { type Finding, finding } from './finding.ts';
import type { Subject } from './subject.ts';

export function lockFindings({ picture, nodes, config, nowMs }: Subject): readonly Finding[] {
  const podsByName = new Map(picture.pods.map(({ pod }) => [podName(pod), pod]));
  return nodes.flatMap((node) => {
    const value = node.annotations[nodeLockAnnotation];
    if (value === undefined) return [];
    const lock = parseNodeLock(value);
    const object = nodeReference(node);
    if (lock.kind === 'malformed') {
      return [finding('LockMalformed', object, `${nodeLockAnnotation} is ${JSON.stringify(value)}`)];
    }
    const ageMs = Math.abs(nowMs - lock.atMs);
    if (lock.kind === 'bare') {
      if (ageMs <= config.nodeLockExpirySeconds * 1000) return [];
      return [
        finding('LockLeftOver', object, 'its lock names no pod and is older than nodeLockExpirySeconds'),
      ];
    }
    const name = podName(lock.owner);
    const idle = idleBecause(podsByName.get(name), {
      node,
      ageMs,
      bindMs: config.extenderTimeoutSeconds * 1000,
    });
    return idle === undefined ? [] : [finding('LockLeftOver', object, `locked for ${name}, which ${idle}`)];
  });
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
