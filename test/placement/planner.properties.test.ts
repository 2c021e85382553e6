/** What holds of every plan, whatever the node and the pod. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Allocation, effectiveUsage } from '../../src/model/allocation.ts';
import { deviceKey, type DeviceUsage } from '../../src/model/device.ts';
import { type DeviceView, makeNodeView, type NodeView, withMoreUsed } from '../../src/model/node-view.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { arbitraryPolicies, arbitraryRequest, arbitraryView } from '../support/arbitrary-clusters.ts';

const dimensions = ['slots', 'memoryMiB', 'corePercent'] as const;

function usageOf(request: PodRequest, allocation: Allocation): ReadonlyMap<string, DeviceUsage> {
  return effectiveUsage(
    allocation,
    request.containers.map(({ role }) => role),
    false,
  );
}

function negated(usage: ReadonlyMap<string, DeviceUsage>): ReadonlyMap<string, DeviceUsage> {
  return new Map(
    [...usage].map(([key, { slots, memoryMiB, corePercent }]) => [
      key,
      { slots: -slots, memoryMiB: -memoryMiB, corePercent: -corePercent },
    ]),
  );
}

function isWithin({ device, used }: DeviceView): boolean {
  return dimensions.every((dimension) => used[dimension] <= device[dimension]);
}

function withDevices(view: NodeView, devices: readonly DeviceView[]): NodeView {
  const { name, generation, countFree, unavailable } = view;
  return makeNodeView({ name, generation, devices, countFree, unavailable });
}

describe('every plan', () => {
  it('keeps each card that was within its capacity within it, at the worst moment of the pod', () => {
    let placed = 0;
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const answer = plan(view, request, defaults);
        if (!answer.ok) return;
        const usage = usageOf(request, answer.allocation);
        if (usage.size > 0) placed += 1;
        const after = withMoreUsed(view, usage);
        for (const [index, entry] of after.devices.entries()) {
          if (isWithin(view.devices[index]!)) expect(isWithin(entry)).toBe(true);
          else expect(entry).toEqual(view.devices[index]);
        }
      }),
      { numRuns: 3000 },
    );
    expect(placed).toBeGreaterThan(500);
  });

  it('gives every container as many distinct, healthy cards of its vendor as it asks for, of what it asks for', () => {
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const answer = plan(view, request, defaults);
        if (!answer.ok) return;
        expect(answer.allocation).toHaveLength(request.containers.length);
        for (const [index, { devices }] of request.containers.entries()) {
          const shares = answer.allocation[index]!;
          const keys = new Set(shares.map(({ vendor, deviceId }) => deviceKey(vendor, deviceId)));
          expect(keys.size).toBe(shares.length);
          expect(shares).toHaveLength(devices.reduce((sum, { count }) => sum + count, 0));
          for (const { vendor, count, corePercent } of devices) {
            const own = shares.filter((share) => share.vendor === vendor);
            expect(own).toHaveLength(count);
            expect(own.every((share) => share.corePercent === corePercent)).toBe(true);
          }
          const usable = view.devices.filter(({ device, withheld }) => device.healthy && !withheld);
          const offered = new Set(usable.map(({ device }) => deviceKey(device.vendor, device.id)));
          expect([...keys].every((key) => offered.has(key))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('scores 0 to 100, and binpack and spread are opposites on one allocation', () => {
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, { devicePolicy }) => {
        const fixed = { ...request, devicePolicy };
        const packed = plan(
          view,
          { ...fixed, nodePolicy: 'binpack' },
          { nodePolicy: 'spread', devicePolicy },
        );
        const spread = plan(
          view,
          { ...fixed, nodePolicy: 'spread' },
          { nodePolicy: 'binpack', devicePolicy },
        );
        expect(packed.ok).toBe(spread.ok);
        if (!packed.ok || !spread.ok) return;
        expect(packed.allocation).toEqual(spread.allocation);
        expect(packed.score + spread.score).toBeCloseTo(100, 9);
        expect(Math.min(packed.score, spread.score)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('taken back after it was applied leaves the node as it was, and the same plan', () => {
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const answer = plan(view, request, defaults);
        if (!answer.ok) return;
        const usage = usageOf(request, answer.allocation);
        const restored = withMoreUsed(withMoreUsed(view, usage), negated(usage));
        expect(restored).toEqual(view);
        expect(plan(restored, request, defaults)).toEqual(answer);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order in which the node lists its cards', () => {
    const shuffled = arbitraryView.chain((view) =>
      fc.tuple(fc.constant(view), fc.shuffledSubarray([...view.devices], { minLength: view.devices.length })),
    );
    fc.assert(
      fc.property(shuffled, arbitraryRequest(), arbitraryPolicies, ([view, devices], request, defaults) => {
        const answer = plan(view, request, defaults);
        const other = plan(withDevices(view, devices), request, defaults);
        expect(other).toEqual(answer);
      }),
      { numRuns: 2000 },
    );
  });

  it('changes nothing of what it is given', () => {
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const before = structuredClone({ view, request, defaults });
        plan(view, request, defaults);
        expect({ view, request, defaults }).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});

describe('for a pod of one container', () => {
  /** How much of each card's use goes away: a percentage per dimension. */
  const relief = fc.record({
    slots: fc.nat({ max: 100 }),
    memoryMiB: fc.nat({ max: 100 }),
    corePercent: fc.nat({ max: 100 }),
  });
  const eased = (entry: DeviceView, less: DeviceUsage, mended: boolean): DeviceView => ({
    device: { ...entry.device, healthy: entry.device.healthy || mended },
    used: {
      slots: Math.floor((entry.used.slots * (100 - less.slots)) / 100),
      memoryMiB: Math.floor((entry.used.memoryMiB * (100 - less.memoryMiB)) / 100),
      corePercent: Math.floor((entry.used.corePercent * (100 - less.corePercent)) / 100),
    },
    withheld: entry.withheld && !mended,
  });

  it('more free memory, slots, cores or healthy cards never turn a fit into a refusal', () => {
    let fits = 0;
    fc.assert(
      fc.property(
        arbitraryView,
        arbitraryRequest({ maxContainers: 1 }),
        arbitraryPolicies,
        fc.array(fc.tuple(relief, fc.boolean()), { minLength: 8, maxLength: 8 }),
        (view, request, defaults, reliefs) => {
          if (!plan(view, request, defaults).ok) return;
          fits += 1;
          const devices = view.devices.map((entry, index) => eased(entry, ...reliefs[index]!));
          expect(plan(withDevices(view, devices), request, defaults).ok).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
    expect(fits).toBeGreaterThan(400);
  });
});
