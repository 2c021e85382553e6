/**
 * What must hold at every moment, checked on a history: cards are never over-committed by what annotations say, a pod
 * never carries an allocation without being bound or the other way round. Each check answers the violations, a sentence
 * each. Formats are read here anew, so that a mistake of the server's own codecs does not excuse itself.
 */
import { devicesOf, type NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import { isOver } from '../../integration/scenarios/pods.ts';
import { families, familiesOf } from './family-words.ts';
import type { Change } from './history.ts';
import type { PodState } from './pods.ts';

const allocatedAnnotation = 'hami.io/vgpu-devices-allocated';
const nodeKey = 'hami.io/vgpu-node';
const boundAnnotations = [nodeKey, 'hami.io/bind-phase', 'tessera.io/seal'];

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

/**
 * Every moment at which a pod that asks for cards has a node but not its whole allocation, or the reverse: an allocation
 * of each family that it asks for, and what every bound pod has.
 */
export function findHalfBound(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'pod' || !asksForCards(change.pod)) return [];
    const { metadata, spec } = change.pod;
    const { annotations = {}, labels = {} } = metadata;
    const whole = [...familiesOf(change.pod).map(({ allocated }) => allocated), ...boundAnnotations];
    const known = [...families.map(({ allocated }) => allocated), ...boundAnnotations];
    const written = known.filter((key) => annotations[key] !== undefined);
    const wanted = spec.nodeName === undefined ? [] : whole;
    const isWhole = written.length === wanted.length && wanted.every((key) => written.includes(key));
    if (isWhole && labels[nodeKey] === spec.nodeName) return [];
    const node = spec.nodeName ?? 'no node';
    const label = labels[nodeKey] ?? 'none';
    return [`at ${change.version}: ${metadata.name} on ${node} with [${written.join(', ')}], label ${label}`];
  });
}

/** Whether cards of any family are asked for. */
export function asksForCards(pod: PodState): boolean {
  return familiesOf(pod).length > 0;
}
