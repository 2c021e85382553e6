import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { noUsage } from '../../src/model/device.ts';
import type { DeviceRequest } from '../../src/model/request.ts';
import { chooseLinkGroups, chooseModules, compactness } from '../../src/vendors/ascend/ascend-topology.ts';
import type { CardPicture } from '../../src/vendors/card-rules.ts';
import { makeDevice } from '../support/views.ts';
import { npuNode, type NpuFields, npuPod, npuWorld } from './ascend-world.ts';

/**
 * Chips best first by policy, e.g. `a1 b2*`: letter is the link group, `-` for none; number the index; a star says that
 * somebody uses it.
 */
function chips(text: string): CardPicture[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((word) => {
      const index = Number.parseInt(word.slice(1), 10);
      const facts = word.startsWith('-') ? {} : { facts: { networkId: word.charCodeAt(0) } };
      const used = word.endsWith('*') ? { slots: 1, memoryMiB: 100, corePercent: 0 } : noUsage;
      return { device: makeDevice({ id: word, index, ...facts }), used, kinds: [] };
    });
}

function wanting(count: number): DeviceRequest {
  return { vendor: 'Ascend910B3', count, memory: { kind: 'percent', percent: 100 }, corePercent: 0 };
}

function ids(chosen: readonly CardPicture[]): string {
  return chosen.map(({ device }) => device.id).join(' ');
}

describe('chips of one link group (vendors §2.6)', () => {
  const cases = [
    { name: 'the group that has enough', fitting: 'a0 b1 b2', count: 2, want: 'b1 b2' },
    {
      name: 'the smallest of several that have enough',
      fitting: 'a0 a1 a2 a3 b4 b5',
      count: 2,
      want: 'b4 b5',
    },
    { name: 'of equals the one that the policy likes', fitting: 'b7 a3 b6 a2', count: 2, want: 'b7 b6' },
    {
      name: 'a whole group and the rest of the smallest that has it',
      fitting: 'a0 a1 a2 b3 b4 c5',
      count: 4,
      want: 'a0 a1 a2 c5',
    },
    {
      name: 'group after group where none has enough',
      fitting: 'a0 b1 b2 c3',
      count: 4,
      want: 'b1 b2 a0 c3',
    },
    { name: 'within a group as the policy likes', fitting: 'a3 a1 a2', count: 2, want: 'a3 a1' },
    { name: 'as the policy likes where one says nothing', fitting: 'a0 -1 a2', count: 2, want: 'a0 -1' },
    { name: 'one: of the smallest group', fitting: 'a0 a1 b2', count: 1, want: 'b2' },
    { name: 'one: of the chips as free as the first', fitting: 'a0 a1 b2*', count: 1, want: 'a0' },
    { name: 'one: a group is as large as it is free', fitting: 'a0 a1 b2 b3* b4*', count: 1, want: 'b2' },
    { name: 'one: the first where none says anything', fitting: '-3 -2', count: 1, want: '-3' },
  ];
  it.each(cases)('$name', ({ fitting, count, want }) => {
    expect(ids(chooseLinkGroups(chips(fitting), wanting(count)))).toBe(want);
  });

  it('are as close together as in the reference, and leave as large a group', () => {
    const anyGroups = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 2, maxLength: 10 });
    fc.assert(
      fc.property(anyGroups, fc.nat(), (letters, seed) => {
        const fitting = chips(letters.map((letter, index) => `${letter}${index}`).join(' '));
        const count = 2 + (seed % (fitting.length - 1));
        const ours = chooseLinkGroups(fitting, wanting(count));
        const theirs = largestFirst(fitting, count);
        expect(new Set(ours).size).toBe(count);
        const rate = (cards: readonly CardPicture[]) => compactness([{ wanted: wanting(count), cards }]);
        expect(rate(ours)).toBe(rate(theirs));
        const left = (cards: readonly CardPicture[]) =>
          largestGroup(fitting.filter((chip) => !cards.includes(chip)));
        expect(left(ours)).toBeGreaterThanOrEqual(left(theirs));
      }),
    );
  });
});

/** As vendors §2.6 (6) tells it. */
function largestFirst(fitting: readonly CardPicture[], count: number): readonly CardPicture[] {
  const groups = [...Map.groupBy(fitting, ({ device }) => device.facts?.['networkId']).values()];
  return groups
    .sort((a, b) => b.length - a.length)
    .flat()
    .slice(0, count);
}

