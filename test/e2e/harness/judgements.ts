/**
 * What must hold at every moment, checked on a history: cards are never over-committed by what annotations say, a pod
 * never carries an allocation without being bound or the other way round, and the node lock is respected. Each check
 * answers the violations, a sentence each. Formats are read here anew, so that a mistake of the server's own codecs
 * does not excuse itself.
 */
import { devicesOf, type NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import type { Change } from './history.ts';
import type { PodState } from './pods.ts';

const allocatedAnnotation = 'hami.io/vgpu-devices-allocated';
const nodeKey = 'hami.io/vgpu-node';
const phaseAnnotation = 'hami.io/bind-phase';
const lockAnnotation = 'hami.io/mutex.lock';
const countResource = 'nvidia.com/gpu';

export interface GivenShare {
  readonly id: string;
  readonly memoryMiB: number;
  readonly corePercent: number;
}

/** The shares that a pod's annotation names, per container, e.g. of `GPU-a,NVIDIA,3000,30:;;`. */
export function sharesOf({ metadata }: PodState): readonly (readonly GivenShare[])[] {
  const text = metadata.annotations?.[allocatedAnnotation] ?? '';
  return text
    .split(';')
    .slice(0, -1)
    .map((container) =>
      container
        .split(':')
        .filter((share) => share !== '')
        .map((share) => {
          const [id = '', , memory, cores] = share.split(',');
          return { id, memoryMiB: Number(memory), corePercent: Number(cores) };
        }),
    );
}

/** Every moment at which the allocations of living pods exceed a card. For pods without init containers. */
export function findOverCommits(
  changes: readonly Change[],
  machines: readonly NodeDescription[],
): readonly string[] {
  const cards = machines.flatMap((machine) => devicesOf(machine, 'NVIDIA'));
  const held = new Map<string, readonly GivenShare[]>();
  const faults: string[] = [];
  for (const change of changes) {
    if (change.kind === 'gap' && change.of === 'pod') held.clear();
    if (change.kind !== 'pod') continue;
    const { pod, gone, version } = change;
    const holds = !gone && !isOver(pod) && pod.spec.nodeName !== undefined;
    held.set(pod.metadata.uid, holds ? sharesOf(pod).flat() : []);
    const shares = [...held.values()].flat();
    for (const { id, slots, memoryMiB, corePercent } of cards) {
      const own = shares.filter((share) => share.id === id);
      const memory = own.reduce((sum, share) => sum + share.memoryMiB, 0);
      const cores = own.reduce((sum, share) => sum + share.corePercent, 0);
      if (own.length > slots || memory > memoryMiB || cores > corePercent) {
        faults.push(`at ${version}: ${own.length} shares, ${memory} MiB and ${cores} % on card ${id}`);
      }
    }
  }
  return faults;
}

/** Every moment at which a pod that asks for cards has a node but not its whole allocation, or the reverse. */
export function findHalfBound(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'pod' || !asksForCards(change.pod)) return [];
    const { metadata, spec } = change.pod;
    const { annotations = {}, labels = {} } = metadata;
    const written = [allocatedAnnotation, nodeKey, phaseAnnotation, 'tessera.io/seal'].filter(
      (key) => annotations[key] !== undefined,
    );
    const wanted = spec.nodeName === undefined ? 0 : 4;
    if (written.length === wanted && labels[nodeKey] === spec.nodeName) return [];
    const node = spec.nodeName ?? 'no node';
    const label = labels[nodeKey] ?? 'none';
    return [`at ${change.version}: ${metadata.name} on ${node} with [${written.join(', ')}], label ${label}`];
  });
}

/**
 * Every break of the lock's rule: a pod is bound while its node is locked for it, and the lock stays until the plugin
 * has served that pod or the pod is over.
 */
export function findLockBreaks(changes: readonly Change[]): readonly string[] {
  /** By namespace and name; absent when not known. */
  const pods = new Map<string, PodState>();
  /** By node, the owner's namespace and name, or the empty text; absent when not known. */
  const locks = new Map<string, string>();
  const faults: string[] = [];
  for (const change of changes) {
    if (change.kind === 'gap') {
      (change.of === 'pod' ? pods : locks).clear();
    } else if (change.kind === 'node') {
      const { name, annotations = {} } = change.node.metadata;
      const before = locks.get(name) ?? '';
      const now = annotations[lockAnnotation]?.split(',').slice(1).join('/') ?? '';
      const owner = pods.get(before);
      if (before !== now && owner?.spec.nodeName === name && isUnserved(owner)) {
        faults.push(`at ${change.version}: ${name} was unlocked before its plugin had served ${before}`);
      }
      locks.set(name, now);
    } else {
      const { pod, gone, version } = change;
      const { nodeName = '' } = pod.spec;
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      const known = pods.get(name);
      const isNewlyBound = known !== undefined && known.spec.nodeName === undefined && nodeName !== '';
      const lock = locks.get(nodeName) ?? name;
      if (isNewlyBound && asksForCards(pod) && lock !== name) {
        faults.push(`at ${version}: ${name} was bound while ${nodeName} was locked for "${lock}"`);
      }
      if (gone) pods.delete(name);
      else pods.set(name, pod);
    }
  }
  return faults;
}

function isUnserved(pod: PodState): boolean {
  return pod.metadata.annotations?.[phaseAnnotation] === 'allocating' && !isOver(pod);
}

export function asksForCards({ spec }: PodState): boolean {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return containers.some(({ resources }) => resources?.limits?.[countResource] !== undefined);
}

function isOver({ status }: PodState): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}
