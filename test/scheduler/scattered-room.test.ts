import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '../../src/model/node-view.ts';
import { findScatteredRoom } from '../../src/scheduler/scattered-room.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { type ContainerFields, makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';

const rules = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;

function using(memoryMiB: number, corePercent = 0): CardFields {
  return { used: { slots: 1, memoryMiB, corePercent } };
}

/** Nodes `n1`…, each with the cards of one list; a card has 8192 MiB and ten slots. */
function find(
  nodes: readonly (readonly CardFields[])[],
  wanted: ContainerFields,
  pod: PodRequestFields = {},
) {
  const views = nodes.map((devices, index): NodeView => makeView({ name: `n${index + 1}`, devices }));
  return findScatteredRoom(makePodRequest({ containers: [wanted], ...pod }), views, rules);
}

describe('room in sum alone', () => {
  it.each([
    {
      name: 'memory in pieces that are too small',
      nodes: [[using(4096)], [using(5000)]],
      wanted: { memoryMiB: 6000 },
      want: 'container "c0" asks for 6000 MiB of one NVIDIA card; that is free in sum, but on no single card: 7288 MiB in all, at most 4096 MiB on one card',
    },
    {
      name: 'memory in percent',
      nodes: [[using(4096), using(6144)]],
      wanted: { memoryPercent: 60 },
      want: "container \"c0\" asks for 60 % of a card's memory of one NVIDIA card; that is free in sum, but on no single card: 75 % of a card's memory in all, at most 50 % of a card's memory on one card",
    },
    {
      name: 'compute in pieces that are too small',
      nodes: [[using(0, 70)], [using(0, 60)]],
      wanted: { memoryMiB: 1000, corePercent: 50 },
      want: "container \"c0\" asks for 1000 MiB and 50 % of a card's compute of one NVIDIA card; that is free in sum, but on no single card: 16384 MiB and 70 % of a card's compute in all, at most 8192 MiB and 40 % of a card's compute on one card",
    },
    {
      name: 'memory on one card and compute on another',
      nodes: [[using(8000, 0)], [using(0, 90)]],
      wanted: { memoryMiB: 4000, corePercent: 50 },
      want: "container \"c0\" asks for 4000 MiB and 50 % of a card's compute of one NVIDIA card; that is free in sum, but on no single card: 8384 MiB and 110 % of a card's compute in all, at most 8192 MiB and 100 % of a card's compute on one card; where there is memory, there is no compute",
    },
    {
      name: 'cards that are free, but on different nodes',
      nodes: [[{}, using(8000)], [{}]],
      wanted: { count: 2, memoryMiB: 8000 },
      want: 'container "c0" asks for 8000 MiB of each of 2 NVIDIA cards; that is free in sum, but not on 2 cards of one node: 16576 MiB in all, at most 8192 MiB on one card',
    },
  ])('is told of $name', ({ nodes, wanted, want }) => {
    expect(find(nodes, wanted)?.sentence).toBe(want);
  });

  it('comes with its numbers', () => {
    expect(find([[using(4096, 60)], [using(5000, 70)]], { memoryMiB: 6000, corePercent: 50 })).toMatchObject({
      container: 'c0',
      vendor: 'NVIDIA',
      cards: 1,
      memory: { unit: 'MiB', wanted: 6000, free: 7288, largest: 4096 },
      cores: { wanted: 50, free: 70, largest: 40 },
    });
  });

  it.each([
    { name: 'it fits on a card', nodes: [[using(4096)], [{}]], wanted: { memoryMiB: 6000 } },
    {
      name: 'there is too little in sum',
      nodes: [[using(6000)], [using(6000)]],
      wanted: { memoryMiB: 6000 },
    },
    { name: 'there are no cards', nodes: [[]], wanted: { memoryMiB: 6000 } },
    {
      name: 'the rest is on cards that nobody may have',
      nodes: [[using(4096)], [{ healthy: false }], [{ ...using(4096), cordoned: true }]],
      wanted: { memoryMiB: 6000 },
    },
    {
      name: 'the rest is on cards without a slot',
      nodes: [[using(4096)], [{ slots: 1, ...using(4096) }]],
      wanted: { memoryMiB: 6000 },
    },
    {
      name: 'the rest is on cards of another family',
      nodes: [[using(4096)], [{ vendor: 'DCU', ...using(4096) }]],
      wanted: { memoryMiB: 6000 },
    },
  ])('is not told where $name', ({ nodes, wanted }) => {
    expect(find(nodes, wanted)).toBeUndefined();
  });

  it('counts only cards of the types that the pod takes', () => {
    const nodes = [[{ type: 'A100', ...using(4096) }], [{ type: 'T4', ...using(4096) }]];
    const pod = { selectors: { NVIDIA: { useTypes: ['a100'] } } };
    expect(find(nodes, { memoryMiB: 6000 })).toBeDefined();
    expect(find(nodes, { memoryMiB: 6000 }, pod)).toBeUndefined();
  });

  it('is told of the first container that has the trouble', () => {
    const pod = { containers: [{ memoryMiB: 100 }, { memoryMiB: 6000 }] };
    expect(find([[using(4096)], [using(4096)]], {}, pod)?.container).toBe('c1');
  });
});
