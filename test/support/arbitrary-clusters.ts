/**
 * Random nodes, pods and rules for property tests, of numbers that often meet exactly. fast-check owns the chance: it
 * prints the seed of a failure and shrinks it.
 */
import fc from 'fast-check';
import type { ContainerRole } from '../../src/model/container-role.ts';
import type { NodeView } from '../../src/model/node-view.ts';
import type { NamespaceQuota, QuotaLimit } from '../../src/model/quota.ts';
import type {
  DevicePolicy,
  DeviceSelector,
  NodePolicy,
  PodRequest,
  ScoringWeights,
} from '../../src/model/request.ts';
import type { PlanRules } from '../../src/placement/planner.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { arbitraryCard, arbitraryVendor, often, otherVendor } from './arbitrary-cards.ts';
import { type ContainerFields, type DeviceRequestFields, makePodRequest, makeSelector } from './requests.ts';
import { type CardFields, countResource, makeView } from './views.ts';

/** Points from each card to each other, by position; undefined where a plugin says nothing about its cards. */
const arbitraryLinks = fc.option(
  fc.array(often(10, [0, 20, 100, 110, 210, -5], 3), { minLength: 64, maxLength: 64 }),
  { nil: undefined },
);

function linksOf(points: readonly number[] | undefined, position: number, cards: number): CardFields {
  if (points === undefined) return {};
  const others = Array.from({ length: cards }, (_, other) => other).filter((other) => other !== position);
  return {
    linkScores: new Map(others.map((other) => [`gpu-${other}`, points[(8 * position + other) % 64] ?? 0])),
  };
}

export interface NodeShape {
  readonly minCards?: number;
  readonly maxCards?: number;
}

/** A node of some cards, most of the time with room left in its count resource. */
export function arbitraryNode({ minCards = 0, maxCards = 8 }: NodeShape = {}): fc.Arbitrary<NodeView> {
  const many = Math.max(minCards, Math.min(4, maxCards));
  return fc
    .record({
      cards: fc.oneof(
        { arbitrary: fc.array(arbitraryCard, { minLength: many, maxLength: maxCards }), weight: 3 },
        { arbitrary: fc.array(arbitraryCard, { minLength: minCards, maxLength: many }), weight: 1 },
      ),
      links: arbitraryLinks,
      free: often(40, [4, 2, 1, 0, -1], 16),
      unavailable: fc.boolean(),
    })
    .map(({ cards, links, free, unavailable }) =>
      makeView({
        devices: cards.map((card, position) => ({
          ...card,
          id: `gpu-${position}`,
          ...linksOf(links, position, cards.length),
        })),
        countFree: { [countResource]: free },
        unavailable: unavailable ? { [otherVendor]: 'its plugin does not run' } : {},
      }),
    );
}

/** Up to eight cards. */
export const arbitraryView = arbitraryNode();

const arbitraryDeviceRequest: fc.Arbitrary<DeviceRequestFields> = fc.record(
  {
    count: often(1, [0, 2, 2, 3, 4, 7], 8),
    memoryMiB: often(64, [0, 1, 500, 999, 2048, 6000, 8192, 20_000], 10),
    memoryPercent: often(10, [0, 1, 33, 50, 100], 8),
    corePercent: often(0, [10, 25, 50, 100], 5),
  },
  { requiredKeys: ['count', 'memoryPercent', 'corePercent'] },
);

/** What one container asks: usually NVIDIA alone, sometimes both families, sometimes nothing. */
const arbitraryDevices: fc.Arbitrary<readonly DeviceRequestFields[]> = fc
  .record({
    vendors: often<readonly string[]>(['NVIDIA'], [[], [otherVendor], ['NVIDIA', otherVendor]], 15),
    asked: fc.tuple(arbitraryDeviceRequest, arbitraryDeviceRequest),
  })
  .map(({ vendors, asked }) => vendors.map((vendor, index) => ({ ...asked[index], vendor })));

