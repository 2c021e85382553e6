/**
 * The cluster that a simulation starts from, out of a file: the empty nodes of a trace, or a snapshot with the pods that
 * run on it and those that wait.
 */
import type { TesseraConfig } from '../../config/config.ts';
import { hasLabels } from '../../config/node-label-selector.ts';
import { readText } from '../../config/yaml-text.ts';
import { systemClock } from '../../http/system-clock.ts';
import { type NodeObject, type PodObject, podName } from '../../model/cluster-objects.ts';
import type { NodeView } from '../../model/node-view.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { shortText } from '../../model/short-text.ts';
import { openbResources, parseOpenbNodes } from '../../simulator/openb-nodes.ts';
import { DeviceState } from '../../state/device-state.ts';
import type { Vendor } from '../../vendors/vendor.ts';
import { readSnapshotFile } from '../snapshot-file.ts';

export interface SimulatedStart {
  readonly nodes: readonly NodeObject[];
  /** In the order of the nodes. */
  readonly views: readonly NodeView[];
  /** Pods of a snapshot that are not placed yet. */
  readonly pending: readonly PodObject[];
  readonly warnings: readonly string[];
}

/** A problem may quote the value, which is as long as whoever wrote it liked. */
const longestProblem = 500;

/** The nodes of a trace. Refuses with the file and the line; never throws. */
export function readTraceCluster(file: string, vendors: readonly Vendor[]): Parsed<SimulatedStart> {
  const fault = traceFault(vendors);
  if (fault !== undefined) return unparsable(`${file}: ${fault}`);
  const text = readText(file);
  const nodes = text.ok ? parseOpenbNodes(text.value) : text;
  if (!nodes.ok) return unparsable(`${file}: ${nodes.problem}`);
  return parsed(startOf(nodes.value, [], vendors));
}

/** A cluster as it was; quotas are not read, because replays judge none. Refuses with the file and the object; never throws. */
export function readSnapshotCluster(
  file: string,
  vendors: readonly Vendor[],
  { nodeLabelSelector }: Pick<TesseraConfig, 'nodeLabelSelector'>,
): Parsed<SimulatedStart> {
  const snapshot = readSnapshotFile(file);
  if (!snapshot.ok) return snapshot;
  const managed = snapshot.value.nodes.filter(({ labels }) => hasLabels(labels, nodeLabelSelector));
  if (managed.length === 0) return unparsable(`${file}: no node that Tessera would manage`);
  // Files put together by hand may hold a node twice; the last is the newest.
  const nodes = [...new Map(managed.map((node) => [node.name, node])).values()];
  return parsed(startOf(nodes, snapshot.value.pods, vendors));
}

/** Cards of a trace are written in NVIDIA's words; a configuration that renames them would find none. */
export function traceFault(vendors: readonly Vendor[]): string | undefined {
  const nvidia = vendors.find(({ key }) => key === 'NVIDIA');
  if (nvidia === undefined) return 'cards of a trace are NVIDIA’s, which the configuration switches off';
  const { count, memory, cores } = nvidia.resources;
  const isDefault =
    count === openbResources.count &&
    memory === openbResources.memory &&
    cores === openbResources.cores &&
    nvidia.memoryUnitMiB === 1;
  if (isDefault) return undefined;
  const names = Object.values(openbResources).join(', ');
  return `pods of a trace ask for ${names} in MiB and percent; the configuration has other names or units`;
}

function startOf(
  nodes: readonly NodeObject[],
  pods: readonly PodObject[],
  vendors: readonly Vendor[],
): SimulatedStart {
  // A file has no key to check seals with; its well-formed allocations are taken as written.
  const state = new DeviceState({ vendors, trustOf: () => 'as-written' });
  const nowMs = systemClock.nowMs();
  const warnings: string[] = [];
  const tell = (what: string, problem: string) => {
    warnings.push(`${what}: ${shortText(problem, longestProblem)}`);
  };
  for (const node of nodes) {
    for (const { problem } of state.applyNode(node)) tell(`node ${node.name}`, problem);
  }
  for (const pod of pods) {
    for (const { problem } of state.applyPod(pod, nowMs)) tell(`pod ${podName(pod)}`, problem);
  }
  return {
    nodes,
    views: nodes.flatMap(({ name }) => state.view(name) ?? []),
    pending: pods.filter(isWaiting),
    warnings,
  };
}

function isWaiting({ nodeName, phase, deleting }: PodObject): boolean {
  return nodeName === undefined && phase === 'Pending' && !deleting;
}
