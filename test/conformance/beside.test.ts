/**
 * Our own policy where the published experiment is left: pods that leave, a workload that is learnt and not given, memory
 * out of proportion to compute, and the habits of a stock kube-scheduler. These figures stand beside the published ones,
 * never in their place. Made as `tessera simulate` makes them; needs the trace, and minutes, so a part of the tests does
 * without it.
 */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ScenarioOptions } from '../../src/commands/simulate/scenario.ts';
import { runOnWorkers } from '../../src/commands/simulate/worker-pool.ts';
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

const worker = new URL('../../src/commands/simulate/worker.ts', import.meta.url);

/** Percent of the cards that pods hold, the mean of the seeds: at the end, or over time where pods leave. */
async function allocated(variant: Variant, policy: PolicyName, conditions: Conditions): Promise<number> {
  const loaded = loadConfig({ environment: {}, flags: {} });
  if (!loaded.ok) throw new Error(loaded.problem);
  const inputs: ScenarioOptions = {
    config: loaded.value.config,
    nodes: join(folder, 'nodes_gpu.csv'),
    pods: join(folder, `pods/${variant}.csv`),
    ...conditions,
  };
  const requests = seeds.map((seed) => ({ policy, seed }));
  const result = await runOnWorkers({ entry: worker, inputs, requests, workers: seeds.length });
  if (!result.ok) throw new Error(result.problem);
  const figures = result.value.runs.map(({ churn, curve }) =>
    churn === undefined ? (curve.at(-1)?.allocatedPercent ?? NaN) : churn.meanPercent,
  );
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

const fillUp = (variant: Variant) => ({ order: join(folder, `orders/${variant}.jsonl`), load: 1.3 });
const cases = variants.map((variant) => ({ variant }));

describeInFull('fragmentation beside the published experiment (needs TESSERA_OPENB)', () => {
  const plain = new Map<Variant, Promise<number>>();
  const given = (variant: Variant) => {
    const known = plain.get(variant) ?? allocated(variant, 'fragmentation', fillUp(variant));
    plain.set(variant, known);
    return known;
  };
  const under = (variant: Variant, conditions: Conditions, policy: PolicyName = 'fragmentation') =>
    allocated(variant, policy, { ...fillUp(variant), ...conditions });

  it.each(cases)(
    'a learnt workload is as good as a given one, within 0.3: $variant',
    async ({ variant }) => {
      const difference = (await under(variant, { learn: true })) - (await given(variant));
      expect(Math.abs(difference)).toBeLessThanOrEqual(0.3);
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'ties that go by chance cost no more than 0.5: $variant',
    async ({ variant }) => {
      const cost = (await given(variant)) - (await under(variant, { randomTies: true }));
      expect(cost).toBeLessThanOrEqual(0.5);
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'to compare 40 % of the feasible nodes costs no more than 0.2: $variant',
    async ({ variant }) => {
      const cost = (await given(variant)) - (await under(variant, { sample: 0.4 }));
      expect(cost).toBeLessThanOrEqual(0.2);
    },
    tenMinutesMs,
  );

  it.each(cases)(
    'it is ahead of FGD where memory is out of proportion to compute: $variant',
    async ({ variant }) => {
      const skewed = { skewMemory: true } as const;
      expect(await under(variant, skewed)).toBeGreaterThanOrEqual(await under(variant, skewed, 'fgd'));
    },
    tenMinutesMs,
  );

  it.each(
    variants.flatMap((variant) => [
      { variant, load: 1.3, want: 0 },
      { variant, load: 1, want: -0.5 },
    ]),
  )(
    'where pods leave it is ahead of FGD by $want at least: $variant at a load of $load',
    async ({ variant, load, want }) => {
      const churn = { churn: true, load } as const;
      const ours = await allocated(variant, 'fragmentation', churn);
      const theirs = await allocated(variant, 'fgd', churn);
      expect(ours - theirs).toBeGreaterThanOrEqual(want);
    },
    tenMinutesMs,
  );
});
