import { describe, expect, it } from '@jest/globals';
import type { Allocation } from '../../src/model/allocation.ts';
import { bindingMetadata } from '../../src/scheduler/binding-metadata.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import { dcuVendor } from '../state/support/second-vendor.ts';

const nowMs = 1_705_054_796_999;
const share = (deviceId: string, memoryMiB: number, corePercent: number, vendor = 'NVIDIA') => ({
  vendor,
  deviceId,
  memoryMiB,
  corePercent,
});
const layoutOf = () => 'all' as const;
const pod = { annotations: {}, containers: [] };
const metadataOf = (allocation: Allocation, node = 'node67', vendors = nvidiaVendors) =>
  bindingMetadata({ pod, allocation, node, nowMs, vendors, layoutOf });

describe('the metadata of a Binding', () => {
  it('is what the reference writes in two patches, byte for byte (spec §1.8)', () => {
    const device = 'GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448';
    const text = JSON.stringify(metadataOf([[share(device, 3000, 30)]]));
    expect(JSON.parse(text)).toEqual(
      JSON.parse(
        '{"annotations":{"hami.io/vgpu-devices-allocated":"GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448,NVIDIA,3000,30:;",' +
          '"hami.io/vgpu-devices-to-allocate":"GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448,NVIDIA,3000,30:;",' +
          '"hami.io/vgpu-node":"node67","hami.io/vgpu-time":"1705054796",' +
          '"hami.io/bind-phase":"allocating","hami.io/bind-time":"1705054796"},"labels":{"hami.io/vgpu-node":"node67"}}',
      ),
    );
  });

  const values = [
    {
      name: 'two cards',
      allocation: [[share('GPU-a', 3000, 30), share('GPU-b', 3000, 30)]],
      want: 'GPU-a,NVIDIA,3000,30:GPU-b,NVIDIA,3000,30:;',
    },
    {
      name: 'two containers',
      allocation: [[share('GPU-a', 500, 3)], [share('GPU-b', 500, 3)]],
      want: 'GPU-a,NVIDIA,500,3:;GPU-b,NVIDIA,500,3:;',
    },
    {
      name: 'a container without devices first',
      allocation: [[], [share('GPU-a', 3000, 30)]],
      want: ';GPU-a,NVIDIA,3000,30:;',
    },
    {
      name: 'a container without devices last',
      allocation: [[share('GPU-a', 3000, 30)], []],
      want: 'GPU-a,NVIDIA,3000,30:;;',
    },
  ];
  it.each(values)('aligns $name with the containers (spec §1.9)', ({ allocation, want }) => {
    const { annotations } = metadataOf(allocation);
    expect(annotations['hami.io/vgpu-devices-allocated']).toBe(want);
    expect(annotations['hami.io/vgpu-devices-to-allocate']).toBe(want);
  });

  it('writes the keys of the vendors that gave something, and no others', () => {
    const allocation = [[share('GPU-a', 1, 0)], [share('dcu-0', 2, 0, 'DCU')]];
    const vendors = [...nvidiaVendors, dcuVendor];
    const both = metadataOf(allocation, 'n1', vendors).annotations;
    expect(both['hami.io/vgpu-devices-allocated']).toBe('GPU-a,NVIDIA,1,0:;;');
    expect(both['hami.io/dcu-devices-allocated']).toBe(';dcu-0,DCU,2,0:;');
    const one = metadataOf(allocation.slice(0, 1), 'n1', vendors).annotations;
    expect(Object.keys(one).filter((key) => key.includes('dcu'))).toEqual([]);
  });

  const longest = 'a'.repeat(63);
  it.each([
    {
      name: 'a node name of 63 characters is a label too',
      node: longest,
      wantLabels: { 'hami.io/vgpu-node': longest },
    },
    { name: 'one of 64 characters is none (Q16)', node: `${longest}a`, wantLabels: {} },
  ])('$name', ({ node, wantLabels }) => {
    const metadata = metadataOf([[share('GPU-a', 1, 0)]], node);
    expect(metadata.labels).toEqual(wantLabels);
    expect(metadata.annotations['hami.io/vgpu-node']).toBe(node);
  });
});

