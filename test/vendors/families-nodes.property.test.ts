/**
 * Whatever stands on a node, with every family configured: nothing throws, no card is made up, one family's nonsense is
 * no other's, and what a family declares that it reads is all that it reads. Seeds are printed.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Device } from '../../src/model/device.ts';
import { countOf } from '../../src/model/quantity.ts';
import { fingerprintOf } from '../../src/state/inventory.ts';
import { countedResources, type Discovery, resourceNames, type Vendor } from '../../src/vendors/vendor.ts';
import { makeVendors, vendorFamilies } from '../../src/vendors/vendors.ts';
import { brokenValue } from '../hami/mutations.ts';
import { nodeObject } from '../state/support/device-states.ts';
import type { NodeFields } from '../support/kubernetes-objects.ts';
import { type Chip, chipKeys, nodeFields, nodeWith } from './families/arbitrary-nodes.ts';
import { arbitraryScene, families } from './families/arbitrary-pods.ts';
import { everyBlock, everyVendor, FamiliesWorld, node } from './families/families-world.ts';

const runs = { numRuns: 300 };
/** What a family's vendors may look at on a node. */
function nodeKeys(vendors: readonly Vendor[]) {
  return {
    annotations: vendors.flatMap(({ nodeAnnotations }) => nodeAnnotations),
    labels: vendors.flatMap(({ nodeLabels = [] }) => nodeLabels),
    resources: vendors.flatMap((vendor) => [...resourceNames(vendor), ...countedResources(vendor)]),
  };
}

type Block = keyof typeof vendorFamilies;
const blocks = Object.keys(vendorFamilies) as readonly Block[];
const ofBlock = (block: Block): readonly Vendor[] => {
  const off = Object.fromEntries(
    Object.entries(everyBlock()).map(([name, own]) => [name, { ...own, enabled: name === block }]),
  );
  return makeVendors({ vendors: off as unknown as ReturnType<typeof everyBlock> });
};

const amount = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('0', '1', '8', '150', '1k', '100000', '9'.repeat(15), '1e30') },
  { weight: 2, arbitrary: fc.constantFrom('', '-1', '1.5', '500m', '16Gi', 'many', '0x10', ' 4', 'NaN') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);

/** A list with every card twice. */
function twice(value: string): string {
  return value.startsWith('[') ? value.replace(/\]$/, `,${value.slice(1)}`) : value + value;
}

/** Some keys of one block with other values: broken ones of what is there, or anything. */
function nonsense(block: Block, fields: NodeFields): fc.Arbitrary<NodeFields> {
  const keys = nodeKeys(ofBlock(block));
  const annotation = (key: string) => {
    const value = fields.annotations?.[key] ?? '[]';
    return fc.oneof(
      { weight: 6, arbitrary: brokenValue(value, '{"1":5}', 'true') },
      { weight: 1, arbitrary: fc.constant(twice(value)) },
    );
  };
  const some = (all: readonly string[], valueOf: (key: string) => fc.Arbitrary<string>) =>
    fc
      .tuple(...all.map((key) => fc.option(valueOf(key), { freq: 2, nil: undefined })))
      .map((values) =>
        Object.fromEntries(
          all.flatMap((key, index) => (values[index] === undefined ? [] : [[key, values[index]]])),
        ),
      );
  return fc
    .record({
      annotations: some(keys.annotations, annotation),
      labels: some(keys.labels, () => fc.string()),
      allocatable: some(keys.resources, () => amount),
      capacity: some(keys.resources, () => amount),
    })
    .map(({ annotations, labels, allocatable, capacity }) => ({
      ...fields,
      annotations: { ...fields.annotations, ...annotations },
      labels: { ...fields.labels, ...labels },
      allocatable: { ...fields.allocatable, ...allocatable },
      capacity: { ...fields.capacity, ...capacity },
    }));
}

const wholeNode = fc
  .constantFrom(...chipKeys)
  .chain((chip: Chip) => nodeWith(families, chip))
  .map((where) => nodeFields(where));

/** A node with cards of every family, and the same with nonsense of one. */
const spoiltNode = fc
  .tuple(wholeNode, fc.constantFrom(...blocks))
  .chain(([good, block]) =>
    fc.record({ good: fc.constant(good), block: fc.constant(block), spoilt: nonsense(block, good) }),
  );

const isNatural = (value: number) => Number.isSafeInteger(value) && value >= 0;

function isSound(device: Device, vendor: Vendor): boolean {
  const { id, slots, memoryMiB, corePercent, index } = device;
  return (
    device.vendor === vendor.key &&
    /^[^,:;\s]+$/.test(id) &&
    [slots, memoryMiB, corePercent, index].every(isNatural) &&
    Number.isInteger(device.numa)
  );
}

/** Ids as an annotation has them, whatever its form: all that stands between its marks. */
function idsIn(value: string): ReadonlySet<string> {
  const ids = new Set(value.split(/[,:]/).map((piece) => piece.trim()));
  try {
    for (const card of JSON.parse(value) as readonly Record<string, unknown>[]) {
      ids.add(String(card['id'])).add(String(card['uuid']));
    }
  } catch {
    // CSV.
  }
  return ids;
}

