/**
 * What the node locks tell (spec §1.6, Q14), judged as the server judges them: by what has become of the pod that a lock
 * names, not by its age. No pod may be on its way through a device plugin while the scheduler changes.
 */
import type { NodeObject, PodObject } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import { nodeLockAnnotation, parseNodeLock } from '../vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../vendors/pod-annotations.ts';
import { type Finding, finding } from './finding.ts';
import { nodeReference, type Subject } from './subject.ts';

export function lockFindings({ picture, config, nowMs }: Subject): readonly Finding[] {
  const podsByName = new Map(picture.pods.map(({ pod }) => [podName(pod), pod]));
  return picture.nodes.flatMap((node) => {
    const value = node.annotations[nodeLockAnnotation];
    if (value === undefined) return [];
    const lock = parseNodeLock(value);
    const object = nodeReference(node);
    switch (lock.kind) {
      case 'malformed':
        return [finding('NodeLockMalformed', object, `${nodeLockAnnotation} is ${JSON.stringify(value)}`)];
      case 'bare': {
        const expired = Math.abs(nowMs - lock.atMs) > config.nodeLockExpirySeconds * 1000;
        const sentence = `${nodeLockAnnotation} names no pod`;
        return [
          expired
            ? finding('NodeLockLeftOver', object, `${sentence} and is older than nodeLockExpirySeconds`)
            : finding('NodeLockHeld', object, `${sentence} and was set less than nodeLockExpirySeconds ago`),
        ];
      }
      case 'owned': {
        const name = podName(lock.owner);
        const idle = idleBecause(podsByName.get(name), node);
        return [
          idle === undefined
            ? finding('NodeLockHeld', object, `locked for ${name}, which waits for its devices`)
            : finding('NodeLockLeftOver', object, `locked for ${name}, which ${idle}`),
        ];
      }
    }
  });
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
