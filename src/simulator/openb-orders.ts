/**
 * Arrival orders in files (`orders/*.jsonl`): per line a seed, the rows of the pod file in the order in which its pods
 * come, and a rank for each row of the node file by which equal nodes are told apart.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseJson } from '../wire/json.ts';
import { schemaParser } from '../wire/validate.ts';

export interface ArrivalOrder {
  readonly seed: number;
  /** Positions in the workload; a pod may come several times. */
  readonly arrivals: readonly number[];
  /** By node; the lowest comes first among equals. */
  readonly nodeRank: readonly number[];
}

const row = { type: 'integer', minimum: 0 };
const parseLine = schemaParser<ArrivalOrder>({
  type: 'object',
  properties: {
    seed: { type: 'integer' },
    arrivals: { type: 'array', minItems: 1, items: row },
    nodeRank: { type: 'array', minItems: 1, items: row },
  },
  required: ['seed', 'arrivals', 'nodeRank'],
});

/** How many rows there are of each file that an order speaks of. */
export interface OrderedRows {
  readonly pods: number;
  readonly nodes: number;
}

/** The orders by seed. Refuses with the line; never throws. */
export function parseOrders(text: string, rows: OrderedRows): Parsed<ReadonlyMap<number, ArrivalOrder>> {
  const orders = new Map<number, ArrivalOrder>();
  for (const [index, written] of text.split('\n').entries()) {
    if (written.trim() === '') continue;
    const json = parseJson(written);
    const order = json.ok ? parseLine(json.value) : json;
    const fault = order.ok ? faultOf(order.value, rows, orders) : order.problem;
    if (fault !== undefined) return unparsable(`line ${index + 1}: ${fault}`);
    if (order.ok) orders.set(order.value.seed, order.value);
  }
  return orders.size === 0 ? unparsable('no line with an order') : parsed(orders);
}

/** An order as a line of such a file, without the line's end. */
export function formatOrder({ seed, arrivals, nodeRank }: ArrivalOrder): string {
  return JSON.stringify({ seed, arrivals, nodeRank });
}

function faultOf(
  { seed, arrivals, nodeRank }: ArrivalOrder,
  { pods, nodes }: OrderedRows,
  before: ReadonlyMap<number, ArrivalOrder>,
): string | undefined {
  if (before.has(seed)) return `seed ${seed} is there twice`;
  const beyond = arrivals.findIndex((pod) => pod >= pods);
  if (beyond >= 0) return `arrivals.${beyond} is ${arrivals[beyond] ?? ''}; the pod file has ${pods} rows`;
  if (nodeRank.length !== nodes)
    return `nodeRank has ${nodeRank.length} entries; the node file has ${nodes} rows`;
  if (new Set(nodeRank).size !== nodes) return 'nodeRank gives two nodes the same rank';
  return undefined;
}
