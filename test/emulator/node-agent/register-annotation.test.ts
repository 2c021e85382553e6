import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  devicesOf,
  type GpuDescription,
  type PluginDescription,
} from '../../../src/emulator/node-agent/node-description.ts';
import { formatRegister, shuffled } from '../../../src/emulator/node-agent/register-annotation.ts';
import { compareDevices } from '../../../src/model/device.ts';
import { parseRegister } from '../../../src/vendors/register.ts';
import { makeDevice } from '../../support/views.ts';
import { nineFields, twoV100s, withPairScore } from '../../vendors/register-examples.ts';

describe('formatRegister', () => {
  it('writes the bytes of a v2.10 plugin (spec §1.2)', () => {
    const devices = devicesOf(
      {
        name: 'n1',
        cpu: '8',
        memory: '32Gi',
        gpus: [
          {
            id: 'GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448',
            type: 'Tesla V100-PCIE-32GB',
            memoryMiB: 32768,
          },
          {
            id: 'GPU-00552014-5c87-89ac-b1a6-7b53aa24b0ec',
            type: 'Tesla V100-PCIE-32GB',
            memoryMiB: 32768,
            numa: 1,
          },
        ],
      },
      'NVIDIA',
    );
    expect(formatRegister(devices)).toBe(twoV100s);
  });

  const old = [
    { version: '2.8', device: { id: 'GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448' }, want: withPairScore },
    { version: '2.9', device: { id: 'GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448' }, want: withPairScore },
  ] as const;
  it.each(old)('writes the bytes of a v$version plugin (spec §1.2)', ({ version, device, want }) => {
    const v100 = { type: 'NVIDIA-Tesla V100-PCIE-32GB', memoryMiB: 32_768, ...device };
    expect(formatRegister([makeDevice(v100)], version)).toBe(want);
  });

  it('writes the bytes of a v2.7 plugin (spec §1.3)', () => {
    const id = 'GPU-ebe7c3f7-303d-558d-435e-99a160631fe4';
    const p4 = makeDevice({ id, index: 1, type: 'NVIDIA-Tesla P4', memoryMiB: 7680 });
    expect(formatRegister([p4], '2.7')).toBe(nineFields);
    expect(formatRegister([{ ...p4, healthy: false }, p4], '2.7')).toBe(
      `${nineFields.replace('true', 'false')}${nineFields}`,
    );
  });

  it('leaves out the health of an ill card', () => {
    const ill = makeDevice({ id: 'GPU-a', type: 'NVIDIA A10', healthy: false });
    expect(formatRegister([ill])).toBe(
      '[{"id":"GPU-a","count":10,"devmem":8192,"devcore":100,"type":"NVIDIA A10","mode":"hami-core"}]',
    );
  });

  it.each(['2.7', '2.8', '2.9', '2.10'] as const)('of v%s is read back as the same devices', (version) => {
    const device = fc.record({
      slots: fc.nat(20),
      memoryMiB: fc.nat(100_000),
      corePercent: fc.nat(200),
      numa: fc.nat(3),
      healthy: fc.boolean(),
    });
    const random = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(device, { minLength: 1, maxLength: 8 }), random, (fields, chances) => {
        const devices = fields.map((some, index) => makeDevice({ ...some, index }));
        const left = [...chances];
        const order = shuffled(devices, () => left.pop() ?? 0);
        expect(parseRegister(formatRegister(order, version), 'NVIDIA')).toEqual({
          ok: true,
          value: [...devices].sort(compareDevices),
        });
      }),
    );
  });
});

describe('devicesOf', () => {
  const gpus = [
    { type: 'NVIDIA A10', memoryMiB: 24576 },
    { type: 'NVIDIA A10', memoryMiB: 24576 },
  ];
  const [first] = gpus;
  const deviceWith = (plugin: PluginDescription, gpu: Partial<GpuDescription> = {}) =>
    devicesOf({ name: 'n1', cpu: '8', memory: '32Gi', gpus: [{ ...first!, ...gpu }], plugin }, 'NVIDIA')[0];

  const scaled = [
    { name: 'neither', plugin: {}, want: { memoryMiB: 24_576, corePercent: 100 } },
    { name: 'memory up', plugin: { memoryScaling: 1.5 }, want: { memoryMiB: 36_864, corePercent: 100 } },
    { name: 'memory, cut off', plugin: { memoryScaling: 0.3 }, want: { memoryMiB: 7372, corePercent: 100 } },
    { name: 'cores up', plugin: { coreScaling: 2 }, want: { memoryMiB: 24_576, corePercent: 200 } },
    { name: 'cores, cut off', plugin: { coreScaling: 0.29 }, want: { memoryMiB: 24_576, corePercent: 28 } },
  ];
  it.each(scaled)('scales $name as the plugin does', ({ plugin, want }) => {
    expect(deviceWith(plugin)).toMatchObject(want);
  });

  const types = [
    { version: '2.7', type: 'NVIDIA A10', want: 'NVIDIA-NVIDIA A10' },
    { version: '2.7', type: 'Tesla T4', want: 'NVIDIA-Tesla T4' },
    { version: '2.8', type: 'NVIDIA A10', want: 'NVIDIA A10' },
    { version: '2.10', type: 'Tesla T4', want: 'NVIDIA-Tesla T4' },
  ] as const;
  it.each(types)('calls $type of v$version $want', ({ version, type, want }) => {
    expect(deviceWith({ version }, { type })?.type).toBe(want);
  });

  const idsOf = (name: string) =>
    devicesOf({ name, cpu: '8', memory: '32Gi', gpus }, 'NVIDIA').map(({ id }) => id);

  it('makes ids of NVML’s shape, the same in every run and different everywhere', () => {
    const ids = [...idsOf('n1'), ...idsOf('n2')];
    for (const id of ids) expect(id).toMatch(/^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(4);
    expect(idsOf('n1')).toEqual(ids.slice(0, 2));
  });
});
