/** Any feasible node and any of its cards that fit, by chance. */
import type { MakePolicy } from '../policy.ts';

export const makeRandom: MakePolicy = ({ defaults, random }) => ({
  name: 'random',
  rules: {
    ...defaults,
    nodePolicy: 'fragmentation',
    scoring: { rateShare: () => random(), rateNode: () => 0 },
  },
  choice: 'any',
});
