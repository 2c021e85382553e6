/**
 * Nodes of the openb trace (`nodes_*.csv`) as Kubernetes nodes with NVIDIA's device plugin on them. The trace knows no
 * memory of cards, so every card gets the same round number: memory and compute then always bind together, and nothing
 * changes against a trace in thousandths of a card.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { type OpenbRow, parseOpenbTable, uniqueName, wholeNumber } from './openb-table.ts';

/** What a card of the trace has. Shares come in whole percent, so no more than 100 fit on one. */
export const openbCard = { memoryMiB: 10_000, corePercent: 100, slots: 100 };

/** The names under which cards and shares are written; NVIDIA's defaults. */
export const openbResources = {
  count: 'nvidia.com/gpu',
  memory: 'nvidia.com/gpumem',
  cores: 'nvidia.com/gpucores',
};

const registerAnnotation = 'hami.io/node-nvidia-register';
/** Of the published experiment. */
const podsPerNode = 1001;
const mostCards = 256;
const mostMilli = 1e9;
const mostMiB = 1e9;

export const openbNodeColumns = ['sn', 'cpu_milli', 'memory_mib', 'gpu', 'model'];

/** The nodes in the order of the rows. Refuses with the line; never throws. */
export function parseOpenbNodes(text: string): Parsed<readonly NodeObject[]> {
  const table = parseOpenbTable(text, openbNodeColumns);
  if (!table.ok) return table;
  const nodes: NodeObject[] = [];
  const names = new Map<string, number>();
  for (const row of table.value.rows) {
    const node = nodeOf(row, names);
    if (!node.ok) return node;
    nodes.push(node.value);
  }
  return parsed(nodes);
}

/** The card type of a node of the trace; undefined where it has no card. */
export function openbCardType({ labels }: NodeObject): string | undefined {
  return labels[typeLabel];
}

const typeLabel = 'nvidia.com/gpu.product';

function nodeOf(row: OpenbRow, names: Map<string, number>): Parsed<NodeObject> {
  const name = uniqueName(row, 'sn', names);
  const cpuMilli = wholeNumber(row, 'cpu_milli', mostMilli);
  const memoryMiB = wholeNumber(row, 'memory_mib', mostMiB);
  const cards = wholeNumber(row, 'gpu', mostCards);
  if (!name.ok) return name;
  if (!cpuMilli.ok) return cpuMilli;
  if (!memoryMiB.ok) return memoryMiB;
  if (!cards.ok) return cards;
  const type = row.cell('model');
  if ((type === '') !== (cards.value === 0)) {
    const fault = type === '' ? `${cards.value} cards without a model` : `model ${type} without a card`;
    return unparsable(`line ${row.line}: ${fault}`);
  }
  const amounts = {
    cpu: `${cpuMilli.value}m`,
    memory: `${memoryMiB.value}Mi`,
    pods: `${podsPerNode}`,
    ...(cards.value === 0 ? {} : { [openbResources.count]: `${cards.value * openbCard.slots}` }),
  };
  return parsed({
    name: name.value,
    resourceVersion: '1',
    annotations: cards.value === 0 ? {} : { [registerAnnotation]: registerOf(name.value, type, cards.value) },
    labels: cards.value === 0 ? {} : { [typeLabel]: type },
    capacity: amounts,
    allocatable: amounts,
  });
}

/** As the device plugin writes it (v2.10): zero values are left out. */
function registerOf(node: string, type: string, cards: number): string {
  const { slots, memoryMiB, corePercent } = openbCard;
  return JSON.stringify(
    Array.from({ length: cards }, (_, index) => ({
      id: `GPU-${node}-${index}`,
      ...(index === 0 ? {} : { index }),
      count: slots,
      devmem: memoryMiB,
      devcore: corePercent,
      type,
      mode: 'hami-core',
      health: true,
    })),
  );
}