describe('the reserved MIG instances of a Binding (spec §1.10)', () => {
  const key = 'hami.io/vgpu-mig-allocations';
  const instance = { profile: '2g.10gb', placement: { start: 2, size: 2 } };
  const cut = { ...share('GPU-a', 9984, 29), mig: instance };
  const write = (annotations: Record<string, string>, allocation: Allocation) =>
    bindingMetadata({
      pod: { annotations, containers: [] },
      allocation,
      node: 'n1',
      nowMs,
      vendors: nvidiaVendors,
      layoutOf,
    }).annotations[key];

  it('name container and place, card, profile and slices', () => {
    expect(write({}, [[], [share('GPU-b', 1, 0), cut]])).toBe(
      '[{"containerIndex":1,"deviceIndex":1,"gpuUUID":"GPU-a","profile":"2g.10gb","placement":{"start":2,"size":2}}]',
    );
  });

  it('are not written for plain cards', () => {
    expect(write({}, [[share('GPU-a', 1, 0)]])).toBeUndefined();
  });

  it('Q11: replace those that another scheduler left from another placement', () => {
    expect(write({ [key]: '[{"stale":true}]' }, [[share('GPU-a', 1, 0)]])).toBe('[]');
  });
});

describe('the kinds of the shares of a Binding', () => {
  const key = 'tessera.io/kinds';
  const soft = { ...share('dcu-0', 2, 0, 'DCU'), kind: 'soft' };
  const write = (allocation: Allocation, annotations: Record<string, string> = {}) =>
    bindingMetadata({
      pod: { annotations, containers: [] },
      allocation,
      node: 'n1',
      nowMs,
      vendors: [...nvidiaVendors, dcuVendor],
      layoutOf,
    }).annotations[key];

  it('name a word for every share of a family that has some', () => {
    const without = share('dcu-1', 2, 0, 'DCU');
    const allocation = [[], [share('GPU-a', 1, 0), soft, { ...soft, kind: 'hard' }, without]];
    expect(write(allocation)).toBe('{"DCU":[[],["soft","hard",null]]}');
  });

  it('are not written where no share has one', () => {
    expect(write([[share('GPU-a', 1, 0)]])).toBeUndefined();
  });

  it('replace those that somebody wrote before', () => {
    const forged = { [key]: '{"NVIDIA":[["x"]]}' };
    expect(write([[share('GPU-a', 1, 0)]], forged)).toBe('{}');
    expect(write([[soft]], forged)).toBe('{"DCU":[["soft"]]}');
  });
});

describe('the entries for a plugin that counts app containers alone (up to v2.8)', () => {
  const container = (role: 'init' | 'sidecar' | 'app') => ({ name: role, role, limits: {}, requests: {} });
  const given = share('GPU-a', 500, 3);
  it.each([
    {
      name: 'begin with the first app container',
      roles: ['init', 'app'],
      held: [[], [given]],
      want: 'GPU-a,NVIDIA,500,3:;',
    },
    {
      name: 'leave out sidecars, too',
      roles: ['sidecar', 'app', 'app'],
      held: [[], [], [given]],
      want: ';GPU-a,NVIDIA,500,3:;',
    },
    {
      name: 'are those of all containers where an init container holds shares',
      roles: ['init', 'app'],
      held: [[given], [given]],
      want: 'GPU-a,NVIDIA,500,3:;GPU-a,NVIDIA,500,3:;',
    },
  ] as const)('$name', ({ roles, held, want }) => {
    const { annotations } = bindingMetadata({
      pod: { annotations: {}, containers: roles.map(container) },
      allocation: held,
      node: 'n1',
      nowMs,
      vendors: nvidiaVendors,
      layoutOf: () => 'apps',
    });
    expect(annotations['hami.io/vgpu-devices-allocated']).toBe(want);
    expect(annotations['hami.io/vgpu-devices-to-allocate']).toBe(want);
  });
});
