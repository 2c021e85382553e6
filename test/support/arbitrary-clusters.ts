/**
 * Random nodes and pods for property tests. Numbers come from short lists, so that exact fits, ties and full cards
 * are common instead of one in a million. fast-check owns the chance: it prints the seed of a failure and shrinks it.
 */
import fc from 'fast-check';
import type { ContainerRole } from '../../src/model/container-role.ts';
import type { NodeView } from '../../src/model/node-view.ts';
import type { DevicePolicy, DeviceSelector, NodePolicy, PodRequest } from '../../src/model/request.ts';
import { type ContainerFields, type DeviceRequestFields, makePodRequest, makeSelector } from './requests.ts';
import { type CardFields, countResource, makeView } from './views.ts';

/** One usual value, `weight` times as often as any one of the rarer ones. */
function often<T>(usual: T, rare: readonly T[], weight: number): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight },
    { arbitrary: fc.constantFrom(...rare), weight: rare.length },
  );
}

/** The second family, so that nothing may take every card of a node for the vendor's own. */
export const otherVendor = 'DCU';
const arbitraryVendor = often('NVIDIA', [otherVendor], 3);

const types = ['NVIDIA A100-SXM4-40GB', 'NVIDIA A10', 'NVIDIA-Tesla V100-PCIE-32GB'];

/** How full a card is: mostly within its capacity, sometimes beyond, as after a change of its register. */
const fullness = often(0, [0.2, 0.5, 0.75, 1, 1.25], 8);

/** Healthy and unscaled for the most part; zero slots, cores or memory, and scaled cores, now and then. */
const arbitraryCard: fc.Arbitrary<CardFields> = fc
  .record({
    vendor: arbitraryVendor,
    index: fc.nat({ max: 9 }),
    type: fc.constantFrom(...types),
    slots: often(10, [4, 2, 1, 0], 12),
    memoryMiB: often(8192, [1000, 999, 128, 0], 12),
    corePercent: often(100, [150, 50, 0], 12),
    numa: fc.nat({ max: 1 }),
    mode: often('hami-core', ['mig'], 5),
    trouble: often('none', ['unhealthy', 'withheld'], 14),
    fullness: fc.tuple(fc.boolean(), fullness, fullness, fullness),
  })
  .map(({ trouble, fullness: [idle, slots, memory, cores], ...device }) => ({
    ...device,
    healthy: trouble !== 'unhealthy',
    withheld: trouble === 'withheld',
    used: idle
      ? {}
      : {
          slots: Math.ceil(device.slots * slots),
          memoryMiB: Math.ceil(device.memoryMiB * memory),
          corePercent: Math.ceil(device.corePercent * cores),
        },
  }));

/** A node of up to eight cards, most of the time with room left in its count resource. */
export const arbitraryView: fc.Arbitrary<NodeView> = fc
  .record({
    cards: fc.oneof(
      { arbitrary: fc.array(arbitraryCard, { minLength: 4, maxLength: 8 }), weight: 3 },
      { arbitrary: fc.array(arbitraryCard, { maxLength: 3 }), weight: 1 },
    ),
    free: often(40, [4, 2, 1, 0, -1], 16),
    unavailable: fc.boolean(),
  })
  .map(({ cards, free, unavailable }) =>
    makeView({
      devices: cards.map((card, position) => ({ ...card, id: `gpu-${position}` })),
      countFree: { [countResource]: free },
      unavailable: unavailable ? { [otherVendor]: 'its plugin does not run' } : {},
    }),
  );

const arbitraryDeviceRequest: fc.Arbitrary<DeviceRequestFields> = fc.record(
  {
    count: often(1, [0, 2, 3, 4], 6),
    memoryMiB: often(64, [0, 1, 500, 999, 2048, 8192], 8),
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

const arbitrarySelector: fc.Arbitrary<DeviceSelector> = fc
  .record(
    {
      useTypes: fc.subarray(['a10', 'tesla', 'v100', 'h100']),
      avoidTypes: fc.subarray(['a100', 'tesla']),
      useIds: fc.subarray(['gpu-0', 'gpu-1', 'gpu-2', 'gpu-3', 'gpu-4']),
      avoidIds: fc.subarray(['gpu-1', 'gpu-5']),
      modes: fc.constantFrom('hami-core', 'mig,hami-core', 'mps', ''),
    },
    { requiredKeys: [] },
  )
  .map(makeSelector);

const arbitraryDevicePolicy: fc.Arbitrary<DevicePolicy> = fc.record({
  order: fc.constantFrom('binpack', 'spread'),
  idleOnly: often(false, [true], 6),
});
export const arbitraryPolicies = fc.record({
  nodePolicy: fc.constantFrom<NodePolicy>('binpack', 'spread'),
  devicePolicy: arbitraryDevicePolicy,
});

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
    })
    .map(({ containers, selector, selected, wantedCount, policies }) =>
      makePodRequest({
        containers: [
          ...containers.filter(({ role }) => role !== 'app'),
          ...containers.filter(({ role }) => role === 'app'),
        ],
        selectors: selector === undefined ? {} : { [selected]: selector },
        counts: wantedCount === 0 ? {} : { [countResource]: wantedCount },
        ...policies,
      }),
    );
}
