/**
 * Whether the locks of nodes were respected at every moment of a history. The lock that most families share names the
 * pod that holds it; that of Cambricon's plugin names nobody, so it is the node's one pod that waits for its slice.
 */
import { isOver } from '../../integration/scenarios/pods.ts';
import { familiesOf, mluLock, sharedLock } from './family-words.ts';
import type { Change } from './history.ts';
import type { PodState } from './pods.ts';

interface LockWords {
  readonly annotation: string;
  /** Whose lock a value is, as `namespace/name`; for one that names nobody, anybody's. */
  readonly holderIn: (value: string) => string;
  /** Whether the plugin has still to serve a bound pod. */
  readonly isUnserved: (annotations: Readonly<Record<string, string>>) => boolean;
}

const anybody = 'anybody';

const locks: readonly LockWords[] = [
  {
    annotation: sharedLock,
    holderIn: (value) => value.split(',').slice(1).join('/'),
    isUnserved: (annotations) => annotations['hami.io/bind-phase'] === 'allocating',
  },
  {
    annotation: mluLock,
    holderIn: () => anybody,
    isUnserved: (annotations) => annotations['CAMBRICON_DSMLU_ASSIGHED'] === 'false',
  },
];

/**
 * Every break of a lock's rule: a pod is bound while its node is locked for it, and the lock stays until the plugin has
 * served that pod or the pod is over.
 */
export function findLockBreaks(changes: readonly Change[]): readonly string[] {
  return locks.flatMap((lock) => breaksOf(lock, changes));
}

function breaksOf(lock: LockWords, changes: readonly Change[]): readonly string[] {
  /** By namespace and name; absent when not known. */
  const pods = new Map<string, PodState>();
  /** By node, the lock's holder, or the empty text; absent when not known. */
  const holders = new Map<string, string>();
  const faults: string[] = [];
  const waitingOn = (node: string, holder: string) =>
    [...pods].flatMap(([name, pod]) =>
      (holder === anybody || holder === name) && pod.spec.nodeName === node && isUnserved(pod, lock)
        ? name
        : [],
    );
  for (const change of changes) {
    if (change.kind === 'gap') {
      (change.of === 'pod' ? pods : holders).clear();
    } else if (change.kind === 'node') {
      const { name, annotations = {} } = change.node.metadata;
      const before = holders.get(name) ?? '';
      const value = annotations[lock.annotation];
      const now = value === undefined ? '' : lock.holderIn(value);
      const waiting = before === '' || before === now ? [] : waitingOn(name, before);
      for (const pod of waiting) {
        faults.push(`at ${change.version}: ${name} was unlocked before its plugin had served ${pod}`);
      }
      holders.set(name, now);
    } else {
      const { pod, gone, version } = change;
      const { nodeName = '' } = pod.spec;
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      const known = pods.get(name);
      const isNewlyBound = known !== undefined && known.spec.nodeName === undefined && nodeName !== '';
      const holder = holders.get(nodeName) ?? name;
      if (isNewlyBound && isBoundUnder(lock, pod)) {
        if (holder !== anybody && holder !== name) {
          faults.push(`at ${version}: ${name} was bound while ${nodeName} was locked for "${holder}"`);
        }
        const others = holder === anybody ? waitingOn(nodeName, anybody) : [];
        for (const other of others) {
          faults.push(`at ${version}: ${name} was bound while ${other} waited on ${nodeName}`);
        }
      }
      if (gone) pods.delete(name);
      else pods.set(name, pod);
    }
  }
  return faults;
}

function isBoundUnder({ annotation }: LockWords, pod: PodState): boolean {
  return familiesOf(pod).some((family) => family.lock === annotation);
}

function isUnserved(pod: PodState, lock: LockWords): boolean {
  return isBoundUnder(lock, pod) && lock.isUnserved(pod.metadata.annotations ?? {}) && !isOver(pod);
}
