/** Whole MetaX GPUs from what kubelet offers to a Binding (vendors §7); the vectors of HAMi's own tables among them. */
import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { metaxFamily } from '../../src/vendors/metax/metax.ts';
import { countedResources, type Discovery } from '../../src/vendors/vendor.ts';
import { nodeObject } from '../state/support/device-states.ts';
import type { ContainerObjectFields, NodeFields } from '../support/kubernetes-objects.ts';
import { vendorsOf } from './family-vendors.ts';
import { makeContainer } from './make-container.ts';
import { gpuVendor, losses, scores } from './metax-world.ts';
import { VendorWorld } from './vendor-world.ts';

const gpu = 'metax-tech.com/gpu';

function gpuNode(count: number, annotations: TextMap = {}, name = 'n1'): NodeFields {
  return { name, annotations, allocatable: { [gpu]: String(count) } };
}

function world(...nodes: readonly NodeFields[]): VendorWorld {
  return new VendorWorld({ vendors: [gpuVendor!], nodes });
}

function podWith(...counts: readonly (number | undefined)[]) {
  const containers: ContainerObjectFields[] = counts.map((count) =>
    count === undefined ? {} : { limits: { [gpu]: String(count) } },
  );
  return { containers };
}

describe('the block', () => {
  it('makes a vendor for each count resource that has a name', () => {
    const keys = (names: object) => vendorsOf(metaxFamily, names).map(({ key }) => key);
    expect(keys({})).toEqual(['Metax-GPU', 'Metax-SGPU']);
    expect(keys({ resourceCountName: '' })).toEqual(['Metax-SGPU']);
    expect(keys({ resourceVCountName: '' })).toEqual(['Metax-GPU']);
    expect(keys({ resourceCountName: '', resourceVCountName: '' })).toEqual([]);
  });

  it('is off unless somebody switches it on', () => {
    expect(metaxFamily.settings.properties.enabled.default).toBe(false);
  });
});

describe('a whole GPU', () => {
  it('is given whole, in both annotations and in nothing else of the vendor', () => {
    const annotations = world(gpuNode(8)).bind(podWith(1));
    const written = Object.entries(annotations).filter(([key]) => key.includes('metax'));
    expect(Object.fromEntries(written)).toEqual({
      'hami.io/metax-gpu-devices-to-allocate': 'n1-metax-7,Metax-GPU,65536,100:;',
      'hami.io/metax-gpu-devices-allocated': 'n1-metax-7,Metax-GPU,65536,100:;',
    });
  });

  it('knows no lock and no selection, and kubelet counts it', () => {
    expect(gpuVendor!.nodeLock).toBeUndefined();
    expect(gpuVendor!.annotations).toEqual({
      allocated: 'hami.io/metax-gpu-devices-allocated',
      toAllocate: 'hami.io/metax-gpu-devices-to-allocate',
    });
    expect(countedResources(gpuVendor!)).toEqual([gpu]);
  });

  it('is asked for as a whole card', () => {
    expect(gpuVendor!.request(makeContainer({ limits: { [gpu]: '2' } }), {})).toEqual({
      ok: true,
      request: { vendor: 'Metax-GPU', count: 2, memory: { kind: 'percent', percent: 100 }, corePercent: 100 },
      warnings: [],
    });
    expect(gpuVendor!.request(makeContainer(), {})).toEqual({ ok: true, warnings: [] });
  });

  it('is asked for in whole numbers', () => {
    expect(world().problems({ containers: [{ limits: { [gpu]: '500m' } }] })).toEqual([
      expect.stringContaining('has a fraction'),
    ]);
  });

  it('makes a pod ours at admission', () => {
    const admitted = world(gpuNode(8)).admit({ ...podWith(1), schedulerName: 'default-scheduler' });
    expect(admitted).toMatchObject({ spec: { schedulerName: 'tessera-scheduler' } });
  });

  it('is used up by one container', () => {
    const cluster = world(gpuNode(2));
    cluster.bind({ ...podWith(1), name: 'a' });
    cluster.bind({ ...podWith(1), name: 'b' });
    expect(cluster.used()).toEqual({ 'n1-metax-0': '1/65536/100', 'n1-metax-1': '1/65536/100' });
    expect(cluster.refusal(podWith(1))).toBe('2 CardTimeSlicingExhausted');
  });

  it('is not the same for two containers of a pod: the reference refuses the second (§7.11)', () => {
    expect(world(gpuNode(4)).cards(podWith(2, undefined, 1))).toEqual([
      ['n1-metax-3', 'n1-metax-2'],
      [],
      ['n1-metax-1'],
    ]);
    expect(world(gpuNode(2)).refusal(podWith(2, 1))).toBe('2 CardTimeSlicingExhausted');
  });
});

