/**
 * GpuPacking as the publication compares it: cards in use before idle cards, and those before idle nodes; among cards in
 * use the fullest.
 */
import type { MakePolicy } from '../policy.ts';
import type { Moment } from '../../placement/scoring.ts';
import { rateTightest } from './best-fit-card.ts';
import { cardMilli, freeBefore } from './free-milli.ts';

/** The lowest score of cards in use is the highest of idle cards, and so on for idle nodes. */
const inUseAtLeast = 50;
const idleCardAtLeast = 33;

export const makeGpuPacking: MakePolicy = ({ defaults }) => ({
  name: 'gpupacking',
  rules: { ...defaults, nodePolicy: 'fragmentation', scoring: { rateShare: rateTightest, rateNode } },
  choice: 'highest',
});

function rateNode({ view, draft }: Moment): number {
  const free = freeBefore(view);
  const given = free.filter(
    (_, index) => draft.at(index).used.slots > (view.devices[index]?.used.slots ?? 0),
  );
  if (given.length === 0) return 0;
  const isIdle = (milli: number) => milli === cardMilli;
  const idle = free.filter(isIdle).length;
  if (idle === free.length) return Math.max(idleCardAtLeast - idle, idle);
  const begun = given.filter(isIdle).length;
  if (begun > 0) return Math.max(inUseAtLeast - begun, idleCardAtLeast);
  const percent = given.reduce((sum, milli) => sum + Math.floor(milli / 10), 0);
  return Math.max(100 - Math.floor(percent / 10), inUseAtLeast);
}
