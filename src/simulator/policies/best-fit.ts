/**
 * BestFit as the publication compares it: the node whose CPU and cards the pod leaves least of. There the scores are
 * spread over 0..100 among the feasible nodes before they are compared; that changes neither which is the highest nor
 * which are equal to it, so it is not done here.
 */
import type { MakePolicy } from '../policy.ts';
import { rateTightest } from './best-fit-card.ts';
import { freeAfter, sumOf } from './free-milli.ts';
import { largestCards, largestCpu } from './largest-node.ts';

export const makeBestFit: MakePolicy = ({ defaults }) => ({
  name: 'bestfit',
  rules: {
    ...defaults,
    nodePolicy: 'fragmentation',
    scoring: {
      rateShare: rateTightest,
      rateNode: ({ view, draft, request }) => {
        const cpu = (view.hostFree.cpuMilli - request.host.cpuMilli) / largestCpu;
        const cards = sumOf(freeAfter(view, draft)) / largestCards;
        return Math.trunc(100 * (1 - 0.5 * (cpu + cards)));
      },
    },
  },
  choice: 'highest',
});
