import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { devicesOf } from '../../../src/emulator/node-agent/node-description.ts';
import { formatRegister, shuffled } from '../../../src/emulator/node-agent/register-annotation.ts';
import { compareDevices } from '../../../src/model/device.ts';
import { parseRegister } from '../../../src/vendors/register.ts';
import { makeDevice } from '../../support/views.ts';
import { twoV100s } from '../../vendors/register-examples.ts';

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

  it('leaves out the health of an ill card', () => {
    const ill = makeDevice({ id: 'GPU-a', type: 'NVIDIA A10', healthy: false });
    expect(formatRegister([ill])).toBe(
      '[{"id":"GPU-a","count":10,"devmem":8192,"devcore":100,"type":"NVIDIA A10","mode":"hami-core"}]',
    );
  });

  it('is read back as the same devices, whatever their order', () => {
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
        expect(parseRegister(formatRegister(order), 'NVIDIA')).toEqual({
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
  const idsOf = (name: string) =>
    devicesOf({ name, cpu: '8', memory: '32Gi', gpus }, 'NVIDIA').map(({ id }) => id);

  it('makes ids of NVML’s shape, the same in every run and different everywhere', () => {
    const ids = [...idsOf('n1'), ...idsOf('n2')];
    for (const id of ids) expect(id).toMatch(/^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(4);
    expect(idsOf('n1')).toEqual(ids.slice(0, 2));
  });
});
