/**
 * The rows of all families side by side: no two use one name for different things, tenants may write nothing of what a
 * Binding says, and the lists for the cluster's own objects leave nothing out.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { managedResources, manifestParts, manifestText } from '../../src/commands/manifest-lists.ts';
import { reservedAnnotations } from '../../src/vendors/pod-annotations.ts';
import { resourceNames, type Vendor } from '../../src/vendors/vendor.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { type Card, familyParts, nodeFields } from './families/arbitrary-nodes.ts';
import { everyVendor, FamiliesWorld } from './families/families-world.ts';

type Texts = Readonly<Record<string, string>>;

/** Asks for one card of each vendor by its count resource, and for an MLU as its plugin wants it. */
function limitsOf({ key, resources }: Vendor): Texts {
  const slice = { [resources.memory ?? '']: '4', [resources.cores ?? '']: '10' };
  return { [resources.count]: '1', ...(key === 'MLU' ? slice : {}) };
}

/** Cards of every vendor on one node: each kind of chip publishes for itself. */
function nodeOfAll() {
  const chips = ['Ascend910B3', 'Ascend910B4', 'Ascend910C', 'Ascend310P'] as const;
  const parts = chips.flatMap((chip) => Object.values(familyParts(chip)));
  const healthy = (cards: readonly Card[]) => cards.map((card) => ({ ...card, healthy: true }));
  const chosen = parts.flatMap((part) =>
    fc
      .sample(part, { numRuns: 20, seed: 1 })
      .filter(({ cards }) => cards.length > 1)
      .slice(0, 1),
  );
  return nodeFields({ name: 'n1', parts: chosen }, healthy);
}

/** What the Binding of a pod that asks for one vendor's cards says. */
function bindingOf(vendor: Vendor, fields: PodFields = {}): Texts {
  const world = new FamiliesWorld(nodeOfAll());
  const raw = world.admit({ ...fields, containers: [{ limits: limitsOf(vendor) }] });
  const bound = raw === undefined ? undefined : world.bind(raw);
  if (bound === undefined) throw new Error(`a pod for ${vendor.key} does not fit`);
  return bound.metadata?.annotations ?? {};
}

const published = everyVendor.filter(
  ({ key }) => !['Ascend910A', 'Ascend910B2', 'Ascend910B4-1'].includes(key),
);

describe('what a Binding says', () => {
  it.each(published.map((vendor) => ({ vendor, name: vendor.key })))(
    'is reserved for the scheduler, or is what users say themselves: $name',
    ({ vendor }) => {
      const own = Object.keys(bindingOf(vendor));
      const users = vendor.podAnnotations ?? [];
      expect(own).toEqual(
        expect.arrayContaining([vendor.annotations.allocated, vendor.annotations.toAllocate]),
      );
      expect(
        own.filter((key) => !reservedAnnotations(everyVendor).includes(key) && !users.includes(key)),
      ).toEqual([]);
    },
  );

  it.each(published.map((vendor) => ({ vendor, name: vendor.key })))(
    'is the same whatever a tenant wrote in its place: $name',
    ({ vendor }) => {
      const honest = bindingOf(vendor);
      const reserved = reservedAnnotations(everyVendor);
      const forged = Object.fromEntries(reserved.map((key) => [key, 'GPU-0,NVIDIA,1,1:;']));
      expect(bindingOf(vendor, { annotations: forged })).toEqual(honest);
    },
  );

  it('reserves nothing that a family wants users to write', () => {
    const users = everyVendor.flatMap(({ podAnnotations = [], annotations }) => {
      const { useTypes, avoidTypes, useIds, avoidIds, modes, numaBound } = annotations;
      return [...podAnnotations, useTypes, avoidTypes, useIds, avoidIds, modes, numaBound];
    });
    expect(reservedAnnotations(everyVendor).filter((key) => users.includes(key))).toEqual([]);
  });
});

/** Each name with those who use it, where it is more than one. */
function sharedNames(namesOf: (vendor: Vendor) => readonly (string | undefined)[]) {
  const users = new Map<string, string[]>();
  for (const vendor of everyVendor)
    for (const name of namesOf(vendor))
      if (name !== undefined) users.set(name, [...(users.get(name) ?? []), vendor.key]);
  return [...users].filter(([, keys]) => keys.length > 1).map(([name]) => name);
}

describe('no two vendors share', () => {
  const cases = [
    { name: 'a key', of: ({ key }: Vendor) => [key] },
    { name: 'a key but for its case', of: ({ key }: Vendor) => [key.toLowerCase()] },
    { name: 'a resource', of: resourceNames },
    {
      name: 'an annotation of allocations',
      of: ({ annotations }: Vendor) => [annotations.allocated, annotations.toAllocate],
    },
    {
      name: 'an annotation of selections',
      of: ({ annotations: { useTypes, avoidTypes, useIds, avoidIds, modes, numaBound } }: Vendor) => [
        useTypes,
        avoidTypes,
        useIds,
        avoidIds,
        modes,
        numaBound,
      ],
    },
    { name: 'a handshake', of: ({ handshakeAnnotation }: Vendor) => [handshakeAnnotation] },
    {
      name: 'an annotation in which cards are published',
      // By this one a machine says how it slices its chips, of whatever kind.
      of: ({ nodeAnnotations }: Vendor) => nodeAnnotations.filter((key) => key !== 'hami-vnpu-core'),
    },
  ];
  it.each(cases)('$name', ({ of }) => {
    expect(everyVendor.flatMap(of).length).toBeGreaterThan(5);
    expect(sharedNames(of)).toEqual([]);
  });
});

describe('the manifests', () => {
  interface Manifests {
    readonly matchConditions: readonly { readonly expression: string }[];
    readonly managedResources: readonly { readonly name: string; readonly ignoredByScheduler: boolean }[];
  }
  const manifests = parse(manifestText(everyVendor, manifestParts)) as Manifests;
  const names = everyVendor.flatMap(resourceNames);

  it('list every resource of every family once', () => {
    expect(manifests.managedResources.map(({ name }) => name)).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
    expect(managedResources(everyVendor)).toEqual(manifests.managedResources);
  });

  it('leave to kube-scheduler exactly what plugins advertise', () => {
    const counted = manifests.managedResources
      .filter((one) => !one.ignoredByScheduler)
      .map(({ name }) => name);
    const mlu = ['cambricon.com/mlu.smlu.vmemory', 'cambricon.com/mlu.smlu.vcore'];
    const counts = everyVendor.filter(({ key }) => key !== 'MLU').map(({ resources }) => resources.count);
    expect(counted.toSorted()).toEqual([...counts, ...mlu].toSorted());
  });

  it('send the webhook every pod that names a resource of any family, or a reserved annotation', () => {
    const [condition] = manifests.matchConditions;
    for (const name of [...names, ...reservedAnnotations(everyVendor)])
      expect(condition?.expression).toContain(JSON.stringify(name));
  });
});