describe('discover', () => {
  const discover = (fields: NodeFields): Discovery => gpuVendor!.discover(nodeObject(fields));

  it('makes as many cards as kubelet offers', () => {
    const found = discover(gpuNode(2));
    expect(found).toMatchObject({
      kind: 'devices',
      devices: [
        { id: 'n1-metax-0', index: 0 },
        { id: 'n1-metax-1', index: 1 },
      ],
    });
    expect(found.kind === 'devices' && found.devices[1]).toEqual({
      id: 'n1-metax-1',
      vendor: 'Metax-GPU',
      index: 1,
      type: 'Metax-GPU',
      slots: 1,
      memoryMiB: 65_536,
      corePercent: 100,
      numa: 0,
      mode: '',
      healthy: true,
      facts: {},
    });
  });

  it.each([
    { name: 'a node without the resource has none of the family', allocatable: {}, want: 'none' },
    { name: 'a plugin that is gone offers nothing', allocatable: { [gpu]: '0' }, want: 'unavailable' },
    { name: 'text is no count', allocatable: { [gpu]: 'many' }, want: 'unavailable' },
    { name: 'no node has a million cards', allocatable: { [gpu]: '1000000' }, want: 'unavailable' },
  ])('$name', ({ allocatable, want }) => {
    expect(discover({ allocatable }).kind).toBe(want);
  });

  it('forgets cards that kubelet offers no more, whatever was there before', () => {
    const cluster = world(gpuNode(8));
    cluster.see(gpuNode(0));
    expect(cluster.used()).toEqual({});
    expect(cluster.refusal(podWith(1))).toBe('NodeUnregistered');
  });

  it('never gives more than kubelet offers, though a pod holds a card whose number is gone', () => {
    const cluster = world(gpuNode(3));
    cluster.bind({ ...podWith(1), name: 'holds n1-metax-2' });
    cluster.see(gpuNode(2));
    expect(cluster.refusal(podWith(2))).toBe('NodeCountExhausted');
    expect(cluster.refusal(podWith(1))).toBe('fits');
  });
});

