import { describe, expect, it } from '@jest/globals';
import {
  bucketed,
  classKey,
  classOf,
  mergeClasses,
  type RequestClass,
} from '../../../src/placement/fragmentation/request-class.ts';
import { makePodRequest, makeSelector, type PodRequestFields } from '../../support/requests.ts';
import { makeClass } from './mix-classes.ts';

const host = { cpuMilli: 4000, memoryMiB: 2048, pods: 1 };

describe('the class of a pod', () => {
  interface Case {
    readonly name: string;
    readonly pod: PodRequestFields;
    readonly want: Partial<RequestClass>;
  }
  const cases: Case[] = [
    {
      name: 'of one container is what that asks for, and the host CPU and memory',
      pod: { containers: [{ count: 2, memoryMiB: 3000, corePercent: 30 }] },
      want: {
        vendor: 'NVIDIA',
        count: 2,
        memory: { kind: 'mib', memoryMiB: 3000 },
        corePercent: 30,
        cpuMilli: 4000,
        memoryMiB: 2048,
      },
    },
    {
      name: 'without devices has no family',
      pod: { containers: [{ devices: [] }] },
      want: { count: 0, cpuMilli: 4000, memoryMiB: 2048 },
    },
    {
      name: 'that asks for no card of a family has none, too',
      pod: { containers: [{ count: 0, corePercent: 50 }] },
      want: { count: 0, corePercent: 0 },
    },
    {
      name: 'of several containers has all their cards, each as large as the largest',
      pod: {
        containers: [
          { count: 1, memoryPercent: 10, corePercent: 20 },
          { count: 2, memoryPercent: 60, corePercent: 0 },
          { role: 'sidecar', memoryMiB: 9000, corePercent: 50 },
        ],
      },
      want: { count: 4, memory: { kind: 'percent', percent: 60 }, corePercent: 0 },
    },
    {
      name: 'whose containers ask for equal parts goes by memory',
      pod: { containers: [{ memoryMiB: 100 }, { memoryMiB: 300 }, { memoryMiB: 200 }] },
      want: { count: 3, memory: { kind: 'mib', memoryMiB: 300 } },
    },
    {
      name: 'does not add up what init containers ask for one after the other',
      pod: {
        containers: [
          { role: 'init', count: 3, memoryMiB: 1 },
          { role: 'init', count: 2, memoryMiB: 1 },
          { count: 1, memoryMiB: 1 },
        ],
      },
      want: { count: 3 },
    },
    {
      name: 'that asks for several families is of the first',
      pod: {
        containers: [
          { devices: [{ vendor: 'DCU', memoryMiB: 5 }, { memoryMiB: 70 }] },
          { devices: [{ memoryMiB: 80 }] },
        ],
      },
      want: { vendor: 'DCU', count: 1, memory: { kind: 'mib', memoryMiB: 5 } },
    },
    {
      name: 'keeps the types and modes that the pod accepts, and no ids',
      pod: {
        selectors: { NVIDIA: { useTypes: ['b', 'a', 'b'], modes: 'mig', useIds: ['x'], numaBound: true } },
      },
      want: { selector: makeSelector({ useTypes: ['b', 'a', 'b'], modes: 'mig' }) },
    },
  ];
  it.each(cases)('$name', ({ pod, want }) => {
    expect(classOf(makePodRequest({ host, ...pod }))).toMatchObject(want);
  });

  it('has no selector where only single cards are chosen', () => {
    const pod = makePodRequest({ selectors: { NVIDIA: { useIds: ['x'], numaBound: true } } });
    expect(classOf(pod)).not.toHaveProperty('selector');
    expect(classOf(makePodRequest({ containers: [{ devices: [] }] }))).not.toHaveProperty('vendor');
  });
});

describe('two classes are one', () => {
  const base = makeClass({ percent: 50, types: ['a'] });
  const without: RequestClass = makeClass();
  const others: readonly (readonly [string, RequestClass])[] = [
    ['the number of cards', { ...base, count: 2 }],
    ['card memory', { ...base, memory: { kind: 'mib', memoryMiB: 5001 } }],
    ['how card memory is asked for', { ...base, memory: { kind: 'percent', percent: 50 } }],
    ['compute', { ...base, corePercent: 51 }],
    ['the family', { ...base, vendor: 'DCU' }],
    ['types', makeClass({ percent: 50, types: ['b'] })],
    ['types that are avoided', { ...base, selector: makeSelector({ avoidTypes: ['a'] }) }],
    ['modes', { ...base, selector: makeSelector({ useTypes: ['a'], modes: 'mig' }) }],
    ['host CPU', { ...base, cpuMilli: 1001 }],
    ['that no device is asked for', without],
  ];
  it.each(others)('but for %s', (_name, other) => {
    expect(classKey(other)).not.toBe(classKey(base));
  });

  it('whatever host memory they ask for; their weights add up, the first comes first', () => {
    const more = { ...base, memoryMiB: 999, weight: 4 };
    expect(classKey(more)).toBe(classKey(base));
    const merged = mergeClasses([base, makeClass(), more]);
    expect(merged).toEqual([{ ...base, weight: 5 }, makeClass()]);
  });
});

describe('a class is rounded up', () => {
  const cases = [
    { name: 'memory to 256 MiB', from: { kind: 'mib', memoryMiB: 1 }, want: { kind: 'mib', memoryMiB: 256 } },
    {
      name: 'from 8 GiB to 1 GiB',
      from: { kind: 'mib', memoryMiB: 8193 },
      want: { kind: 'mib', memoryMiB: 9216 },
    },
    { name: 'up to 8 GiB', from: { kind: 'mib', memoryMiB: 7937 }, want: { kind: 'mib', memoryMiB: 8192 } },
    { name: 'but not nothing', from: { kind: 'mib', memoryMiB: 0 }, want: { kind: 'mib', memoryMiB: 0 } },
    {
      name: 'and not what is round',
      from: { kind: 'mib', memoryMiB: 512 },
      want: { kind: 'mib', memoryMiB: 512 },
    },
    { name: 'percent to 5', from: { kind: 'percent', percent: 31 }, want: { kind: 'percent', percent: 35 } },
    {
      name: 'to 100 at most',
      from: { kind: 'percent', percent: 99 },
      want: { kind: 'percent', percent: 100 },
    },
  ] as const;
  it.each(cases)('$name', ({ from, want }) => {
    expect(bucketed({ ...makeClass({ percent: 50 }), memory: from }).memory).toEqual(want);
  });

  it('compute to 5 percent, CPU to half a core, host memory to 1 GiB, and types have one order', () => {
    const entry = makeClass({ percent: 50, types: ['b', 'a', 'b'] });
    expect(bucketed({ ...entry, corePercent: 33, cpuMilli: 501, memoryMiB: 1 })).toEqual({
      ...entry,
      memory: { kind: 'mib', memoryMiB: 5120 },
      corePercent: 35,
      cpuMilli: 1000,
      memoryMiB: 1024,
      selector: makeSelector({ useTypes: ['a', 'b'] }),
    });
  });
});
