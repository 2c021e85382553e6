/** What holds of every plan, whatever the node and the pod. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Allocation, effectiveUsage, type HeldSlices, heldSlices } from '../../src/model/allocation.ts';
import { type Device, deviceKey, type DeviceUsage } from '../../src/model/device.ts';
import { type MigPlacement, overlaps } from '../../src/model/mig.ts';
import { type DeviceView, withMoreUsed } from '../../src/model/node-view.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { quotaAmounts } from '../../src/state/quota-amounts.ts';
import {
  arbitraryPolicies,
  arbitraryQuota,
  arbitraryRequest,
  arbitraryRules,
  arbitraryView,
} from '../support/arbitrary-clusters.ts';
import { makeSelector } from '../support/requests.ts';

const dimensions = ['slots', 'memoryMiB', 'corePercent'] as const;
/** Profiles' percentages are rounded up, so the compute of a cut card may add up to more than it has. */
const migDimensions = ['slots', 'memoryMiB'] as const;

function usageOf(request: PodRequest, allocation: Allocation): ReadonlyMap<string, DeviceUsage> {
  return effectiveUsage(
    allocation,
    request.containers.map(({ role }) => role),
    false,
  );
}

const isMig = ({ mode }: Device) => mode === 'mig';

function isWithin({ device, used }: DeviceView): boolean {
  return (isMig(device) ? migDimensions : dimensions).every(
    (dimension) => used[dimension] <= device[dimension],
  );
}

function isDisjoint(places: readonly MigPlacement[]): boolean {
  return places.every((place, index) => places.slice(index + 1).every((other) => !overlaps(place, other)));
}

const noSlices: HeldSlices['slices'] = new Map();

describe('every plan', () => {
  it('keeps each card that was within its capacity within it, at the worst moment of the pod', () => {
    let placed = 0;
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryRules, (view, request, rules) => {
        const answer = plan(view, request, rules);
        if (!answer.ok) return;
        const usage = usageOf(request, answer.allocation);
        if (usage.size > 0) placed += 1;
        const after = withMoreUsed(view, { usage, slices: noSlices });
        for (const [index, entry] of after.devices.entries()) {
          if (isWithin(view.devices[index]!)) expect(isWithin(entry)).toBe(true);
          else expect(entry).toEqual(view.devices[index]);
        }
      }),
      { numRuns: 3000 },
    );
    expect(placed).toBeGreaterThan(500);
  });

  it('cuts MIG cards into instances that exist and do not overlap, those of all containers at once', () => {
    let instances = 0;
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryRules, (view, request, rules) => {
        const answer = plan(view, request, rules);
        if (!answer.ok) return;
        const shares = answer.allocation.flat();
        const { slices, uncut } = heldSlices(answer.allocation, [], false);
        for (const { device, occupied } of view.devices) {
          const key = deviceKey(device.vendor, device.id);
          expect((isMig(device) ? uncut : slices).has(key)).toBe(false);
          const taken = slices.get(key) ?? [];
          instances += taken.length;
          expect(isDisjoint([...occupied, ...taken])).toBe(true);
          for (const { mig, memoryMiB, corePercent } of shares.filter(
            ({ deviceId }) => deviceId === device.id,
          )) {
            if (mig === undefined) continue;
            const profile = device.migProfiles?.find(({ name }) => name === mig.profile);
            expect(profile).toMatchObject({ memoryMiB, corePercent });
            expect(profile?.placements).toContainEqual(mig.placement);
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(instances).toBeGreaterThan(300);
  });

  it('costs the namespace no more than each limit of its quota leaves', () => {
    let limited = 0;
    fc.assert(
      fc.property(
        arbitraryView,
        arbitraryRequest(),
        arbitraryPolicies,
        arbitraryQuota,
        (view, request, policies, quota) => {
          const answer = plan(view, request, { ...policies, quota });
          if (!answer.ok) return;
          const roles = request.containers.map(({ role }) => role);
          const amounts = quotaAmounts(answer.allocation, roles, false);
          for (const [vendor, { memory, cores }] of quota) {
            const added = amounts.get(vendor);
            if (added === undefined) continue;
            limited += 1;
            if (memory) expect(memory.used + added.memoryMiB).toBeLessThanOrEqual(memory.limit);
            if (cores) expect(cores.used + added.corePercent).toBeLessThanOrEqual(cores.limit);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(limited).toBeGreaterThan(150);
  });

  it('keeps the cards of a container on one NUMA node where the pod asks for that', () => {
    let several = 0;
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryRules, (view, request, rules) => {
        const own = request.selectors.get('NVIDIA') ?? makeSelector();
        const selectors = new Map([...request.selectors, ['NVIDIA', { ...own, numaBound: true }]]);
        const answer = plan(view, { ...request, selectors }, rules);
        if (!answer.ok) return;
        for (const shares of answer.allocation) {
          const ids = shares.flatMap(({ vendor, deviceId }) => (vendor === 'NVIDIA' ? [deviceId] : []));
          const cards = view.devices.filter(({ device }) => ids.includes(device.id));
          if (cards.length > 1) several += 1;
          expect(new Set(cards.map(({ device }) => device.numa)).size).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 3000 },
    );
    expect(several).toBeGreaterThan(100);
  });

  it('gives every container as many healthy cards of its vendor as it asks for, of what it asks for', () => {
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const answer = plan(view, request, defaults);
        if (!answer.ok) return;
        expect(answer.allocation).toHaveLength(request.containers.length);
        for (const [index, { devices }] of request.containers.entries()) {
          const shares = answer.allocation[index]!;
          const keys = new Set(shares.map(({ vendor, deviceId }) => deviceKey(vendor, deviceId)));
          const plain = shares.filter(({ mig }) => mig === undefined);
          expect(new Set(plain.map(({ deviceId }) => deviceId)).size).toBe(plain.length);
          expect(shares).toHaveLength(devices.reduce((sum, { count }) => sum + count, 0));
          for (const { vendor, count, corePercent } of devices) {
            const own = shares.filter((share) => share.vendor === vendor);
            expect(own).toHaveLength(count);
            expect(own.every((share) => share.mig !== undefined || share.corePercent === corePercent)).toBe(
              true,
            );
          }
          const usable = view.devices.filter(
            ({ device, withheld, cordoned, unclear }) => device.healthy && !withheld && !cordoned && !unclear,
          );
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
});
