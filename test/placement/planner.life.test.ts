/**
 * Random lives: pods come to a few nodes, are placed as a scheduler would, start, and go, in any order. After every
 * step the usage of each card is added up afresh from the pods that are there, so the planner is judged by what it
 * did and not by what anybody remembers.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Allocation, effectiveUsage, heldSlices } from '../../src/model/allocation.ts';
import type { ContainerRole } from '../../src/model/container-role.ts';
import { deviceKey, type DeviceUsage, noUsage } from '../../src/model/device.ts';
import { overlaps } from '../../src/model/mig.ts';
import { type NodeView, withMoreUsed } from '../../src/model/node-view.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { plan, type PolicyDefaults } from '../../src/placement/planner.ts';
import { arbitraryPolicies, arbitraryRequest } from '../support/arbitrary-clusters.ts';
import { a100Profiles } from '../support/mig-devices.ts';
import { type CardFields, makeView } from '../support/views.ts';

interface LivingPod {
  readonly node: number;
  readonly roles: readonly ContainerRole[];
  readonly allocation: Allocation;
  readonly initFinished: boolean;
}

type Step =
  | { readonly kind: 'place'; readonly node: number; readonly request: PodRequest }
  | { readonly kind: 'finishInit' | 'leave'; readonly pod: number };

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('place' as const),
      node: fc.nat(),
      request: arbitraryRequest(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('finishInit' as const, 'leave' as const), pod: fc.nat() }),
  },
);

const migCard: CardFields = { slots: 7, memoryMiB: 40_960, mode: 'mig', migProfiles: a100Profiles };

/** Idle nodes; cards of few slots and little memory, so that they fill up within a life. */
const arbitraryEmptyNode = fc
  .array(
    fc.oneof(
      {
        arbitrary: fc.record<CardFields>({
          slots: fc.constantFrom(1, 2, 3, 10),
          memoryMiB: fc.constantFrom(1000, 2048, 8192),
          corePercent: fc.constantFrom(100, 100, 100, 150),
          vendor: fc.constantFrom('NVIDIA', 'NVIDIA', 'DCU'),
        }),
        weight: 3,
      },
      { arbitrary: fc.constant(migCard), weight: 1 },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((devices) => makeView({ devices }));

function usageOf({ allocation, roles, initFinished }: LivingPod): ReadonlyMap<string, DeviceUsage> {
  return effectiveUsage(allocation, roles, initFinished);
}

function nodeWith(empty: NodeView, pods: readonly LivingPod[]): NodeView {
  return pods.reduce((view, pod) => {
    const { slices } = heldSlices(pod.allocation, pod.roles, pod.initFinished);
    // Instances stay when the init container that had them has ended, and withMoreUsed goes by what is used.
    const usage = new Map([...[...slices.keys()].map((key) => [key, noUsage] as const), ...usageOf(pod)]);
    return withMoreUsed(view, { usage, slices });
  }, empty);
}

/** Keys of the devices on which a pod's containers, of those still to run or running, hold a whole card of compute. */
function exclusiveKeys({ allocation, roles, initFinished }: LivingPod): readonly string[] {
  return allocation.flatMap((shares, index) =>
    initFinished && roles[index] === 'init'
      ? []
      : shares
          .filter(({ corePercent }) => corePercent === 100)
          .map(({ vendor, deviceId }) => deviceKey(vendor, deviceId)),
  );
}

function live(
  empty: readonly NodeView[],
  steps: readonly Step[],
  defaults: PolicyDefaults,
  check: (pods: readonly LivingPod[]) => void,
) {
  let pods: readonly LivingPod[] = [];
  for (const step of steps) {
    if (step.kind === 'place') {
      const node = step.node % empty.length;
      const there = pods.filter((pod) => pod.node === node);
      const answer = plan(nodeWith(empty[node]!, there), { ...step.request, counts: new Map() }, defaults);
      if (!answer.ok) continue;
      const roles = step.request.containers.map(({ role }) => role);
      pods = [...pods, { node, roles, allocation: answer.allocation, initFinished: false }];
    } else if (pods.length > 0) {
      const chosen = step.pod % pods.length;
      pods =
        step.kind === 'leave'
          ? pods.filter((_, index) => index !== chosen)
          : pods.map((pod, index) => (index === chosen ? { ...pod, initFinished: true } : pod));
    }
    check(pods);
  }
}

const life = fc.tuple(
  fc.array(arbitraryEmptyNode, { minLength: 1, maxLength: 3 }),
  fc.array(arbitraryStep, { minLength: 20, maxLength: 60 }),
  arbitraryPolicies,
);

describe('in a random life of placing, starting and leaving', () => {
  it('no card ever holds more than its slots, memory and compute, and no two instances overlap', () => {
    let fullCards = 0;
    let instances = 0;
    fc.assert(
      fc.property(life, ([empty, steps, defaults]) => {
        live(empty, steps, defaults, (pods) => {
          for (const [node, view] of empty.entries()) {
            const full = nodeWith(
              view,
              pods.filter((pod) => pod.node === node),
            );
            for (const { device, used, occupied } of full.devices) {
              expect(used.slots).toBeLessThanOrEqual(device.slots);
              expect(used.memoryMiB).toBeLessThanOrEqual(device.memoryMiB);
              // Profiles' percentages are rounded up.
              if (device.mode !== 'mig') expect(used.corePercent).toBeLessThanOrEqual(device.corePercent);
              instances += occupied.length;
              const clash = occupied.some((place, at) =>
                occupied.slice(at + 1).some((other) => overlaps(place, other)),
              );
              expect(clash).toBe(false);
              if (used.slots === device.slots || used.memoryMiB === device.memoryMiB) fullCards += 1;
            }
          }
        });
      }),
      { numRuns: 150 },
    );

    expect(fullCards).toBeGreaterThan(300);
    expect(instances).toBeGreaterThan(1000);
  });

  it('nobody joins a pod that holds a whole card of compute on an unscaled card', () => {
    let exclusive = 0;
    fc.assert(
      fc.property(life, ([empty, steps, defaults]) => {
        live(empty, steps, defaults, (pods) => {
          for (const [index, pod] of pods.entries()) {
            for (const key of exclusiveKeys(pod)) {
              const { devices } = empty[pod.node]!;
              const card = devices.find(({ device }) => deviceKey(device.vendor, device.id) === key);
              if (card?.device.corePercent !== 100) continue;
              exclusive += 1;
              const others = pods.filter((other, at) => at !== index && other.node === pod.node);
              expect(others.some((other) => usageOf(other).has(key))).toBe(false);
            }
          }
        });
      }),
      { numRuns: 400 },
    );
    expect(exclusive).toBeGreaterThan(300);
  });
});
