/**
 * DotProd as the publication compares it (after Tetris): the node whose free CPU and cards point least in the direction
 * of what the pod asks for, so that little of what it has is matched and large nodes are kept.
 */
import type { MakePolicy } from '../policy.ts';
import { rateTightest } from './best-fit-card.ts';
import { freeAfter, freeBefore, sumOf } from './free-milli.ts';
import { largestCards, largestCpu } from './largest-node.ts';

export const makeDotProduct: MakePolicy = ({ defaults }) => ({
  name: 'dotprod',
  rules: {
    ...defaults,
    nodePolicy: 'fragmentation',
    scoring: {
      rateShare: rateTightest,
      rateNode: ({ view, draft, request }) => {
        const idle = sumOf(freeBefore(view));
        const asked = idle - sumOf(freeAfter(view, draft));
        const cpu = (view.hostFree.cpuMilli / largestCpu) * (request.host.cpuMilli / largestCpu);
        const cards = (idle / largestCards) * (asked / largestCards);
        return Math.trunc(100 * (1 - 0.5 * (cpu + cards)));
      },
    },
  },
  choice: 'highest',
});
