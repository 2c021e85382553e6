import { describe, expect, it } from '@jest/globals';
import { allowsMore, type NamespaceQuota, noQuota } from '../../src/model/quota.ts';

/** Limits of one vendor; `used` shows that usage does not matter. */
function quotaOf(memory: number | undefined, cores: number | undefined, used = 0): NamespaceQuota {
  const limit = (resource: string, amount: number) => ({ resource, quota: 'team', limit: amount, used });
  return new Map([
    [
      'NVIDIA',
      {
        ...(memory === undefined ? {} : { memory: limit('limits.nvidia.com/gpumem', memory) }),
        ...(cores === undefined ? {} : { cores: limit('limits.nvidia.com/gpucores', cores) }),
      },
    ],
  ]);
}

describe('allowsMore', () => {
  it.each([
    { name: 'the same limits', before: quotaOf(1000, 100), after: quotaOf(1000, 100), want: false },
    { name: 'less in use', before: quotaOf(1000, 100, 900), after: quotaOf(1000, 100, 0), want: false },
    { name: 'more memory', before: quotaOf(1000, 100), after: quotaOf(1001, 100), want: true },
    { name: 'more compute', before: quotaOf(1000, 100), after: quotaOf(1000, 101), want: true },
    { name: 'less of both', before: quotaOf(1000, 100), after: quotaOf(999, 0), want: false },
    { name: 'less memory and more compute', before: quotaOf(1000, 100), after: quotaOf(0, 200), want: true },
    {
      name: 'no limit of memory any more',
      before: quotaOf(1000, 100),
      after: quotaOf(undefined, 100),
      want: true,
    },
    { name: 'no limit at all any more', before: quotaOf(0, undefined), after: noQuota, want: true },
    {
      name: 'a limit where there was none',
      before: quotaOf(1000, undefined),
      after: quotaOf(1000, 0),
      want: false,
    },
    { name: 'the first limits', before: noQuota, after: quotaOf(1000, 100), want: false },
    { name: 'still none', before: noQuota, after: noQuota, want: false },
  ])('$name: $want', ({ before, after, want }) => {
    expect(allowsMore(before, after)).toBe(want);
  });
});
