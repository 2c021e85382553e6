/** The lists by which the cluster's own objects know the managed devices, from rows of vendors. */
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import {
  changesEveryPod,
  managedResources,
  manifestParts,
  manifestText,
  matchExpression,
} from '../../src/commands/manifest-lists.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';

function vendorsWith(
  vendors: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): readonly Vendor[] {
  const loaded = loadConfig({ environment: {}, flags: { vendors } });
  if (!loaded.ok) throw new Error(loaded.problem);
  return makeVendors(loaded.value.config);
}

const nvidiaOff = { nvidia: { enabled: false } };

describe('managedResources', () => {
  it('lists every name of every vendor, and hides from kube-scheduler what no node advertises', () => {
    expect(managedResources(vendorsWith({ hygon: { enabled: true } }))).toEqual([
      { name: 'nvidia.com/gpu', ignoredByScheduler: false },
      { name: 'nvidia.com/gpumem', ignoredByScheduler: true },
      { name: 'nvidia.com/gpumem-percentage', ignoredByScheduler: true },
      { name: 'nvidia.com/gpucores', ignoredByScheduler: true },
      { name: 'nvidia.com/priority', ignoredByScheduler: true },
      { name: 'hygon.com/dcunum', ignoredByScheduler: false },
      { name: 'hygon.com/dcumem', ignoredByScheduler: true },
      { name: 'hygon.com/dcucores', ignoredByScheduler: true },
    ]);
  });

  it('leaves visible what the plugin advertises, where that is not the count', () => {
    const [nvidia] = vendorsWith({});
    const vendor = {
      ...nvidia!,
      resources: { count: 'a/n', memory: 'a/m', cores: 'a/c' },
      counted: ['a/c', 'a/m'],
    };
    expect(managedResources([vendor])).toEqual([
      { name: 'a/n', ignoredByScheduler: true },
      { name: 'a/m', ignoredByScheduler: false },
      { name: 'a/c', ignoredByScheduler: false },
    ]);
  });

  it('has nothing of resources without a name, and nothing of vendors whose count has none', () => {
    const named = vendorsWith({ ...nvidiaOff, hygon: { enabled: true, resourceCoreName: '' } });
    expect(managedResources(named).map(({ name }) => name)).toEqual(['hygon.com/dcunum', 'hygon.com/dcumem']);
    expect(
      managedResources(vendorsWith({ ...nvidiaOff, hygon: { enabled: true, resourceCountName: '' } })),
    ).toEqual([]);
  });
});

describe('matchExpression', () => {
  it('names the resources and the reserved annotations of every vendor', () => {
    const text = matchExpression(vendorsWith({ ...nvidiaOff, hygon: { enabled: true } })).join('\n');
    const lists = (text.match(/\["[^\]]*\]/g) ?? []).map((list) => JSON.parse(list) as readonly string[]);
    expect(lists[0]).toEqual(['hygon.com/dcunum', 'hygon.com/dcumem', 'hygon.com/dcucores']);
    expect(lists[1]).toEqual(
      expect.arrayContaining(['hami.io/dcu-devices-allocated', 'hami.io/dcu-devices-to-allocate']),
    );
    expect(lists[1]).not.toContain('hami.io/vgpu-devices-allocated');
    expect(lists[2]).toEqual(['hami.io/vgpu-node']);
  });
});

describe('changesEveryPod', () => {
  it.each([
    { name: 'by default', nvidia: {}, want: false },
    { name: 'with an environment for containers without cards', nvidia: { overwriteEnv: true }, want: true },
    { name: 'with a policy of compute', nvidia: { gpuCorePolicy: 'disable' }, want: true },
    {
      name: 'with a runtime class, which only pods with cards get',
      nvidia: { runtimeClassName: 'x' },
      want: false,
    },
  ])('$name: $want', ({ nvidia, want }) => {
    expect(changesEveryPod(vendorsWith({ nvidia }))).toBe(want);
  });
});

describe('manifestText', () => {
  it('is YAML with the fields as the two objects want them', () => {
    const vendors = vendorsWith({});
    expect(parse(manifestText(vendors, manifestParts))).toEqual({
      matchConditions: [{ name: 'concerns-devices', expression: matchExpression(vendors).join('\n') }],
      managedResources: managedResources(vendors),
    });
  });

  it('has one part alone if asked', () => {
    expect(Object.keys(parse(manifestText(vendorsWith({}), ['scheduler'])) as object)).toEqual([
      'managedResources',
    ]);
    expect(Object.keys(parse(manifestText(vendorsWith({}), ['webhook'])) as object)).toEqual([
      'matchConditions',
    ]);
  });

  it('has no condition where every pod has to come', () => {
    const text = manifestText(vendorsWith({ nvidia: { overwriteEnv: true } }), ['webhook']);
    expect(parse(text)).toEqual({ matchConditions: [] });
    expect(text).toContain('# All pods:');
  });
});