const arbitrarySelector: fc.Arbitrary<DeviceSelector> = fc.oneof(
  { arbitrary: fc.constant(makeSelector({ numaBound: true })), weight: 2 },
  {
    arbitrary: fc
      .record(
        {
          useTypes: fc.subarray(['a10', 'tesla', 'v100', 'h100']),
          avoidTypes: fc.subarray(['a100', 'tesla']),
          useIds: fc.subarray(['gpu-0', 'gpu-1', 'gpu-2', 'gpu-3', 'gpu-4']),
          avoidIds: fc.subarray(['gpu-1', 'gpu-5']),
          modes: fc.constantFrom('hami-core', 'mig,hami-core', 'mig', 'mps', ''),
          numaBound: fc.boolean(),
        },
        { requiredKeys: [] },
      )
      .map(makeSelector),
    weight: 3,
  },
);

const policyWords = [
  ...['spread', 'spread', 'mutex', 'numa', 'topology-aware', 'topology-aware'],
  ...['numa,binpack', 'spread,numa', 'mutex,binpack', 'mutex,numa', 'topology-aware,binpack', 'what,ever'],
];
const arbitraryDevicePolicy: fc.Arbitrary<DevicePolicy> = often('binpack', policyWords, 4).map(
  parseDevicePolicy,
);
export const arbitraryPolicies = fc.record({
  nodePolicy: fc.constantFrom<NodePolicy>('binpack', 'spread'),
  devicePolicy: arbitraryDevicePolicy,
});

const weight = fc.constantFrom(0, 1, 3);
const arbitraryWeights: fc.Arbitrary<ScoringWeights> = fc
  .record({ slots: weight, cores: weight, memory: weight })
  .filter(({ slots, cores, memory }) => slots + cores + memory > 0);

function arbitraryLimit(resource: string, limits: readonly number[]): fc.Arbitrary<QuotaLimit> {
  return fc.record({
    resource: fc.constant(resource),
    quota: fc.constantFrom('team', 'all'),
    limit: fc.constantFrom(...limits),
    used: fc.constantFrom(0, 0, 64, 500),
  });
}

/** Limits that some pods of `arbitraryRequest` keep and others do not. */
export const arbitraryQuota: fc.Arbitrary<NamespaceQuota> = fc
  .record({
    vendor: arbitraryVendor,
    limits: fc.record(
      {
        memory: arbitraryLimit('limits.nvidia.com/gpumem', [0, 64, 700, 1500, 3000, 10_000, 50_000]),
        cores: arbitraryLimit('limits.nvidia.com/gpucores', [0, 25, 75, 564, 600, 700]),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ vendor, limits }) => new Map([[vendor, limits]]));

/** What holds for a pod that brings nothing of its own; most namespaces have no quota. */
export const arbitraryRules: fc.Arbitrary<PlanRules> = fc
  .tuple(arbitraryPolicies, fc.oneof(fc.constant(undefined), fc.constant(undefined), arbitraryQuota))
  .map(([policies, quota]) => (quota === undefined ? policies : { ...policies, quota }));

export interface PodShape {
  readonly minContainers?: number;
  readonly maxContainers?: number;
}

/** A pod of one to four containers of all roles, in the order in which a pod lists them. */
export function arbitraryRequest({
  minContainers = 1,
  maxContainers = 4,
}: PodShape = {}): fc.Arbitrary<PodRequest> {
  const container = fc.record({
    role: often<ContainerRole>('app', ['init', 'sidecar'], 2),
    devices: arbitraryDevices,
  });
  return fc
    .record({
      containers: fc.array<ContainerFields>(container, {
        minLength: minContainers,
        maxLength: maxContainers,
      }),
      selector: fc.oneof(fc.constant(undefined), fc.constant(undefined), arbitrarySelector),
      selected: arbitraryVendor,
      wantedCount: fc.constantFrom(0, 1, 2, 4, 5),
      policies: fc.option(arbitraryPolicies, { nil: undefined }),
      weights: fc.oneof(fc.constant(undefined), fc.constant(undefined), arbitraryWeights),
    })
    .map(({ containers, selector, selected, wantedCount, policies, weights }) =>
      makePodRequest({
        containers: [
          ...containers.filter(({ role }) => role !== 'app'),
          ...containers.filter(({ role }) => role === 'app'),
        ],
        selectors: selector === undefined ? {} : { [selected]: selector },
        counts: wantedCount === 0 ? {} : { [countResource]: wantedCount },
        ...policies,
        ...(weights === undefined ? {} : { weights }),
      }),
    );
}
