/** Amounts that people and the API server write, good ones and bad ones, and limits made of them. */
import fc from 'fast-check';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { cores, gpu, mem, percentage, priority } from './nvidia-config.ts';

export const written = fc.constantFrom(
  '0',
  '1',
  '2',
  '50',
  '100',
  '101',
  '3k',
  '2M',
  '1e3',
  '16Gi',
  '1500m',
  '-1',
  'x',
  '',
);
export const anyLimits = fc.record(
  { [gpu]: written, [mem]: written, [percentage]: written, [cores]: written, [priority]: written },
  { requiredKeys: [] },
) as fc.Arbitrary<TextMap>;
