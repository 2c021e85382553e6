/**
 * Everything that a replay starts from, out of the files that a command names. A worker thread is given the options,
 * which are plain data, and reads the files itself. What cannot be read, or does not fit together, is refused with its
 * file before any replay begins.
 */
import type { TesseraConfig } from '../../config/config.ts';
import type { PodObject } from '../../model/cluster-objects.ts';
import type { NodeView } from '../../model/node-view.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { PolicyDefaults } from '../../placement/planner.ts';
import { policiesFrom } from '../../placement/policy-defaults.ts';
import type { TimeWindow } from '../../simulator/arrivals-by-time.ts';
import { capacityMilli, demandsMilli } from '../../simulator/card-shares.ts';
import { checkOpenbTypes } from '../../simulator/openb-types.ts';
import { readSimulatedPods, type SimulatedPod } from '../../simulator/simulated-pod.ts';
import { withSkewedMemory } from '../../simulator/skewed-memory.ts';
import type { Vendor } from '../../vendors/vendor.ts';
import { makeVendors } from '../../vendors/vendors.ts';
import { arrivalsFrom, type SeededArrivals } from './inputs-arrivals.ts';
import { readSnapshotCluster, readTraceCluster, type SimulatedStart, traceFault } from './inputs-cluster.ts';
import { readWorkloadFile, type Workload } from './inputs-workload.ts';

/** Plain data, so that it can be sent to a worker. */
export interface SimulationInputOptions {
  readonly config: TesseraConfig;
  /** The cluster: nodes of a trace in CSV, or a snapshot of one in JSON or YAML; one of the two. */
  readonly nodes?: string | undefined;
  readonly snapshot?: string | undefined;
  /** The workload: a trace in CSV, or pods in JSON or YAML; without it the pending pods of the snapshot. */
  readonly pods?: string | undefined;
  /** Orders by seed, JSON lines. */
  readonly order?: string | undefined;
  /** Pods come until they ask for this many times the cluster's cards; 1.3 is 130 %. */
  readonly load?: number | undefined;
  /** Pods come and leave by the times of the trace; `true` is all of it. */
  readonly times?: true | TimeWindow | undefined;
  /** Pods come and leave by chance, so that they ask for the load at any time; without one, for all cards. */
  readonly churn?: true | undefined;
  /** Memory asked for is out of proportion to compute. */
  readonly skewMemory?: true | undefined;
}

export interface SimulationInputs {
  readonly vendors: readonly Vendor[];
  /** The policies that the configuration puts in force. */
  readonly policies: PolicyDefaults;
  readonly views: readonly NodeView[];
  readonly pods: readonly PodObject[];
  /** The same pods, read; in the same order. */
  readonly simulatedPods: readonly SimulatedPod[];
  /** What each of them asks for, in thousandths of a card. */
  readonly demandsMilli: readonly number[];
  /** The pods as they come under a seed; the same as above where nothing of them is drawn. */
  readonly podsOf: (seed: number) => readonly SimulatedPod[];
  /** Thousandths of a card that the cluster has. */
  readonly capacityMilli: number;
  /** Whole sentences about what was left out. */
  readonly warnings: readonly string[];
  /**
   * Who comes when, under a seed: by the times of the trace, by the line of the order file, by an order drawn for the
   * load or for a churn; with none of them, every pod once as it stands in its file. Refuses a seed or a load that there is no order for.
   */
  readonly arrivalsOf: (seed: number) => Parsed<SeededArrivals>;
}

/** Reads the files and nothing else. Never throws. */
export function readSimulationInputs(options: SimulationInputOptions): Parsed<SimulationInputs> {
  const fault = contradictionIn(options);
  if (fault !== undefined) return unparsable(fault);
  const vendors = makeVendors(options.config);
  const start = readStart(options, vendors);
  if (!start.ok) return start;
  const workload = readWorkload(options, start.value, vendors);
  if (!workload.ok) return workload;
  const { views } = start.value;
  const pods = workload.value.pods.map(({ pod }) => pod);
  const simulatedPods = readSimulatedPods(pods, vendors);
  const podsOf = (seed: number) =>
    options.skewMemory === true ? withSkewedMemory(simulatedPods, views, seed) : simulatedPods;
  const written = demandsOn(views, simulatedPods);
  const arrivals = arrivalsFrom(options, {
    pods: workload.value.pods,
    demandsOf: (seed) => (options.skewMemory === true ? demandsOn(views, podsOf(seed)) : written),
    nodes: views.length,
    capacityMilli: capacityMilli(views),
  });
  if (!arrivals.ok) return arrivals;
  return parsed({
    views,
    demandsMilli: written,
    podsOf,
    capacityMilli: capacityMilli(views),
    vendors,
    policies: policiesFrom(options.config, vendors),
    pods,
    simulatedPods,
    warnings: [...start.value.warnings, ...workload.value.warnings],
    arrivalsOf: arrivals.value,
  });
}

function demandsOn(views: readonly NodeView[], pods: readonly SimulatedPod[]): readonly number[] {
  return demandsMilli(
    pods.map(({ request }) => request),
    views,
  );
}

function contradictionIn({ nodes, snapshot, pods, order, load, times, churn }: SimulationInputOptions) {
  if ((nodes === undefined) === (snapshot === undefined))
    return 'name the cluster by one of --nodes and --snapshot';
  if (snapshot === undefined && pods === undefined) return 'name the workload by --pods';
  if (times !== undefined && (order !== undefined || load !== undefined))
    return 'by its times a trace has one order and one load of its own; leave out --order and --load';
  if (churn === true && times !== undefined)
    return 'pods leave by their times or by chance; choose one of --timed and --churn';
  if (churn === true && order !== undefined)
    return 'an order in a file ends before a churn does; leave out --order, and the order is drawn';
  if (load !== undefined && !(Number.isFinite(load) && load > 0))
    return `a load of ${load} is none; 1.3 means 130 % of the cluster's cards`;
  return undefined;
}

function readStart(
  { config, nodes, snapshot = '' }: SimulationInputOptions,
  vendors: readonly Vendor[],
): Parsed<SimulatedStart> {
  return nodes === undefined
    ? readSnapshotCluster(snapshot, vendors, config)
    : readTraceCluster(nodes, vendors);
}

function readWorkload(
  { nodes, snapshot = '', pods: file }: SimulationInputOptions,
  start: SimulatedStart,
  vendors: readonly Vendor[],
): Parsed<Workload> {
  const { pending } = start;
  if (file === undefined) {
    return pending.length === 0
      ? unparsable(`${snapshot}: no pod is pending; name a workload by --pods`)
      : parsed({ pods: pending.map((pod) => ({ pod })), isTrace: false, warnings: [] });
  }
  const read = readWorkloadFile(file, vendors);
  if (!read.ok) return read;
  const { pods, isTrace, warnings } = read.value;
  if (isTrace) {
    const fault = traceFault(vendors);
    if (fault !== undefined) return unparsable(`${file}: ${fault}`);
  }
  if (isTrace && nodes !== undefined) {
    const types = checkOpenbTypes(
      start.nodes,
      pods.map(({ pod }) => pod),
    );
    if (!types.ok) return unparsable(`${file}: ${types.problem}`);
  }
  const more: string[] = [];
  if (pending.length > 0) more.push(`${pending.length} pending pods of ${snapshot} are not replayed`);
  if (isTrace && nodes === undefined)
    more.push(`shares in ${file} are of cards with 10000 MiB; of larger ones they take less memory`);
  return parsed({ pods, isTrace, warnings: [...warnings, ...more] });
}
