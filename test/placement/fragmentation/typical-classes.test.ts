import { describe, expect, it } from '@jest/globals';
import type { WeightedClass } from '../../../src/placement/fragmentation/request-class.ts';
import { typicalClasses } from '../../../src/placement/fragmentation/typical-classes.ts';
import { makeClass } from './mix-classes.ts';

describe('the typical classes', () => {
  const few = makeClass({ percent: 10, weight: 5 });
  const many = makeClass({ percent: 20, weight: 95 });
  const some = makeClass({ percent: 30, weight: 92 });
  interface Case {
    readonly name: string;
    readonly classes: readonly WeightedClass[];
    readonly want: readonly WeightedClass[];
  }
  const larger = makeClass({ percent: 20, cpuMilli: 2000 });
  const whole = makeClass({ percent: 100 });
  const pair = makeClass({ percent: 100, count: 2 });
  const [earlier, later] = [
    makeClass({ percent: 100, types: ['a', 'z'] }),
    makeClass({ percent: 100, types: ['b'] }),
  ];
  const cases: Case[] = [
    { name: 'are the heaviest that make up 95 %', classes: [few, many], want: [many] },
    {
      name: 'and one more where they do not',
      classes: [few, many, makeClass({ weight: 3 })],
      want: [many, few],
    },
    {
      name: 'reckoned with equal ones together',
      classes: [some, many, few, few, few],
      want: [many, some, { ...few, weight: 15 }],
    },
    {
      name: 'equal ones by CPU, part of a card, number of cards, and last types',
      classes: [earlier, whole, later, pair, larger].map((entry) => ({ ...entry, weight: 20 })),
      want: [larger, pair, later, earlier, whole].map((entry) => ({ ...entry, weight: 20 })),
    },
    { name: 'of nothing are none', classes: [], want: [] },
  ];
  it.each(cases)('$name', ({ classes, want }) => {
    expect(typicalClasses(classes)).toEqual(want);
  });

  it('can be those of another part', () => {
    expect(typicalClasses([many, some, few], 0.45)).toEqual([many]);
    expect(typicalClasses([many, some, few], 1)).toEqual([many, some, few]);
  });
});
