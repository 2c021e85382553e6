import { describe, expect, it } from '@jest/globals';
import { takeEntry } from '../../../src/emulator/node-agent/to-allocate.ts';

describe('takeEntry takes the first filled entry and writes the rest as the plugin does (spec §1.9)', () => {
  const cases: { name: string; value: string; wantIndex: number; wantIds: string[]; wantErased: string }[] = [
    {
      name: 'one container',
      value: 'GPU-a,NVIDIA,3000,30:;',
      wantIndex: 0,
      wantIds: ['GPU-a'],
      wantErased: ';;',
    },
    {
      name: 'two containers, at first',
      value: 'GPU-a,NVIDIA,500,3:;GPU-b,NVIDIA,500,3:;',
      wantIndex: 0,
      wantIds: ['GPU-a'],
      wantErased: ';GPU-b,NVIDIA,500,3:;;',
    },
    {
      name: 'two containers, the second time',
      value: ';GPU-b,NVIDIA,500,3:;;',
      wantIndex: 1,
      wantIds: ['GPU-b'],
      wantErased: ';;;;',
    },
    {
      name: 'a container without cards first',
      value: ';GPU-a,NVIDIA,3000,30:;',
      wantIndex: 1,
      wantIds: ['GPU-a'],
      wantErased: ';;;',
    },
    {
      name: 'two cards for one container',
      value: 'GPU-a,NVIDIA,3000,30:GPU-b,NVIDIA,3000,30:;',
      wantIndex: 0,
      wantIds: ['GPU-a', 'GPU-b'],
      wantErased: ';;',
    },
    {
      name: 'a value without its last separator',
      value: 'GPU-a,NVIDIA,3000,30:',
      wantIndex: 0,
      wantIds: ['GPU-a'],
      wantErased: ';',
    },
  ];
  it.each(cases)('$name', ({ value, wantIndex, wantIds, wantErased }) => {
    const taken = takeEntry(value, 'NVIDIA');
    if (!taken.ok) throw new Error(taken.problem);
    expect(taken.value.index).toBe(wantIndex);
    expect(taken.value.shares.map(({ deviceId }) => deviceId)).toEqual(wantIds);
    expect(taken.value.erased).toBe(wantErased);
  });

  const refusals = [
    { name: 'nothing left', value: ';;', want: 'device request not found' },
    { name: 'no text', value: '', want: 'device request not found' },
    { name: 'a record cut short', value: 'GPU-a,NVIDIA,3000:;', want: 'missing fields' },
  ];
  it.each(refusals)('refuses $name', ({ value, want }) => {
    const taken = takeEntry(value, 'NVIDIA');
    expect(taken).toEqual({ ok: false, problem: expect.stringContaining(want) });
  });
});