function largestGroup(cards: readonly CardPicture[]): number {
  const groups = [...Map.groupBy(cards, ({ device }) => device.facts?.['networkId']).values()];
  return Math.max(0, ...groups.map((group) => group.length));
}

describe('modules of a 910C', () => {
  const cases = [
    { name: 'a whole one', fitting: 'a2 a1 a0', count: 2, want: 'a1 a0' },
    { name: 'as many as are whole', fitting: 'a6 a4 a2 a1 a0', count: 4, want: 'a1 a0' },
    { name: 'none of halves', fitting: 'a0 a2', count: 2, want: '' },
    { name: 'none of halves that say nothing of links', fitting: '-0 -2 -4 -6', count: 4, want: '' },
    { name: 'whole ones that say nothing of links', fitting: '-1 -0', count: 2, want: '-1 -0' },
    { name: 'no more than an even number', fitting: 'a3 a2 a1 a0', count: 3, want: 'a3 a2' },
    { name: 'as the policy likes', fitting: 'a1 a4 a5 a0', count: 2, want: 'a1 a0' },
    { name: 'one: a chip of a broken module', fitting: 'a5 a4 a3 a1 a0', count: 1, want: 'a3' },
    { name: 'one: of a module that is in use', fitting: 'a5 a4 a3 a2*', count: 1, want: 'a3' },
    { name: 'one: as the policy likes where none is broken', fitting: 'a3 a2 a1 a0', count: 1, want: 'a3' },
  ];
  it.each(cases)('$name', ({ fitting, count, want }) => {
    expect(ids(chooseModules(chips(fitting), wanting(count)))).toBe(want);
  });

  it('that are broken refuse a node, with the number of chips that could be had', () => {
    const key = 'Ascend910C';
    const indexes = [0, 1, 2, 4, 6];
    const world = npuWorld([npuNode({ key, chips: indexes.map((index) => ({ index, network: 0 })) })]);
    expect(world.refusal(npuPod({ count: 4 }, { key }))).toBe('3 CardTopologyMismatch');
    expect(world.plan(npuPod({ count: 4 }, { key }))).toMatchObject({ refusal: { accepted: 2, cards: 5 } });
    expect(world.cards(npuPod({ count: 2 }, { key }))).toEqual([['npu-1', 'npu-0']]);
  });
});

describe('how compact a choice is', () => {
  const cases = [
    { name: 'one chip', chosen: ['a0'], want: 1 },
    { name: 'chips of one group', chosen: ['a0 a1'], want: 1 },
    { name: 'chips of two groups', chosen: ['a0 b1'], want: 1 / 2 },
    { name: 'most of one group', chosen: ['a0 a1 a2 b3'], want: 3 / 4 },
    { name: 'the mean of the containers', chosen: ['a0 a1', 'a2 b3'], want: 3 / 4 },
    { name: 'a chip that says nothing', chosen: ['a0 a1', '-2'], want: 0 },
  ];
  it.each(cases)('$name', ({ chosen, want }) => {
    const choices = chosen.map((text) => ({ wanted: wanting(1), cards: chips(text) }));
    expect(compactness(choices)).toBe(want);
  });

  const apart: readonly NpuFields[] = [0, 1, 2].map((network) => ({ network }));
  const together: readonly NpuFields[] = [0, 0, 2].map((network) => ({ network }));
  it.each(['binpack', 'spread'] as const)('makes a node better under %s', (nodePolicy) => {
    const nodes = [npuNode({ name: 'apart', chips: apart }), npuNode({ name: 'together', chips: together })];
    const world = npuWorld(nodes, { nodePolicy });
    const [far, close] = nodes.map(({ name = '' }) => world.plan(npuPod({ count: 2 }), name));
    if (far?.ok !== true || close?.ok !== true) throw new Error('fits nowhere');
    expect(close.score - far.score).toBeCloseTo(0.25 * 100 * (1 / 2));
  });

  it('means nothing to a 310P, whose chips are not linked', () => {
    const key = 'Ascend310P';
    const nodes = [
      npuNode({ name: 'apart', key, chips: apart }),
      npuNode({ name: 'together', key, chips: together }),
    ];
    const world = npuWorld(nodes);
    const [far, close] = nodes.map(({ name = '' }) => world.plan(npuPod({ count: 2 }, { key }), name));
    expect(far).toEqual(close);
  });
});
