/** The MLUs that a node has by kubelet's amounts (vendors §3.2, §3.3). */
import { describe, expect, it } from '@jest/globals';
import type { Device } from '../../src/model/device.ts';
import { cambriconFamily } from '../../src/vendors/cambricon/cambricon.ts';
import { countedResources } from '../../src/vendors/vendor.ts';
import { nodeObject } from '../state/support/device-states.ts';
import { defaultVendorsConfig } from './default-config.ts';
import { VendorWorld } from './vendor-world.ts';

const vcore = 'cambricon.com/mlu.smlu.vcore';
const vmemory = 'cambricon.com/mlu.smlu.vmemory';
const config = { ...defaultVendorsConfig().cambricon, enabled: true };
const vendors = cambriconFamily.make(config);
const [mlu] = vendors;
if (mlu === undefined) throw new Error('no vendor');

const amounts = (cores: string | number, units: string | number) => ({
  [vcore]: String(cores),
  [vmemory]: String(units),
});
const twoCards = { name: 'n1', allocatable: amounts(200, 192) };

describe('the block of the configuration', () => {
  it('is off by default, with the names of HAMi’s chart', () => {
    expect(defaultVendorsConfig().cambricon).toEqual({
      enabled: false,
      resourceCountName: 'cambricon.com/vmlu',
      resourceMemoryName: vmemory,
      resourceCoreName: vcore,
    });
  });

  it.each(['resourceCountName', 'resourceMemoryName', 'resourceCoreName'])(
    'makes no vendor without %s: neither cards nor slices could be told',
    (name) => {
      expect(cambriconFamily.make({ ...config, [name]: '' })).toEqual([]);
    },
  );

  it('takes the names of one model, and kubelet counts those', () => {
    const names = { resourceCoreName: 'cambricon.com/mlu370.smlu.vcore' };
    const [named] = cambriconFamily.make({ ...config, ...names });
    if (named === undefined) throw new Error('no vendor');
    expect(countedResources(named)).toEqual([names.resourceCoreName, vmemory]);
    const node = { allocatable: { [names.resourceCoreName]: '100', [vmemory]: '96' } };
    expect(named.discover(nodeObject(node))).toMatchObject({ devices: [{ memoryMiB: 24_576 }] });
    expect(mlu.discover(nodeObject(node)).kind).toBe('unavailable');
  });
});

