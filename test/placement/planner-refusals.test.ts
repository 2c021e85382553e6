import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '../../src/model/reason.ts';
import { plan, type PolicyDefaults } from '../../src/placement/planner.ts';
import { makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { makeView, type ViewFields } from '../support/views.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

const defaults: PolicyDefaults = {
  nodePolicy: 'binpack',
  devicePolicy: parseDevicePolicy('binpack'),
};

interface RefusalCase {
  readonly name: string;
  readonly view: ViewFields;
  readonly pod: PodRequestFields;
  readonly want: Refusal;
}

const small = { memoryMiB: 512, corePercent: 30 };

describe('why a node is refused', () => {
  const insufficient = {
    code: 'AllocatedCardsInsufficientRequest',
    container: 'c0',
    vendor: 'NVIDIA',
  } as const;
  const cases: RefusalCase[] = [
    {
      name: 'it announces no card of the vendor',
      view: { devices: [{ vendor: 'DCU' }] },
      pod: { containers: [small] },
      want: { code: 'NodeUnregistered', vendor: 'NVIDIA' },
    },
    {
      name: 'it publishes cards that it cannot offer: the cause is passed on',
      view: { unavailable: { NVIDIA: 'its plugin does not run' } },
      pod: { containers: [small] },
      want: { code: 'NodeUnregistered', vendor: 'NVIDIA', detail: 'its plugin does not run' },
    },
    {
      name: 'it has fewer cards than one container wants, fit or not',
      view: { devices: [{}, { healthy: false }] },
      pod: { containers: [{ devices: [] }, { ...small, count: 3 }] },
      want: { code: 'NodeInsufficientDevice', container: 'c1', vendor: 'NVIDIA', wanted: 3, cards: 2 },
    },
    {
      name: 'three cards are wanted and two are good (spec §14)',
      view: { devices: [{}, {}, { healthy: false }] },
      pod: { containers: [{ ...small, count: 3 }] },
      want: { ...insufficient, wanted: 3, accepted: 2, cards: 3, refused: { CardNotHealth: 1 } },
    },
    {
      name: 'the only card is too small (spec §14: 1/1 CardInsufficientMemory)',
      view: { devices: [{ memoryMiB: 128 }] },
      pod: { containers: [{ memoryMiB: 512 }] },
      want: { ...insufficient, wanted: 1, accepted: 0, cards: 1, refused: { CardInsufficientMemory: 1 } },
    },
    {
      name: 'every card for its own reason, each counted once',
      view: {
        devices: [
          { healthy: false },
          { withheld: true },
          { type: 'NVIDIA A10' },
          { mode: 'mig' },
          { id: 'GPU-avoided' },
          { slots: 2, used: { slots: 2 } },
          { used: { slots: 1, memoryMiB: 8000 } },
          { used: { slots: 1, corePercent: 80 } },
        ],
      },
      pod: {
        containers: [{ ...small, count: 2 }],
        selectors: { NVIDIA: { useTypes: ['a100'], avoidIds: ['GPU-avoided'], modes: 'hami-core' } },
      },
      want: {
        ...insufficient,
        wanted: 2,
        accepted: 0,
        cards: 8,
        refused: {
          CardNotHealth: 1,
          CardWithheld: 1,
          CardTypeMismatch: 2,
          CardUuidMismatch: 1,
          CardTimeSlicingExhausted: 1,
          CardInsufficientMemory: 1,
          CardInsufficientCore: 1,
        },
      },
    },
    {
      name: 'cards of another vendor are neither offered nor counted',
      view: { devices: [{ healthy: false }, { vendor: 'DCU' }] },
      pod: { containers: [small] },
      want: { ...insufficient, wanted: 1, accepted: 0, cards: 1, refused: { CardNotHealth: 1 } },
    },
    {
      name: 'the second app container finds no room beside the first',
      view: { devices: [{}] },
      pod: { containers: [{ memoryMiB: 5000 }, { memoryMiB: 5000 }] },
      want: {
        ...insufficient,
        container: 'c1',
        wanted: 1,
        accepted: 0,
        cards: 1,
        refused: { CardInsufficientMemory: 1 },
      },
    },
    {
      name: 'an init container finds no room beside the sidecar before it',
      view: { devices: [{}] },
      pod: {
        containers: [{ ...small, role: 'sidecar' }, { ...small, corePercent: 100, role: 'init' }, small],
      },
      want: {
        ...insufficient,
        container: 'c1',
        wanted: 1,
        accepted: 0,
        cards: 1,
        refused: { CardInsufficientCore: 1 },
      },
    },
    {
      name: 'an exclusive container finds a card in use, though nothing of its compute is',
      view: { devices: [{}] },
      pod: { containers: [{ memoryMiB: 1 }, { memoryMiB: 1, corePercent: 100 }] },
      want: {
        ...insufficient,
        container: 'c1',
        wanted: 1,
        accepted: 0,
        cards: 1,
        refused: { ExclusiveDeviceAllocateConflict: 1 },
      },
    },
    {
      name: 'the first container that does not fit gives the reason',
      view: { devices: [{}] },
      pod: { containers: [{ ...small, count: 2 }, { memoryMiB: 9000 }] },
      want: { code: 'NodeInsufficientDevice', container: 'c0', vendor: 'NVIDIA', wanted: 2, cards: 1 },
    },
    {
      name: 'its count resource is used up, whatever the cards say',
      view: { devices: [{}], countFree: { 'nvidia.com/gpu': 1 } },
      pod: { containers: [small, small], counts: { 'nvidia.com/gpu': 2 } },
      want: { code: 'NodeCountExhausted', resource: 'nvidia.com/gpu', wanted: 2, free: 1 },
    },
    {
      name: 'it does not know the count resource at all',
      view: { devices: [{}], countFree: {} },
      pod: { containers: [small], counts: { 'nvidia.com/gpu': 1 } },
      want: { code: 'NodeCountExhausted', resource: 'nvidia.com/gpu', wanted: 1, free: 0 },
    },
    {
      name: 'cards come before counts when both are short',
      view: { devices: [{ healthy: false }], countFree: { 'nvidia.com/gpu': 0 } },
      pod: { containers: [small], counts: { 'nvidia.com/gpu': 1 } },
      want: { ...insufficient, wanted: 1, accepted: 0, cards: 1, refused: { CardNotHealth: 1 } },
    },
  ];
  it.each(cases)('$name', ({ view, pod, want }) => {
    expect(plan(makeView(view), makePodRequest(pod), defaults)).toEqual({ ok: false, refusal: want });
  });

  it('a count resource that is just enough refuses nothing', () => {
    const view = makeView({ devices: [{}], countFree: { 'nvidia.com/gpu': 2 } });
    const pod = makePodRequest({ containers: [small, small], counts: { 'nvidia.com/gpu': 2 } });
    expect(plan(view, pod, defaults).ok).toBe(true);
  });
});
