/**
 * Our own policy where the published experiment is left: pods that leave, a workload that is learnt and not given, memory
 * out of proportion to compute, and the habits of a stock kube-scheduler. These figures stand beside the published ones,
 * never in their place. Made as `tessera simulate` makes them; needs the trace, and minutes, so a part of the tests does
 * without it.
 */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { makeRun } from '../../src/commands/simulate/one-run.ts';
import { readScenario, type Scenario, type ScenarioOptions } from '../../src/commands/simulate/scenario.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { PolicyName } from '../../src/simulator/policy.ts';
import type { Variant } from './openb-data.ts';
import { isFull, openbFolder } from './selection.ts';

const [folder = '', describeInFull] = [
  openbFolder,
  openbFolder === undefined || !isFull ? describe.skip : describe,
];
const seeds = [42, 43];
const variants: readonly Variant[] = ['default', 'gpuspec33'];
const tenMinutesMs = 10 * 60_000;

type Conditions = Omit<ScenarioOptions, 'config' | 'nodes' | 'pods'>;

function scenarioOf(variant: Variant, conditions: Conditions): Scenario {
  const loaded = loadConfig({ environment: {}, flags: {} });
  if (!loaded.ok) throw new Error(loaded.problem);
  const scenario = readScenario({
    config: loaded.value.config,
    nodes: join(folder, 'nodes_gpu.csv'),
    pods: join(folder, `pods/${variant}.csv`),
    ...conditions,
  });
  if (!scenario.ok) throw new Error(scenario.problem);
  return scenario.value;
}

/** Percent of the cards that pods hold, the mean of the seeds: at the end, or over time where pods leave. */
function allocated(variant: Variant, policy: PolicyName, conditions: Conditions): number {
  const scenario = scenarioOf(variant, conditions);
  const figures = seeds.map((seed) => {
    const run = makeRun(scenario, { policy, seed }, { nowMs: () => performance.now() });
    if (!run.ok) throw new Error(run.problem);
    const { churn, curve } = run.value;
    return churn?.meanPercent ?? curve.at(-1)?.allocatedPercent ?? NaN;
  });
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

const fillUp = (variant: Variant) => ({ order: join(folder, `orders/${variant}.jsonl`), load: 1.3 });
const cases = variants.map((variant) => ({ variant }));

describeInFull('fragmentation beside the published experiment (needs TESSERA_OPENB)', () => {
  const plain = new Map<Variant, number>();
  const given = (variant: Variant) => {
    const known = plain.get(variant) ?? allocated(variant, 'fragmentation', fillUp(variant));
    plain.set(variant, known);
    return known;
  };
  const under = (variant: Variant, conditions: Conditions, policy: PolicyName = 'fragmentation') =>
    allocated(variant, policy, { ...fillUp(variant), ...conditions });

  it.each(cases)(
    'a learnt workload is as good as a given one, within 0.3: $variant',
    ({ variant }) => {
      const difference = under(variant, { learn: true }) - given(variant);
      expect(Math.abs(difference)).toBeLessThanOrEqual(0.3);
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'ties that go by chance cost no more than 0.5: $variant',
    ({ variant }) => {
      expect(under(variant, { randomTies: true })).toBeGreaterThanOrEqual(given(variant) - 0.5);
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'to compare 40 % of the feasible nodes costs no more than 0.2: $variant',
    ({ variant }) => {
      expect(under(variant, { sample: 0.4 })).toBeGreaterThanOrEqual(given(variant) - 0.2);
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'it is ahead of FGD where memory is out of proportion to compute: $variant',
    ({ variant }) => {
      const skewed = { skewMemory: true } as const;
      expect(under(variant, skewed)).toBeGreaterThanOrEqual(under(variant, skewed, 'fgd'));
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'it is ahead of FGD where pods leave and more come than fit: $variant',
    ({ variant }) => {
      const churn = { churn: true, load: 1.3 } as const;
      expect(allocated(variant, 'fragmentation', churn)).toBeGreaterThanOrEqual(
        allocated(variant, 'fgd', churn),
      );
    },
    tenMinutesMs,
  );
});
