/**
 * The openb trace on disk, in the layout of the data set: `nodes_gpu.csv`, `pods/<variant>.csv`, `orders/<variant>.jsonl`
 * and the published figures under `reference/`. It is too large for the repository, so tests take it from the folder
 * that TESSERA_OPENB names.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeView } from '../../src/model/node-view.ts';
import type { Parsed } from '../../src/model/result.ts';
import { parseOpenbNodes } from '../../src/simulator/openb-nodes.ts';
import { type ArrivalOrder, parseOrders } from '../../src/simulator/openb-orders.ts';
import { parseOpenbPods } from '../../src/simulator/openb-pods.ts';
import { readSimulatedPods, type SimulatedPod } from '../../src/simulator/simulated-pod.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';

export const variants = [
  'default',
  'cpu050',
  'cpu100',
  'cpu200',
  'cpu250',
  'gpushare40',
  'gpushare80',
  'gpushare100',
  'gpuspec10',
  'gpuspec20',
  'gpuspec33',
  'multigpu20',
  'multigpu40',
  'multigpu50',
] as const;
export type Variant = (typeof variants)[number];

export interface Workload {
  readonly pods: readonly SimulatedPod[];
  /** By seed. */
  readonly orders: ReadonlyMap<number, ArrivalOrder>;
}

/** The nodes with nothing on them, in the order of the file. */
export function readCluster(folder: string): readonly NodeView[] {
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
  const nodes = valueOf(parseOpenbNodes(textOf(folder, 'nodes_gpu.csv')));
  for (const node of nodes) state.applyNode(node);
  return nodes.map(({ name }) => state.view(name)!);
}

export function readWorkload(folder: string, variant: Variant, nodes: number): Workload {
  const objects = valueOf(parseOpenbPods(textOf(folder, `pods/${variant}.csv`))).map(({ pod }) => pod);
  const orders = valueOf(
    parseOrders(textOf(folder, `orders/${variant}.jsonl`), { pods: objects.length, nodes }),
  );
  return { pods: readSimulatedPods(objects, nvidiaVendors), orders };
}

/** The cells of a file of the data set below its header, by column. */
export function readTable(folder: string, path: string): readonly Readonly<Record<string, string>>[] {
  const [header = '', ...lines] = textOf(folder, path).trimEnd().split('\n');
  const columns = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? '']));
  });
}

function textOf(folder: string, path: string): string {
  return readFileSync(join(folder, path), 'utf8');
}

function valueOf<T>(read: Parsed<T>): T {
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}
