import { describe, expect, it } from '@jest/globals';
import { parseQuota } from '../../src/wire/kubernetes.ts';

describe('parseQuota', () => {
  it.each([
    {
      name: 'keeps the limits as they were written',
      quota: {
        metadata: { name: 'gpus', namespace: 'team', resourceVersion: '7', labels: { a: 'b' } },
        spec: { hard: { 'limits.nvidia.com/gpumem': '30k', 'limits.nvidia.com/gpucores': 200 } },
        status: { used: {} },
      },
      want: {
        namespace: 'team',
        name: 'gpus',
        resourceVersion: '7',
        hard: { 'limits.nvidia.com/gpumem': '30k', 'limits.nvidia.com/gpucores': '200' },
      },
    },
    {
      name: 'takes nulls for nothing, as Go writes them',
      quota: { metadata: { name: 'gpus', namespace: 'team' }, spec: { hard: null } },
      want: { namespace: 'team', name: 'gpus', resourceVersion: '', hard: {} },
    },
  ])('$name', ({ quota, want }) => {
    expect(parseQuota(quota)).toEqual({ ok: true, value: want });
  });

  it.each([
    { name: 'limits of a wrong type', quota: { spec: { hard: { a: true } } }, want: /^spec\.hard\.a: / },
    { name: 'no object', quota: [], want: /object/ },
  ])('refuses $name with its place', ({ quota, want }) => {
    expect(parseQuota(quota)).toEqual({ ok: false, problem: expect.stringMatching(want) as unknown });
  });
});