/** Whether the node itself speaks of each device: by its id, or by an amount for cards without ids. */
function isPublished(
  { devices }: Discovery & { readonly kind: 'devices' },
  vendor: Vendor,
  spoilt: NodeFields,
) {
  const own = nodeObject(spoilt);
  if (vendor.key === 'MLU') {
    return devices.length === Math.ceil(countOf(own.capacity['cambricon.com/mlu.smlu.vcore']) / 100);
  }
  if (vendor.key === 'Metax-GPU') return devices.length === countOf(own.allocatable['metax-tech.com/gpu']);
  const named = vendor.nodeAnnotations.flatMap((key) => [...idsIn(own.annotations[key] ?? '')]);
  return devices.every(({ id }) => named.includes(id));
}

describe('a node', () => {
  it('with nonsense of one family: nothing throws, no card is made up, and the others’ cards are as they were', () => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(spoiltNode, ({ good, block, spoilt }) => {
        const keysOfBlock = new Set(ofBlock(block).map(({ key }) => key));
        for (const vendor of everyVendor) {
          const discovery = vendor.discover(nodeObject(spoilt));
          if (!keysOfBlock.has(vendor.key)) {
            expect(discovery).toEqual(vendor.discover(nodeObject(good)));
            continue;
          }
          kinds.set(discovery.kind, (kinds.get(discovery.kind) ?? 0) + 1);
          if (discovery.kind !== 'devices') continue;
          const { devices } = discovery;
          expect(devices.length).toBeGreaterThan(0);
          expect(devices.filter((device) => !isSound(device, vendor))).toEqual([]);
          expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length);
          expect(isPublished(discovery, vendor, spoilt)).toBe(true);
        }
      }),
      runs,
    );
    expect([...kinds.keys()].sort()).toEqual(['devices', 'malformed', 'none', 'unavailable']);
  });

  it('keeps what pods hold of other families, and has everything back when the nonsense is gone', () => {
    const spoiltScene = fc.tuple(arbitraryScene(4), fc.constantFrom(...blocks)).chain(([scene, block]) =>
      fc.record({
        scene: fc.constant(scene),
        block: fc.constant(block),
        spoilt: nonsense(block, nodeFields(scene.where)),
      }),
    );
    fc.assert(
      fc.property(spoiltScene, ({ scene, block, spoilt }) => {
        const good = nodeFields(scene.where);
        const world = new FamiliesWorld(good);
        world.bindAll(scene.pods);
        const keysOfBlock = new Set(ofBlock(block).map(({ key }) => key));
        const ofOthers = () =>
          (world.state.view(node)?.devices ?? []).filter(({ device }) => !keysOfBlock.has(device.vendor));
        const [before, all] = [ofOthers(), world.state.view(node)?.devices];
        world.state.applyNode(nodeObject(spoilt));
        expect(ofOthers()).toEqual(before);
        world.state.applyNode(nodeObject(good));
        expect(world.state.view(node)?.devices).toEqual(all);
      }),
      { numRuns: 100 },
    );
  });

  it('changes a family’s cards by nothing but what the family declares', () => {
    // Not taken from the families' rows, which may leave one out.
    const annotation = fc.constantFrom(
      'hami-vnpu-core',
      'hami.io/device-cordon',
      'hami.io/node-amd-register',
      'hami.io/node-dcu-register',
      'hami.io/node-handshake-dcu',
      'hami.io/node-nvidia-register',
      'hami.io/node-nvidia-score',
      'hami.io/node-register-Ascend910C',
      'metax-tech.com/gpu.topology.losses',
      'metax-tech.com/gpu.topology.scores',
      'metax-tech.com/node-gpu-devices',
    );
    const stray = fc.tuple(
      annotation,
      fc.constantFrom(...nodeKeys(everyVendor).resources, 'cpu'),
      fc.constantFrom('Model', 'x'),
    );
    const text = fc.oneof(fc.constantFrom('true', 'false', '[]', 'MLU370', '{"1":7}'), fc.string());
    fc.assert(
      fc.property(wholeNode, fc.array(stray, { maxLength: 4 }), amount, text, (fields, keys, some, said) => {
        const changed = keys.reduce<NodeFields>(
          (all, [key, resource, label]) => ({
            ...all,
            annotations: { ...all.annotations, [key]: said },
            allocatable: { ...all.allocatable, [resource]: some },
            capacity: { ...all.capacity, [resource]: some },
            labels: { ...all.labels, [label]: said },
          }),
          fields,
        );
        const [one, other] = [nodeObject(fields), nodeObject(changed)];
        for (const vendor of everyVendor) {
          if (fingerprintOf(one, vendor) !== fingerprintOf(other, vendor)) continue;
          expect(vendor.discover(other)).toEqual(vendor.discover(one));
        }
      }),
      runs,
    );
  });
});
