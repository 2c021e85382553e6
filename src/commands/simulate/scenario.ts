/** What all runs of a command share: the inputs, read, with the workload that is expected and how pods come. */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { requestMix, type WeightedRequest } from '../../simulator/simulated-pod.ts';
import { readSimulationInputs, type SimulationInputOptions, type SimulationInputs } from './inputs.ts';
import type { ScenarioFacts, SimulationReport } from './run-report.ts';

export interface Scenario {
  readonly inputs: SimulationInputs;
  readonly mix: readonly WeightedRequest[];
  readonly arrivals: SimulationReport['arrivals'];
  readonly facts: ScenarioFacts;
}

/** Refuses files that cannot be read or do not fit together, and a cluster without a card. Never throws. */
export function readScenario(options: SimulationInputOptions): Parsed<Scenario> {
  const inputs = readSimulationInputs(options);
  if (!inputs.ok) return inputs;
  const { views, pods, simulatedPods, capacityMilli } = inputs.value;
  const { nodes, snapshot, pods: workload, order } = options;
  if (capacityMilli === 0)
    return unparsable(`${nodes ?? snapshot ?? ''}: no node has a card of a family that is configured`);
  return parsed({
    inputs: inputs.value,
    mix: requestMix(simulatedPods),
    arrivals: arrivalsOf(options),
    facts: {
      nodes: views.length,
      cards: views.reduce((sum, { devices }) => sum + devices.length, 0),
      pods: pods.length,
      sources: [nodes, snapshot, workload, order].filter((file) => file !== undefined),
    },
  });
}

export function arrivalsOf({
  load,
  times,
}: Pick<SimulationInputOptions, 'load' | 'times'>): SimulationReport['arrivals'] {
  if (times !== undefined) return { kind: 'timed' };
  return load === undefined ? { kind: 'all' } : { kind: 'load', percent: Math.round(load * 100) };
}
