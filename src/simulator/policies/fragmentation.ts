/** The product's own policy, for a workload that is known beforehand: what the scheduler runs on one that it learns. */
import { makeFragmentationScoring } from '../../placement/fragmentation/fragmentation-scoring.ts';
import { classOf } from '../../placement/fragmentation/request-class.ts';
import { supplyOf } from '../../placement/fragmentation/supply.ts';
import type { MakePolicy } from '../policy.ts';

export const makeFragmentation: MakePolicy = ({ views, mix, defaults }) => {
  const classes = mix.map(({ request, count }) => ({ ...classOf(request), weight: count }));
  const scoring = makeFragmentationScoring(classes, supplyOf(views), defaults.cardRules);
  return {
    name: 'fragmentation',
    rules: { ...defaults, nodePolicy: 'fragmentation', scoring },
    choice: 'highest',
  };
};
