/**
 * The machines of a benchmark's cluster: GPU servers in the mix in which large clusters have them, all with the same
 * number of cards, a few of them in MIG mode. The same numbers and seed make the same machines.
 */
import { pickWeighted } from '../../src/emulator/demo-cluster-random.ts';
import { migCard } from '../../src/emulator/node-agent/mig-cards.ts';
import type { GpuDescription, NodeDescription } from '../../src/emulator/node-agent/node-description.ts';

interface Model {
  /** Part of the node's name and its instance type. */
  readonly word: string;
  readonly card: GpuDescription;
}

const models: readonly (readonly [weight: number, model: Model])[] = [
  [35, { word: 'a100', card: { type: 'NVIDIA A100-SXM4-80GB', memoryMiB: 81_920 } }],
  [20, { word: 'h100', card: { type: 'NVIDIA H100 80GB HBM3', memoryMiB: 81_559 } }],
  [20, { word: 'l40s', card: { type: 'NVIDIA L40S', memoryMiB: 46_068 } }],
  [10, { word: 'v100', card: { type: 'Tesla V100-SXM2-32GB', memoryMiB: 32_768 } }],
  [10, { word: 't4', card: { type: 'Tesla T4', memoryMiB: 15_360 } }],
  [5, { word: 'a100-mig', card: migCard('A100-80GB') }],
];

const zones = ['a', 'b', 'c'] as const;
const sockets = 2;

export interface MachineCount {
  readonly nodes: number;
  /** On every node. */
  readonly cards: number;
  /** False for a cluster without cards in MIG mode. */
  readonly mig?: boolean;
}

/** In an order that says nothing about them, as kube-scheduler goes through its nodes. */
export function machines(
  { nodes, cards, mig = true }: MachineCount,
  random: () => number,
): readonly NodeDescription[] {
  const kinds = models.filter(([, { card }]) => mig || card.migProfiles === undefined);
  return Array.from({ length: nodes }, (_, index) => {
    const { word, card } = pickWeighted(kinds, random);
    return {
      name: `gpu-${word}-${String(index + 1).padStart(5, '0')}`,
      cpu: '128',
      memory: '1Ti',
      gpus: Array.from({ length: cards }, (_card, position) => ({
        ...card,
        numa: Math.floor((position * sockets) / cards),
      })),
      labels: {
        'topology.kubernetes.io/region': 'r1',
        'topology.kubernetes.io/zone': zones[index % zones.length] ?? 'a',
        'node.kubernetes.io/instance-type': word,
      },
    };
  });
}

/** Alike, and with a host that is never what is scarce. */
export function largeMachines({ nodes, cards }: Omit<MachineCount, 'mig'>): readonly NodeDescription[] {
  return Array.from({ length: nodes }, (_, index) => ({
    name: `gpu-large-${String(index + 1).padStart(5, '0')}`,
    cpu: '256',
    memory: '4Ti',
    gpus: Array.from({ length: cards }, () => ({ type: 'NVIDIA A100-SXM4-80GB', memoryMiB: 81_920 })),
  }));
}
