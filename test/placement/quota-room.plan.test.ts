/** The planner under a quota: what it gives stays within the limits, and only what would not is refused (spec §8.3). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ContainerRole } from '../../src/model/container-role.ts';
import type { NamespaceQuota, QuotaLimit, VendorQuota } from '../../src/model/quota.ts';
import { plan } from '../../src/placement/planner.ts';
import { type QuotaAmounts, quotaAmounts } from '../../src/state/quota-amounts.ts';
import { type ContainerFields, makePodRequest } from '../support/requests.ts';
import { makeView } from '../support/views.ts';

const rules = {
  nodePolicy: 'binpack',
  devicePolicy: { order: ['emptiest'], numaBoundOrder: ['emptiest'], idleOnly: false, topologyAware: false },
} as const;

const view = makeView({
  devices: [
    { memoryMiB: 1000, slots: 3 },
    { memoryMiB: 1000, slots: 3, used: { slots: 1, memoryMiB: 400, corePercent: 50 } },
    { memoryMiB: 600, slots: 3 },
  ],
});

function quotaOf(limits: VendorQuota): NamespaceQuota {
  return new Map([['NVIDIA', limits]]);
}

describe('a plan under a quota', () => {
  const memory: QuotaLimit = { resource: 'limits.nvidia.com/gpumem', quota: 'gpu', used: 1000, limit: 2000 };

  const cases: { name: string; containers: readonly ContainerFields[]; want: 'fits' | number }[] = [
    {
      name: 'Q10: app containers behind an init container are counted as what they are',
      containers: [{ role: 'init', memoryMiB: 100 }, { memoryMiB: 600 }, { memoryMiB: 600 }],
      want: 3,
    },
    {
      name: 'init containers count with their peak',
      containers: [
        { role: 'init', memoryMiB: 800 },
        { role: 'init', memoryMiB: 800 },
        { role: 'app', memoryMiB: 500 },
      ],
      want: 'fits',
    },
    {
      name: 'memory in percent counts as it comes out on each card',
      containers: [{ count: 2, memoryPercent: 60 }],
      want: 'fits',
    },
    {
      name: 'and can be too much on every card',
      containers: [{ count: 3, memoryPercent: 60 }],
      want: 1,
    },
    { name: 'a pod without cards is not asked about', containers: [{ devices: [] }], want: 'fits' },
  ];
  it.each(cases)('$name', ({ containers, want }) => {
    const answer = plan(view, makePodRequest({ containers }), { ...rules, quota: quotaOf({ memory }) });
    expect(answer).toMatchObject(
      want === 'fits'
        ? { ok: true }
        : { ok: false, refusal: { refused: { ResourceQuotaNotFit: want }, quota: memory } },
    );
  });

  const amount = fc.constantFrom(0, 1, 100, 250, 400, 600);
  const container = fc.record({
    role: fc.constantFrom<ContainerRole>('init', 'sidecar', 'app'),
    count: fc.constantFrom(1, 1, 2),
    corePercent: fc.constantFrom(0, 10, 50),
  });
  const inMiB = fc.tuple(container, amount).map(([fields, memoryMiB]) => ({ ...fields, memoryMiB }));
  const inPercent = fc
    .tuple(container, fc.constantFrom(1, 33, 60))
    .map(([fields, memoryPercent]) => ({ ...fields, memoryPercent }));
  const limit = fc.option(fc.tuple(amount, fc.nat({ max: 1500 })), { nil: undefined });

  function podOf(containers: readonly ContainerFields[]) {
    const ordered = [
      ...containers.filter(({ role }) => role !== 'app'),
      ...containers.filter(({ role }) => role === 'app'),
    ];
    return makePodRequest({ containers: ordered });
  }

  function limitsOf(inMemory: [number, number] | undefined, inCores: [number, number] | undefined) {
    const made = (resource: string, numbers: [number, number] | undefined) =>
      numbers && { resource, quota: 'gpu', used: numbers[0], limit: numbers[1] };
    const [onMemory, cores] = [made('mem', inMemory), made('cores', inCores)];
    return { ...(onMemory && { memory: onMemory }), ...(cores && { cores }) };
  }

  function isWithin({ memory: onMemory, cores }: VendorQuota, amounts: QuotaAmounts | undefined): boolean {
    const { memoryMiB, corePercent } = amounts ?? { memoryMiB: 0, corePercent: 0 };
    return (
      (onMemory === undefined || onMemory.used + memoryMiB <= onMemory.limit) &&
      (cores === undefined || cores.used + corePercent <= cores.limit)
    );
  }

  it('is within the limits, whatever is asked', () => {
    const containers = fc.array(fc.oneof(inMiB, inPercent), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(containers, limit, limit, (asked, onMemory, onCores) => {
        const limits = limitsOf(onMemory, onCores);
        const request = podOf(asked);
        const roles = request.containers.map(({ role }) => role);
        const answer = plan(view, request, { ...rules, quota: quotaOf(limits) });
        if (!answer.ok) return;
        expect(isWithin(limits, quotaAmounts(answer.allocation, roles, false).get('NVIDIA'))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('exists iff the plan without the quota is within it, where amounts do not depend on the cards', () => {
    const containers = fc.array(inMiB, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(containers, limit, limit, (asked, onMemory, onCores) => {
        const limits = limitsOf(onMemory, onCores);
        const request = podOf(asked);
        const roles = request.containers.map(({ role }) => role);
        const free = plan(view, request, rules);
        const want = free.ok && isWithin(limits, quotaAmounts(free.allocation, roles, false).get('NVIDIA'));
        expect(plan(view, request, { ...rules, quota: quotaOf(limits) }).ok).toBe(want);
      }),
      { numRuns: 500 },
    );
  });
});
