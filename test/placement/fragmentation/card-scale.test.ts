import { describe, expect, it } from '@jest/globals';
import {
  computeWeight,
  partMilli,
  roomOf,
  scaleOf,
  sizeOf,
} from '../../../src/placement/fragmentation/card-scale.ts';
import { makeDevice } from '../../support/views.ts';
import { makeClass } from './mix-classes.ts';

describe('parts of a card', () => {
  interface Case {
    readonly name: string;
    readonly card?: { readonly memoryMiB?: number; readonly corePercent?: number };
    /** Of compute. */
    readonly weight: number;
    readonly memoryMiB: number;
    readonly cores: number;
    readonly want: { readonly part: number; readonly room: number; readonly size: number };
  }
  const cases: Case[] = [
    {
      name: 'as much of memory as of compute is that much of the card',
      weight: 0.5,
      memoryMiB: 2900,
      cores: 29,
      want: { part: 290, room: 29, size: 29 },
    },
    {
      name: 'of different parts, the value is the mean, the room the smaller, the size the larger',
      weight: 0.5,
      memoryMiB: 8000,
      cores: 30,
      want: { part: 550, room: 30, size: 80 },
    },
    {
      name: 'compute counts the less the fewer ask for it',
      weight: 0.25,
      memoryMiB: 8000,
      cores: 30,
      want: { part: 675, room: 30, size: 80 },
    },
    {
      name: 'and not at all where nobody does',
      weight: 0,
      memoryMiB: 8000,
      cores: 30,
      want: { part: 800, room: 80, size: 80 },
    },
    {
      name: 'nor on a card that has none',
      card: { corePercent: 0 },
      weight: 0.5,
      memoryMiB: 8000,
      cores: 0,
      want: { part: 800, room: 80, size: 80 },
    },
    {
      name: 'on a card without memory, compute is all',
      card: { memoryMiB: 0 },
      weight: 0.25,
      memoryMiB: 0,
      cores: 30,
      want: { part: 300, room: 30, size: 30 },
    },
    {
      name: 'a card with neither has no parts',
      card: { memoryMiB: 0, corePercent: 0 },
      weight: 0.5,
      memoryMiB: 0,
      cores: 0,
      want: { part: 0, room: 0, size: 1 },
    },
    {
      name: 'room is rounded down and size up',
      weight: 0.5,
      memoryMiB: 3333,
      cores: 34,
      want: { part: 337, room: 33, size: 34 },
    },
    {
      name: 'units of compute other than percent are parts all the same',
      card: { corePercent: 304 },
      weight: 0.5,
      memoryMiB: 5000,
      cores: 152,
      want: { part: 500, room: 50, size: 50 },
    },
  ];
  it.each(cases)('$name', ({ card, weight, memoryMiB, cores, want }) => {
    const scale = scaleOf(makeDevice({ memoryMiB: 10_000, ...card }), weight);
    expect({
      part: partMilli(scale, memoryMiB, cores),
      room: roomOf(scale, memoryMiB, cores),
      size: sizeOf(scale, memoryMiB, cores),
    }).toEqual(want);
  });
});

describe('the weight of compute', () => {
  const memoryOnly = { ...makeClass({ percent: 50 }), corePercent: 0 };
  const cases = [
    { name: 'is half where all ask for it', classes: [makeClass({ percent: 10, weight: 9 })], want: 0.5 },
    { name: 'is none where nobody does', classes: [memoryOnly], want: 0 },
    {
      name: 'goes by the cards asked for, of this family alone',
      classes: [
        { ...memoryOnly, count: 3 },
        makeClass({ percent: 50 }),
        makeClass(),
        makeClass({ vendor: 'DCU', percent: 50, weight: 100 }),
      ],
      want: 0.125,
    },
    { name: 'is none where nothing is known', classes: [], want: 0 },
  ];
  it.each(cases)('$name', ({ classes, want }) => {
    expect(computeWeight(classes, 'NVIDIA')).toBe(want);
  });
});
