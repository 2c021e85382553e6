/** The machines of the demo: a dozen nodes as clusters have them, big and small, one with a sick card, one without any. */
import type { GpuDescription, NodeDescription } from './node-agent/node-description.ts';

interface NodeKind {
  /** Names are this and a number. */
  readonly kind: string;
  readonly cpu: string;
  readonly memory: string;
  readonly card?: { readonly type: string; readonly memoryMiB: number };
  readonly cards: number;
  /** Index of a card that the plugin reports as unhealthy. */
  readonly sick?: number;
}

const a100 = { type: 'NVIDIA A100-SXM4-80GB', memoryMiB: 81_920 };
const h100 = { type: 'NVIDIA H100 80GB HBM3', memoryMiB: 81_559 };
const l40s = { type: 'NVIDIA L40S', memoryMiB: 46_068 };
const t4 = { type: 'Tesla T4', memoryMiB: 15_360 };
const v100 = { type: 'Tesla V100-SXM2-32GB', memoryMiB: 32_768 };
const a10 = { type: 'NVIDIA A10', memoryMiB: 23_028 };

const kinds: readonly NodeKind[] = [
  { kind: 'a100', cpu: '128', memory: '1Ti', card: a100, cards: 8 },
  { kind: 'h100', cpu: '192', memory: '2Ti', card: h100, cards: 8 },
  { kind: 'l40s', cpu: '64', memory: '512Gi', card: l40s, cards: 4 },
  { kind: 't4', cpu: '32', memory: '128Gi', card: t4, cards: 4 },
  { kind: 'v100', cpu: '64', memory: '512Gi', card: v100, cards: 4, sick: 2 },
  { kind: 'a10', cpu: '32', memory: '256Gi', card: a10, cards: 2 },
  { kind: 'cpu', cpu: '64', memory: '256Gi', cards: 0 },
  { kind: 'a100', cpu: '128', memory: '1Ti', card: a100, cards: 8 },
  { kind: 'l40s', cpu: '64', memory: '512Gi', card: l40s, cards: 4 },
  { kind: 't4', cpu: '32', memory: '128Gi', card: t4, cards: 4 },
  { kind: 'v100', cpu: '64', memory: '512Gi', card: v100, cards: 4 },
  { kind: 't4', cpu: '32', memory: '128Gi', card: t4, cards: 4 },
];

const zones = ['a', 'b', 'c'];
const cardsPerSocket = 4;

/** The first `count` machines, sorted by name; beyond a dozen the kinds come round again. */
export function demoNodes(count: number): readonly NodeDescription[] {
  const numbers = new Map<string, number>();
  return Array.from({ length: count }, (_, index) => {
    const kind = kinds[index % kinds.length];
    if (kind === undefined) throw new RangeError('there are no kinds of nodes');
    const number = (numbers.get(kind.kind) ?? 0) + 1;
    numbers.set(kind.kind, number);
    return describe(kind, number, zones[index % zones.length] ?? '');
  }).sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
}

function describe(
  { kind, cpu, memory, card, cards, sick }: NodeKind,
  number: number,
  zone: string,
): NodeDescription {
  const gpus: readonly GpuDescription[] =
    card === undefined
      ? []
      : Array.from({ length: cards }, (_, index) => ({
          ...card,
          numa: Math.floor(index / cardsPerSocket),
          // Cards fall sick one at a time: only the first machine of a kind has one.
          healthy: !(index === sick && number === 1),
        }));
  return {
    name: `${kind}-${number}`,
    cpu,
    memory,
    gpus,
    labels: { 'topology.kubernetes.io/zone': zone, 'node.kubernetes.io/instance-type': kind },
  };
}
