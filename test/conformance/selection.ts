/**
 * Which runs are made. Two seeds of two variants take half a minute and find most faults; TESSERA_CONFORMANCE=all asks
 * for every run of the publication, which takes about a quarter of an hour.
 */
import type { PolicyName } from '../../src/simulator/policy.ts';
import type { Run } from './experiment.ts';
import { type Variant, variants } from './openb-data.ts';

/** The folder of the trace; undefined where nobody has it. */
export const openbFolder = process.env['TESSERA_OPENB'] === '' ? undefined : process.env['TESSERA_OPENB'];
export const isFull = process.env['TESSERA_CONFORMANCE'] === 'all';

/** Of the published policies those whose every placement follows from the order of arrivals, as the publication names them. */
export const deterministicPolicies = {
  fgd: 'FGD',
  bestfit: 'BestFit',
  dotprod: 'DotProd',
  gpupacking: 'GpuPacking',
  gpuclustering: 'GpuClustering',
} as const satisfies Partial<Record<PolicyName, string>>;
export type DeterministicPolicy = keyof typeof deterministicPolicies;

export const selectedVariants: readonly Variant[] = isFull ? variants : ['default', 'gpuspec33'];
export const selectedSeeds: readonly number[] = isFull ? [42, 43, 44, 45, 46, 47, 48, 49, 50, 51] : [42, 43];
export const selectedPolicies: readonly PolicyName[] = [
  ...(Object.keys(deterministicPolicies) as DeterministicPolicy[]),
  'random',
  'fragmentation',
];

export const selectedRuns: readonly Run[] = selectedVariants.flatMap((variant) =>
  selectedPolicies.flatMap((policy) => selectedSeeds.map((seed) => ({ variant, policy, seed }))),
);