describe('the cards of a node', () => {
  it('are as many as its compute fills, with ids of their own (vendors §3.2)', () => {
    const card = (slot: number): Device => ({
      id: `n1-cambricon-mlu-${slot}`,
      vendor: 'MLU',
      index: slot,
      type: 'MLU',
      slots: 100,
      memoryMiB: 24_576,
      corePercent: 100,
      numa: 0,
      mode: 'dynamic-smlu',
      healthy: true,
    });
    expect(mlu.discover(nodeObject(twoCards))).toEqual({ kind: 'devices', devices: [card(0), card(1)] });
  });

  const sizes: { name: string; cores: number; units: number; wantCards: number; wantMiB: number }[] = [
    { name: 'one unit of each', cores: 1, units: 1, wantCards: 1, wantMiB: 25_600 },
    { name: 'two cards of 512 GiB', cores: 200, units: 4096, wantCards: 2, wantMiB: 524_288 },
    { name: 'a share that is no whole number of MiB', cores: 300, units: 193, wantCards: 3, wantMiB: 16_469 },
    { name: 'half a card too many', cores: 150, units: 96, wantCards: 2, wantMiB: 16_384 },
    // A plugin without `--min-dsmlu-unit 256` makes 100 units of a card, whatever its size. Shares of it stay shares:
    // half of the units are half of the card, only the figures in MiB are not its own.
    { name: 'a plugin with its default unit', cores: 800, units: 800, wantCards: 8, wantMiB: 25_600 },
  ];
  it.each(sizes)('$name: $wantCards of $wantMiB MiB', ({ cores, units, wantCards, wantMiB }) => {
    const discovery = mlu.discover(nodeObject({ allocatable: amounts(cores, units) }));
    if (discovery.kind !== 'devices') throw new Error(discovery.kind);
    expect(discovery.devices.map(({ memoryMiB }) => memoryMiB)).toEqual(Array(wantCards).fill(wantMiB));
  });

  const without = [
    { name: 'a node that never had a plugin', allocatable: {}, wantKind: 'none' },
    { name: 'amounts that kubelet has set to 0', allocatable: amounts(0, 0), wantKind: 'unavailable' },
    { name: 'compute alone', allocatable: { [vcore]: '100' }, wantKind: 'unavailable' },
    { name: 'memory alone', allocatable: { [vmemory]: '96' }, wantKind: 'unavailable' },
    {
      name: 'a plugin that has just gone: capacity without anything allocatable',
      allocatable: amounts(0, 0),
      capacity: amounts(200, 192),
      wantKind: 'unavailable',
    },
    {
      name: 'memory of which nothing is allocatable',
      allocatable: amounts(200, 0),
      capacity: amounts(200, 192),
      wantKind: 'unavailable',
    },
    { name: 'amounts that are none', allocatable: amounts('many', '1.5'), wantKind: 'unavailable' },
    { name: 'more cards than a machine has', allocatable: amounts('1e12', '1e12'), wantKind: 'unavailable' },
    { name: 'larger cards than there are', allocatable: amounts(100, '1e12'), wantKind: 'unavailable' },
  ];
  it.each(without)('$name: $wantKind', ({ wantKind, ...fields }) => {
    expect(mlu.discover(nodeObject(fields)).kind).toBe(wantKind);
  });

  it('say why they are not on offer', () => {
    const world = new VendorWorld({ vendors, nodes: [{ allocatable: amounts(0, 192) }] });
    expect(world.state.view('n1')?.unavailable.get('MLU')).toContain(`${vcore} is 0`);
  });
});

describe('cards follow kubelet’s amounts (vendors §19.9)', () => {
  const pod = { containers: [{ limits: { 'cambricon.com/vmlu': '1', [vmemory]: '10', [vcore]: '10' } }] };

  it('go with their plugin and return with their charges', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    world.bind(pod);
    world.see({ name: 'n1', allocatable: amounts(0, 0), capacity: amounts(200, 192) });
    expect(world.used()).toEqual({});
    expect(world.refusal(pod)).toBe('NodeUnregistered');
    world.see({ name: 'n1', allocatable: amounts(0, 0) });
    expect(world.used()).toEqual({});
    world.see(twoCards);
    expect(world.used()).toEqual({ 'n1-cambricon-mlu-0': '0/0/0', 'n1-cambricon-mlu-1': '1/2560/10' });
  });

  it('keep their ids while one is ill, and no more is given out than works', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    world.see({ name: 'n1', allocatable: amounts(100, 96), capacity: amounts(200, 192) });
    expect(Object.keys(world.used())).toEqual(['n1-cambricon-mlu-0', 'n1-cambricon-mlu-1']);
    const limits = { 'cambricon.com/vmlu': '1', [vmemory]: '10', [vcore]: '60' };
    world.bind({ name: 'first', containers: [{ limits }] });
    expect(world.refusal({ containers: [{ limits }] })).toBe('NodeCountExhausted');
    const slim = { ...limits, [vmemory]: '87', [vcore]: '10' };
    expect(world.refusal({ containers: [{ limits: slim }] })).toBe('NodeCountExhausted');
    expect(world.refusal({ containers: [{ limits: { ...slim, [vmemory]: '86' } }] })).toBe('fits');
  });

  it('are read anew when capacity alone has changed', () => {
    const world = new VendorWorld({ vendors, nodes: [{ ...twoCards, capacity: amounts(300, 288) }] });
    expect(Object.keys(world.used())).toHaveLength(3);
    world.see(twoCards);
    expect(Object.keys(world.used())).toHaveLength(2);
  });

  it('can be closed by hand, because amounts do not tell which card is ill', () => {
    const annotations = { 'hami.io/device-cordon': 'n1-cambricon-mlu-1' };
    const world = new VendorWorld({ vendors, nodes: [{ ...twoCards, annotations }] });
    expect(world.cards(pod)).toEqual([['n1-cambricon-mlu-0']]);
  });
});

