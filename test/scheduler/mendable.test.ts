/** Which refusals evictions could mend, and what filter tells of it. */
import { describe, expect, it } from '@jest/globals';
import { type CardReason, cardReasons, type Refusal } from '../../src/model/reason.ts';
import { Assumptions } from '../../src/scheduler/assumptions.ts';
import { filter } from '../../src/scheduler/filter.ts';
import { canEvictionsMend } from '../../src/scheduler/mendable.ts';
import { Requests } from '../../src/scheduler/requests.ts';
import { Verdicts } from '../../src/placement/verdicts.ts';
import { gpuPod, nvidiaVendors, podObject } from '../state/support/device-states.ts';
import { binpackBinpack, byName, makeWorld, neverBusy, type World } from './support/scheduler-world.ts';

const cards = (...refused: readonly CardReason[]): Refusal => ({
  code: 'AllocatedCardsInsufficientRequest',
  container: 'c0',
  vendor: 'NVIDIA',
  wanted: 1,
  accepted: 0,
  cards: refused.length,
  refused: Object.fromEntries(refused.map((reason) => [reason, 1])),
});

describe('canEvictionsMend', () => {
  const anyone = (whose: string) => whose === 'anyone';
  const mended = new Set<CardReason>([
    'CardWithheld',
    'ModeNotFit',
    'CardTimeSlicingExhausted',
    'ExclusiveDeviceAllocateConflict',
    'CardInsufficientMemory',
    'CardInsufficientCore',
    'CardComputeUnitsExhausted',
    'CardMigTopologyInfeasible',
    'NumaNotFit',
    'CardAppClassMismatch',
    'CardQosPolicyMismatch',
    'CardTopologyMismatch',
  ]);
  const cases: readonly { name: string; refusal: Refusal; want: boolean }[] = [
    ...cardReasons.map((reason) => ({
      name: `${reason} of a card`,
      refusal: cards(reason),
      want: mended.has(reason),
    })),
    {
      name: 'one full card among unfit ones',
      refusal: cards('CardTypeMismatch', 'CardInsufficientMemory'),
      want: true,
    },
    {
      name: 'a full card beside an exceeded quota',
      refusal: cards('ResourceQuotaNotFit', 'CardTimeSlicingExhausted'),
      want: true,
    },
    { name: 'unfit cards alone', refusal: cards('CardTypeMismatch', 'CardNotHealth'), want: false },
    {
      name: 'NodeCountExhausted',
      refusal: { code: 'NodeCountExhausted', resource: 'nvidia.com/gpu', wanted: 1, free: 0 },
      want: true,
    },
    {
      name: 'NodeInsufficientDevice',
      refusal: { code: 'NodeInsufficientDevice', container: 'c0', vendor: 'NVIDIA', wanted: 3, cards: 2 },
      want: false,
    },
    { name: 'NodeUnregistered', refusal: { code: 'NodeUnregistered' }, want: false },
    { name: 'NodeClosed', refusal: { code: 'NodeClosed', pod: 'default/stray' }, want: false },
    { name: 'RequestInvalid', refusal: { code: 'RequestInvalid', problems: ['x'] }, want: false },
  ];
  it.each(cases)('$name: $want', ({ refusal, want }) => {
    expect(canEvictionsMend(refusal, anyone)).toBe(want);
    expect(canEvictionsMend(refusal, () => false)).toBe(false);
  });

  it('an exceeded quota is mended by pods of the own namespace', () => {
    const ownNamespace = (whose: string) => whose === 'own-namespace';
    expect(canEvictionsMend(cards('ResourceQuotaNotFit'), ownNamespace)).toBe(true);
  });

  it('who is on the node is asked only where it matters', () => {
    const asked = () => {
      throw new Error('asked');
    };
    expect(canEvictionsMend(cards('CardTypeMismatch'), asked)).toBe(false);
  });
});

describe('with the preempt verb, filter', () => {
  const full = 'gpu-0,NVIDIA,8192,0:;';
  const urgent = { ...gpuPod({ name: 'urgent' }), priority: 10 };

  function resolvableOf(world: World, preemptVerb = true, ...names: readonly string[]): readonly string[] {
    const { state, clock } = world;
    const answer = filter(byName(urgent, ...(names.length === 0 ? ['n1'] : names)), {
      state,
      clock,
      preemptVerb,
      requests: new Requests(nvidiaVendors),
      verdicts: new Verdicts(),
      assumptions: new Assumptions(clock),
      policies: binpackBinpack,
      filterDeadlineMs: 1000,
      ...neverBusy,
    });
    if (answer.kind === 'error') throw new Error(answer.code);
    return [...answer.resolvable];
  }
  const holder = (priority: number, fields = {}) => ({
    ...gpuPod({ name: 'holder', nodeName: 'n1', gpu: { count: 1 }, allocated: full, ...fields }),
    priority,
  });
  const worldWith = (...pods: readonly ReturnType<typeof holder>[]) => {
    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2' }, { name: 'n3', devices: [{}] }] });
    for (const pod of pods) world.state.applyPod(pod, world.clock.nowMs());
    return world;
  };

  it.each([
    { name: 'has hope for a node with a pod of lower priority', pods: [holder(9)], want: ['n1'] },
    { name: 'has none where all are as important', pods: [holder(10)], want: [] },
    {
      name: 'has none where the less important one holds no card',
      pods: [holder(10), { ...podObject({ name: 'plain', nodeName: 'n1' }), priority: 1 }],
      want: [],
    },
    {
      name: 'has hope where only the count is used up',
      pods: [
        {
          ...gpuPod({ name: 'counted', nodeName: 'n1', gpu: { count: 10, memoryMiB: 1 } }),
          priority: 1,
        },
      ],
      want: ['n1'],
    },
  ])('$name', ({ pods, want }) => {
    expect(resolvableOf(worldWith(...pods), true, 'n1', 'n2', 'unknown')).toEqual(want);
  });

  it('keeps its hope while the pod drains, so that none is evicted elsewhere meanwhile', () => {
    const world = worldWith(holder(9, { running: true }));
    world.state.removePod('uid-holder', world.clock.nowMs());
    expect(world.state.entry('uid-holder')?.state).toBe('draining');
    expect(resolvableOf(world)).toEqual(['n1']);
  });

  it('hopes for quota from pods of the own namespace alone', () => {
    const hard = { 'limits.nvidia.com/gpumem': '4000' };
    const small = { gpu: { count: 1, memoryMiB: 2000 }, allocated: 'gpu-0,NVIDIA,2000,0:;' };
    const own = worldWith(holder(9, small));
    own.state.applyQuota({ namespace: 'default', name: 'q', resourceVersion: '1', hard });
    expect(resolvableOf(own)).toEqual(['n1']);
    // The namespace's quota is used up on another node, and the pod here is of another namespace.
    const other = worldWith(holder(9, { ...small, namespace: 'other' }));
    const elsewhere = gpuPod({ ...small, name: 'elsewhere', nodeName: 'n3' });
    other.state.applyPod({ ...elsewhere, priority: 9 }, 0);
    other.state.applyQuota({ namespace: 'default', name: 'q', resourceVersion: '1', hard });
    expect(resolvableOf(other)).toEqual([]);
  });

  it('says nothing of it where the pod fits another node, and nothing without the verb', () => {
    expect(resolvableOf(worldWith(holder(9)), true, 'n1', 'n3')).toEqual([]);
    expect(resolvableOf(worldWith(holder(9)), false)).toEqual([]);
  });
});