describe('the tables of links', () => {
  const sample = '{"1":0,"2":110,"3":270,"4":540,"5":580,"6":730,"7":930,"8":1240}';

  it('become facts about the cards, up to as many as there are', () => {
    const found = gpuVendor!.discover(nodeObject(gpuNode(3, { [losses]: sample, [scores]: '{"2":90}' })));
    expect(found.kind === 'devices' && found.devices.map(({ facts }) => facts)).toEqual(
      Array(3).fill({ losses1: 0, losses2: 110, losses3: 270, scores2: 90 }),
    );
  });

  it.each([
    ['no JSON', 'cpu:123,gpu:321'],
    ['a list', '[1,2]'],
    ['nothing', 'null'],
    ['a text for a number', '{"1":"0"}'],
    ['a fraction', '{"1":0.5}'],
    ['a key that is no count', '{"one":1}'],
    ['an empty text', ''],
  ])('are left out with a word about it where one is %s; the cards and the other table stay', (_, value) => {
    const found = gpuVendor!.discover(nodeObject(gpuNode(2, { [losses]: value, [scores]: '{"2":90}' })));
    expect(found).toMatchObject({ kind: 'devices', problem: expect.stringContaining(losses) });
    expect(found.kind === 'devices' && found.devices.map(({ facts }) => facts)).toEqual(
      Array(2).fill({ scores2: 90 }),
    );
  });

  const rateOf = (count: number, annotations: TextMap, policy: 'binpack' | 'spread') => {
    const found = gpuVendor!.discover(nodeObject(gpuNode(8, annotations)));
    const cards = (found.kind === 'devices' ? found.devices : []).map((device) => ({
      device,
      used: { slots: 0, memoryMiB: 0, corePercent: 0 },
      kinds: [],
    }));
    const reading = gpuVendor!.request(makeContainer({ limits: { [gpu]: String(count) } }), {});
    if (!reading.ok || reading.request === undefined) throw new Error('no request');
    const chosen = [{ wanted: reading.request, cards: cards.slice(0, count) }];
    return gpuVendor!.cardRules?.rating?.rate(chosen, cards, policy);
  };

  it.each([
    {
      name: 'packing: 2000 less the loss',
      annotations: { [losses]: '{"1":100,"2":200}' },
      count: 2,
      policy: 'binpack',
      wantPoints: 1800,
    },
    {
      name: 'spreading: the score',
      annotations: { [scores]: '{"1":100,"2":200}' },
      count: 1,
      policy: 'spread',
      wantPoints: 100,
    },
    {
      name: 'one card loses nothing',
      annotations: { [losses]: sample },
      count: 1,
      policy: 'binpack',
      wantPoints: 2000,
    },
    { name: 'two', annotations: { [losses]: sample }, count: 2, policy: 'binpack', wantPoints: 1890 },
    { name: 'three', annotations: { [losses]: sample }, count: 3, policy: 'binpack', wantPoints: 1730 },
    { name: 'four', annotations: { [losses]: sample }, count: 4, policy: 'binpack', wantPoints: 1460 },
    { name: 'five', annotations: { [losses]: sample }, count: 5, policy: 'binpack', wantPoints: 1420 },
    { name: 'six', annotations: { [losses]: sample }, count: 6, policy: 'binpack', wantPoints: 1270 },
    { name: 'seven', annotations: { [losses]: sample }, count: 7, policy: 'binpack', wantPoints: 1070 },
    { name: 'eight', annotations: { [losses]: sample }, count: 8, policy: 'binpack', wantPoints: 760 },
    {
      name: 'a table beyond the scale',
      annotations: { [losses]: '{"2":5000}' },
      count: 2,
      policy: 'binpack',
      wantPoints: 0,
    },
    {
      name: 'a table below it',
      annotations: { [scores]: '{"2":-5}' },
      count: 2,
      policy: 'spread',
      wantPoints: 0,
    },
  ] as const)('rate a node in parts of 2000: $name', ({ annotations, count, policy, wantPoints }) => {
    expect(rateOf(count, annotations, policy)).toBeCloseTo(wantPoints / 2000);
  });

  const scoreOn = (cluster: VendorWorld, node: string, policy: string, count: number) => {
    const annotations = { 'hami.io/node-scheduler-policy': policy };
    const planned = cluster.plan({ ...podWith(count), annotations }, node);
    if (!planned.ok) throw new Error('refused');
    return planned.score;
  };

  it.each(['binpack', 'spread'])('rank a node without any between a good and a bad one (%s)', (policy) => {
    const cluster = world(
      gpuNode(8, { [losses]: '{"2":0}', [scores]: '{"2":110}' }, 'good'),
      gpuNode(8, {}, 'silent'),
      gpuNode(8, { [losses]: '{"2":200}', [scores]: '{"2":10}' }, 'bad'),
    );
    const byScore = ['silent', 'bad', 'good'].sort(
      (a, b) => scoreOn(cluster, b, policy, 2) - scoreOn(cluster, a, policy, 2),
    );
    expect(byScore).toEqual(['good', 'silent', 'bad']);
  });

  it.each(['binpack', 'spread'])('mean nothing for a single card (%s)', (policy) => {
    const cluster = world(
      gpuNode(8, { [losses]: sample, [scores]: sample }, 'said'),
      gpuNode(8, {}, 'silent'),
    );
    expect(scoreOn(cluster, 'said', policy, 1)).toBe(scoreOn(cluster, 'silent', policy, 1));
  });

  it('outweigh how full the nodes are', () => {
    const cluster = world(
      gpuNode(8, { [losses]: '{"2":110}' }, 'full'),
      gpuNode(8, { [losses]: '{"2":60}' }, 'idle'),
    );
    cluster.bind(podWith(5), 'full');
    expect(scoreOn(cluster, 'idle', 'binpack', 2)).toBeGreaterThan(scoreOn(cluster, 'full', 'binpack', 2));
  });
});