describe('the model of a node’s cards', () => {
  const typeBy = (labels: Record<string, string>) => {
    const discovery = mlu.discover(nodeObject({ ...twoCards, labels }));
    return discovery.kind === 'devices' ? discovery.devices.map(({ type }) => type) : [];
  };
  const labels: { name: string; labels: Record<string, string>; want: string }[] = [
    { name: 'is not known without the plugin’s label', labels: {}, want: 'MLU' },
    { name: 'is the label’s', labels: { Model: 'MLU370-S4' }, want: 'MLU370-S4' },
    { name: 'may be written small and with spaces', labels: { Model: ' mlu590 ' }, want: 'mlu590' },
    { name: 'is not what others label so', labels: { Model: 'PowerEdge-R750' }, want: 'MLU' },
    { name: 'is not an empty label', labels: { Model: '' }, want: 'MLU' },
  ];
  it.each(labels)('$name', ({ labels: given, want }) => {
    expect(typeBy(given)).toEqual([want, want]);
  });

  // The reference knows the keys and reads them nowhere; later versions do, as here. A pod that names a model waits for
  // a node with the label instead of getting any card.
  const selections: { annotation: string; value: string; model?: string; want: string }[] = [
    { annotation: 'use-mlutype', value: 'MLU370', model: 'MLU370-S4', want: 'fits' },
    { annotation: 'use-mlutype', value: 'mlu590, mlu370', model: 'MLU370-S4', want: 'fits' },
    { annotation: 'use-mlutype', value: 'MLU590', model: 'MLU370-S4', want: '2 CardTypeMismatch' },
    { annotation: 'use-mlutype', value: 'MLU590', want: '2 CardTypeMismatch' },
    { annotation: 'use-mlutype', value: 'MLU', want: 'fits' },
    { annotation: 'use-mlutype', value: ' ', model: 'MLU370-S4', want: 'fits' },
    { annotation: 'nouse-mlutype', value: 'MLU370', model: 'MLU370-S4', want: '2 CardTypeMismatch' },
    { annotation: 'nouse-mlutype', value: 'MLU590', model: 'MLU370-S4', want: 'fits' },
    { annotation: 'nouse-mlutype', value: 'MLU370', want: 'fits' },
  ];
  it.each(selections)('$annotation: $value on $model: $want', ({ annotation, value, model, want }) => {
    const given = model === undefined ? {} : { Model: model };
    const world = new VendorWorld({ vendors, nodes: [{ ...twoCards, labels: given }] });
    const pod = {
      annotations: { [`cambricon.com/${annotation}`]: value },
      containers: [{ limits: { 'cambricon.com/vmlu': '1', [vmemory]: '10', [vcore]: '10' } }],
    };
    expect(world.refusal(pod)).toBe(want);
  });

  it('is read anew when the label alone has changed, and is no word of an allocation', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    world.see({ ...twoCards, labels: { Model: 'MLU370-S4' } });
    expect(world.state.view('n1')?.devices[0]?.device.type).toBe('MLU370-S4');
    const limits = { 'cambricon.com/vmlu': '1', [vmemory]: '10', [vcore]: '10' };
    expect(world.bind({ containers: [{ limits }] })).toMatchObject({
      'hami.io/cambricon-mlu-devices-allocated': 'n1-cambricon-mlu-1,MLU,2560,10:;',
    });
  });
});
