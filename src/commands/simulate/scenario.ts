/** What all runs of a command share: the inputs, read, with the workload that is expected and how pods come. */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { requestMix, type WeightedRequest } from '../../simulator/simulated-pod.ts';
import { readSimulationInputs, type SimulationInputOptions, type SimulationInputs } from './inputs.ts';
import type { RunConditions, ScenarioFacts, SimulationReport } from './run-report.ts';

/** Plain data, so that it can be sent to a worker. */
export interface ScenarioOptions extends SimulationInputOptions, RunConditions {}

export interface Scenario {
  readonly inputs: SimulationInputs;
  /** Of the pods as they are written. */
  readonly mix: readonly WeightedRequest[];
  readonly conditions: RunConditions;
  readonly arrivals: SimulationReport['arrivals'];
  readonly facts: ScenarioFacts;
}

/** Refuses files that cannot be read or do not fit together, and a cluster without a card. Never throws. */
export function readScenario(options: ScenarioOptions): Parsed<Scenario> {
  const inputs = readSimulationInputs(options);
  if (!inputs.ok) return inputs;
  const { views, pods, simulatedPods, capacityMilli } = inputs.value;
  const { nodes, snapshot, pods: workload, order } = options;
  if (capacityMilli === 0)
    return unparsable(`${nodes ?? snapshot ?? ''}: no node has a card of a family that is configured`);
  return parsed({
    inputs: inputs.value,
    mix: requestMix(simulatedPods),
    conditions: conditionsOf(options),
    arrivals: arrivalsOf(options),
    facts: {
      nodes: views.length,
      cards: views.reduce((sum, { devices }) => sum + devices.length, 0),
      pods: pods.length,
      sources: [nodes, snapshot, workload, order].filter((file) => file !== undefined),
    },
  });
}

/** Only those that are set. */
export function conditionsOf({ learn, skewMemory, randomTies, sample }: RunConditions): RunConditions {
  return {
    ...(learn === true ? { learn } : {}),
    ...(skewMemory === true ? { skewMemory } : {}),
    ...(randomTies === true ? { randomTies } : {}),
    ...(sample === undefined ? {} : { sample }),
  };
}

export function arrivalsOf({
  load,
  times,
  churn,
}: Pick<SimulationInputOptions, 'load' | 'times' | 'churn'>): SimulationReport['arrivals'] {
  if (times !== undefined) return { kind: 'timed' };
  if (churn === true) return { kind: 'churn', percent: Math.round((load ?? 1) * 100) };
  return load === undefined ? { kind: 'all' } : { kind: 'load', percent: Math.round(load * 100) };
}
