/** What a share takes over from the request that it serves. Not all of it is in an allocation's entry. */
import type { Share } from '../model/allocation.ts';
import type { DeviceRequest } from '../model/request.ts';
import type { CardRules } from './card-rules.ts';

export function withRequest(
  share: Share,
  { kind, corePercent }: DeviceRequest,
  rules: CardRules | undefined,
): Share {
  return {
    ...share,
    // A kind that it has already is one that we know better than by the request.
    ...(kind === undefined || share.kind !== undefined ? {} : { kind }),
    ...(rules?.coresOf === undefined ? {} : { askedPercent: corePercent }),
  };
}
