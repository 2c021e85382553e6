/** What stays the same, whatever the node and the pod: the answer when nothing that matters differs, and a fit with more room. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { effectiveUsage, type HeldSlices } from '../../src/model/allocation.ts';
import type { DeviceUsage } from '../../src/model/device.ts';
import { type DeviceView, makeNodeView, type NodeView, withMoreUsed } from '../../src/model/node-view.ts';
import type { DeviceSelector, PodRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import {
  arbitraryNode,
  arbitraryPolicies,
  arbitraryRequest,
  arbitraryRules,
  arbitraryView,
} from '../support/arbitrary-clusters.ts';
import { linksWithin } from './reference-order.ts';

function negated(usage: ReadonlyMap<string, DeviceUsage>): ReadonlyMap<string, DeviceUsage> {
  return new Map(
    [...usage].map(([key, { slots, memoryMiB, corePercent }]) => [
      key,
      { slots: -slots, memoryMiB: -memoryMiB, corePercent: -corePercent },
    ]),
  );
}

function withDevices(view: NodeView, devices: readonly DeviceView[]): NodeView {
  const { name, generation, countFree, hostFree, unavailable } = view;
  return makeNodeView({ name, generation, devices, countFree, hostFree, unavailable });
}

/** The same card; its profiles and links are listed the other way round. */
function listedBackwards(entry: DeviceView): DeviceView {
  const { migProfiles, linkScores, ...device } = entry.device;
  const profiles = migProfiles?.map((profile) => ({
    ...profile,
    placements: profile.placements.toReversed(),
  }));
  return {
    ...entry,
    occupied: entry.occupied.toReversed(),
    device: {
      ...device,
      ...(profiles === undefined ? {} : { migProfiles: profiles.reverse() }),
      ...(linkScores === undefined ? {} : { linkScores: new Map([...linkScores].reverse()) }),
    },
  };
}

function withWishesBackwards(request: PodRequest): PodRequest {
  const selectors = [...request.selectors].map(([vendor, selector]): [string, DeviceSelector] => [
    vendor,
    {
      ...selector,
      useTypes: selector.useTypes.toReversed(),
      avoidTypes: selector.avoidTypes.toReversed(),
      useIds: selector.useIds.toReversed(),
      avoidIds: selector.avoidIds.toReversed(),
    },
  ]);
  return { ...request, selectors: new Map(selectors.reverse()) };
}

const noSlices: HeldSlices['slices'] = new Map();

describe('every plan', () => {
  it('taken back after it was applied leaves the node as it was, and the same plan', () => {
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const answer = plan(view, request, defaults);
        if (!answer.ok) return;
        const roles = request.containers.map(({ role }) => role);
        const usage = effectiveUsage(answer.allocation, roles, false);
        const restored = withMoreUsed(withMoreUsed(view, { usage, slices: noSlices }), {
          usage: negated(usage),
          slices: noSlices,
        });
        expect(restored).toEqual(view);
        expect(plan(restored, request, defaults)).toEqual(answer);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order in which the node lists its cards and the pod its wishes', () => {
    const shuffledView = arbitraryView.chain((view) =>
      fc.tuple(fc.constant(view), fc.shuffledSubarray([...view.devices], { minLength: view.devices.length })),
    );
    fc.assert(
      fc.property(shuffledView, arbitraryRequest(), arbitraryRules, ([view, devices], request, rules) => {
        const answer = plan(view, request, rules);
        expect(plan(view, request, rules)).toEqual(answer);
        expect(
          plan(withDevices(view, devices.map(listedBackwards)), withWishesBackwards(request), rules),
        ).toEqual(answer);
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
    cordoned: entry.cordoned && !mended,
    occupied: entry.occupied,
    kinds: entry.kinds,
    unclear: entry.unclear && !mended,
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

  it('linked cards are never linked worse than those that the policy would take first', () => {
    let better = 0;
    const node = fc.oneof(arbitraryNode({ minCards: 3 }), arbitraryNode({ minCards: 9, maxCards: 14 }));
    fc.assert(
      fc.property(
        node,
        arbitraryRequest({ maxContainers: 1 }),
        arbitraryPolicies,
        (view, request, policies) => {
          const devicePolicy = request.devicePolicy ?? policies.devicePolicy;
          const linksWith = (topologyAware: boolean) => {
            const asked = { ...request, devicePolicy: { ...devicePolicy, topologyAware } };
            const answer = plan(view, asked, policies);
            if (!answer.ok) return undefined;
            // One vendor's only: links are within a family.
            const ids = answer.allocation
              .flat()
              .flatMap(({ vendor, deviceId }) => (vendor === 'NVIDIA' ? deviceId : []));
            const cards = ids.map((id) => view.devices.find(({ device }) => device.id === id)!);
            return { cards, links: linksWithin(cards) };
          };
          const [linked, first] = [linksWith(true), linksWith(false)];
          expect(linked === undefined).toBe(first === undefined);
          if (linked === undefined || first === undefined || new Set(first.cards).size < first.cards.length)
            return;
          expect(linked.links).toBeGreaterThanOrEqual(first.links);
          if (linked.links > first.links) better += 1;
        },
      ),
      { numRuns: 4000 },
    );
    expect(better).toBeGreaterThan(50);
  });
});
