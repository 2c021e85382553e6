/** The kinds of shares on a node's cards: what was added is taken back exactly, whatever came between. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Allocation, effectiveUsage, heldSlices } from '../../src/model/allocation.ts';
import type { ContainerRole } from '../../src/model/container-role.ts';
import { withMoreUsed } from '../../src/model/node-view.ts';
import { noHostAmounts } from '../../src/model/host-amounts.ts';
import { type NodeLoad, NodeSums } from '../../src/state/node-sums.ts';
import { makeView } from '../support/views.ts';

function loadOf(allocation: Allocation, roles: readonly ContainerRole[], initFinished = false): NodeLoad {
  return {
    usage: effectiveUsage(allocation, roles, initFinished),
    ...heldSlices(allocation, roles, initFinished),
    withheld: new Map(),
    counts: new Map(),
    host: noHostAmounts,
  };
}

const share = fc
  .record({
    deviceId: fc.constantFrom('gpu-0', 'gpu-1'),
    kind: fc.option(fc.constantFrom('hard', 'soft', 'online'), { nil: undefined }),
    memoryMiB: fc.nat({ max: 3 }),
    corePercent: fc.nat({ max: 3 }),
  })
  .map(({ kind, ...fields }) => ({
    vendor: 'NVIDIA',
    ...fields,
    ...(kind === undefined ? {} : { kind }),
  }));
const load = fc
  .tuple(
    fc.array(
      fc.tuple(fc.constantFrom<ContainerRole>('init', 'sidecar', 'app'), fc.array(share, { maxLength: 2 })),
      {
        maxLength: 3,
      },
    ),
    fc.boolean(),
  )
  .map(([containers, initFinished]) =>
    loadOf(
      containers.map(([, shares]) => shares),
      containers.map(([role]) => role),
      initFinished,
    ),
  );

describe('the kinds on a card', () => {
  const key = 'NVIDIA/gpu-0';
  const ofKind = (kind: string) =>
    loadOf([[{ vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 1, corePercent: 0, kind }]], ['app']);

  it('are those of every share, so that one of two alike stays', () => {
    const sums = NodeSums.of([ofKind('hard'), ofKind('soft'), ofKind('hard')]);
    expect([...sums.kinds(key)].sort()).toEqual(['hard', 'hard', 'soft']);
    sums.subtract(ofKind('hard'));
    expect([...sums.kinds(key)].sort()).toEqual(['hard', 'soft']);
  });

  it('end with the init container that had them, as its amounts do', () => {
    const shares = [{ vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 1, corePercent: 0, kind: 'hard' }];
    const sums = NodeSums.of([loadOf([shares, []], ['init', 'app'], true)]);
    expect(sums.usage(key)).toEqual({ slots: 0, memoryMiB: 0, corePercent: 0 });
    expect(sums.kinds(key)).toEqual([]);
    expect(NodeSums.of([loadOf([shares, []], ['init', 'app'])]).kinds(key)).toEqual(['hard']);
  });

  it('come and go with their loads, in any order', () => {
    const history = fc
      .array(load, { maxLength: 6 })
      .chain((loads) => fc.tuple(fc.constant(loads), fc.shuffledSubarray(loads.map((_, index) => index))));
    fc.assert(
      fc.property(history, ([loads, leaving]) => {
        const sums = NodeSums.of(loads);
        for (const index of leaving) sums.subtract(loads[index]!);
        const left = loads.filter((_, index) => !leaving.includes(index));
        expect(sums.picture()).toEqual(NodeSums.of(left).picture());
      }),
      { numRuns: 500 },
    );
  });

  it('are part of what a soft assumption adds to a view', () => {
    const { usage, slices, kinds } = ofKind('hard');
    const view = makeView({ devices: [{ kinds: ['soft'] }, {}] });
    const more = withMoreUsed(view, { usage, slices, kinds });
    expect(more.devices.map((card) => card.kinds)).toEqual([['soft', 'hard'], []]);
    expect(view.devices.map((card) => card.kinds)).toEqual([['soft'], []]);
  });
});
