/**
 * Whatever a pod asks and however its families are configured, all of them together: nothing throws, admission is done
 * after one time, what it lets through has nothing wrong with it, and what a family declares that it reads is all that
 * it reads. Seeds are printed.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readContainers } from '../../src/vendors/pod-request.ts';
import { resourceNames, type Vendor } from '../../src/vendors/vendor.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { podFrom } from '../../src/wire/kubernetes.ts';
import { applyPatch } from '../admission/apply-patch.ts';
import { makePod, type PodJson } from '../support/kubernetes-objects.ts';
import { chipKeys } from './families/arbitrary-nodes.ts';
import { familyAsks, podAnnotations } from './families/arbitrary-pods.ts';
import { everyBlock, everyVendor, FamiliesWorld, node } from './families/families-world.ts';

const runs = { numRuns: 300 };
const isNatural = (value: number) => Number.isSafeInteger(value) && value >= 0;

/** Amounts that are mostly none at all, and some that people mean otherwise than they are read. */
const odd = fc.oneof(
  fc.constantFrom('0', '-1', '1.5', '500m', '1500m', '1k', '2M', '16Gi', '2048Mi', '1e3', '3E', '', ' 1'),
  fc.constantFrom(
    '101',
    '2147483647',
    '2147483648',
    '9'.repeat(19),
    '9'.repeat(70),
    'all',
    '0x10',
    '+2',
    '1e-3',
  ),
  fc.string({ maxLength: 6 }),
);

const anyLimits: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .tuple(
    fc.constantFrom(...chipKeys).chain((chip) => fc.oneof(...Object.values(familyAsks(chip)))),
    fc.dictionary(fc.constantFrom(...everyVendor.flatMap(resourceNames)), odd, { maxKeys: 2 }),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(([sound, broken, share]) => (share === 0 ? broken : share === 1 ? { ...sound, ...broken } : sound));

/** Requests are what an API server lets through: absent, or what the limits say. */
const anyContainer = fc
  .record({
    limits: anyLimits,
    requested: fc.constantFrom('none', 'all', 'first'),
    role: fc.constantFrom('app', 'app', 'app', 'init', 'sidecar'),
  } as const)
  .map(({ limits, requested, role }) => {
    const names = requested === 'none' ? [] : Object.entries(limits).slice(0, requested === 'all' ? 99 : 1);
    return { limits, requests: Object.fromEntries(names), role };
  });

const anyAnnotations = fc
  .tuple(
    podAnnotations,
    fc.dictionary(
      fc.constantFrom(
        ...everyVendor.flatMap(({ podAnnotations: own = [], annotations: { allocated, reserved = [] } }) => [
          ...own,
          allocated,
          ...reserved,
        ]),
      ),
      fc.oneof(fc.string(), fc.constantFrom('online', 'hami-core', 'true', '[]')),
      { maxKeys: 2 },
    ),
    fc.boolean(),
  )
  .map(([sound, broken, isSpoilt]) => (isSpoilt ? { ...sound, ...broken } : sound));

const anyPod: fc.Arbitrary<PodJson> = fc
  .record({
    containers: fc.array(anyContainer, { minLength: 1, maxLength: 3 }),
    annotations: anyAnnotations,
  })
  .map(({ containers, annotations }) =>
    makePod({ containers: [...containers, { limits: {} }], annotations }),
  );

/** The families as they are by default, or with settings that change what admission does. */
const anyVendors: fc.Arbitrary<readonly Vendor[]> = fc
  .record({ overwriteEnv: fc.boolean(), factor: fc.constantFrom(0, 1, 256, 1000), vnpuCore: fc.boolean() })
  .map(({ overwriteEnv, factor, vnpuCore }) => {
    const { vnpus, hygon, nvidia, ...others } = everyBlock();
    const configs = vnpus.configs.map((chip) => ({
      ...chip,
      overwriteEnv,
      memoryFactor: factor,
      runtimeClassName: 'ascend',
    }));
    return makeVendors({
      vendors: {
        ...others,
        vnpus: { ...vnpus, configs, hamiVnpuCore: vnpuCore },
        hygon: { ...hygon, memoryFactor: factor },
        nvidia: { ...nvidia, overwriteEnv },
      },
    });
  });

function namedAmounts({ spec }: PodJson) {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ resources }) => ({
    limits: resources?.limits ?? {},
    requests: resources?.requests ?? {},
  }));
}

describe('a pod', () => {
  it('with whatever amounts and annotations is read by every family without a throw', () => {
    fc.assert(
      fc.property(anyPod, anyVendors, (raw, vendors) => {
        const { containers, annotations } = podFrom(raw);
        for (const vendor of vendors) {
          for (const container of containers) {
            const reading = vendor.request(container, annotations);
            if (!reading.ok) expect(reading.problems.length).toBeGreaterThan(0);
            const request = reading.ok ? reading.request : reading.charge;
            if (request !== undefined) {
              expect(request).toMatchObject({ vendor: vendor.key });
              expect([request.count, request.corePercent].every(isNatural)).toBe(true);
              expect(request.count).toBeGreaterThan(0);
              expect(request.corePercent).toBeLessThanOrEqual(100);
            }
            vendor.mutate(container, annotations);
          }
          vendor.annotatePod?.(annotations);
        }
        new FamiliesWorld({ name: node }, { vendors }).read(raw);
      }),
      { numRuns: 500 },
    );
  });

  it('that is admitted is as admission wants it, has nothing wrong with it, and requests what its limits say', () => {
    const seen = { allowed: 0, changed: 0, denied: 0 };
    fc.assert(
      fc.property(anyPod, anyVendors, (raw, vendors) => {
        const world = new FamiliesWorld({ name: node }, { vendors });
        const answer = world.review(raw);
        if (!answer.allowed) {
          seen.denied += 1;
          expect(answer.message).not.toBe('');
          return;
        }
        seen.allowed += 1;
        if (answer.patch.length > 0) seen.changed += 1;
        const after = applyPatch(raw, answer.patch);
        expect(world.review(after)).toMatchObject({ allowed: true, patch: [] });
        expect(world.read(after).problems).toEqual([]);
        for (const { limits, requests } of namedAmounts(after)) {
          for (const [name, value] of Object.entries(requests))
            expect([name, limits[name]]).toEqual([name, value]);
        }
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(seen.allowed, seen.changed, seen.denied)).toBeGreaterThan(100);
  });

  it('is read by its containers and the annotations that families declare, and by nothing else', () => {
    const keys = everyVendor.flatMap(({ annotations: { useIds, useTypes, allocated, reserved = [] } }) => [
      useIds ?? 'x',
      useTypes ?? 'x',
      allocated,
      ...reserved,
    ]);
    fc.assert(
      fc.property(anyPod, fc.dictionary(fc.constantFrom(...keys), fc.string()), (raw, more) => {
        const { containers, annotations } = podFrom(raw);
        const all = { ...annotations, ...more };
        for (const vendor of everyVendor) {
          const declared = Object.fromEntries(
            Object.entries(all).filter(([key]) => vendor.podAnnotations?.includes(key)),
          );
          for (const container of containers) {
            expect(vendor.request(container, all)).toEqual(vendor.request(container, declared));
            expect(vendor.mutate(container, all)).toEqual(vendor.mutate(container, declared));
          }
          const pod = { containers, annotations: all };
          expect(readContainers(pod, [vendor])).toEqual(
            readContainers({ containers, annotations: declared }, [vendor]),
          );
        }
      }),
      runs,
    );
  });
});
