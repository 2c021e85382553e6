import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { configuredWorkload } from '../../src/scheduler/configured-workload.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { makeSelector } from '../support/requests.ts';

function workloadOf(workload: readonly object[], vendors: object = {}) {
  const loaded = loadConfig({ environment: {}, flags: { fragmentation: { workload }, vendors } });
  if (!loaded.ok) throw new Error(loaded.problem);
  const { config } = loaded.value;
  return configuredWorkload(config.fragmentation, makeVendors(config));
}

const whole = { vendor: 'NVIDIA', count: 1, memory: { kind: 'percent', percent: 100 }, corePercent: 0 };
const host = { cpuMilli: 0, memoryMiB: 0 };

describe('a workload in the configuration', () => {
  it.each([
    {
      name: 'an empty entry is one whole card of the first vendor',
      entry: {},
      want: { ...whole, ...host, weight: 1 },
    },
    {
      name: 'an entry with everything',
      entry: {
        resource: 'nvidia.com/gpu',
        cards: 2,
        memoryMiB: 8192,
        cores: 30,
        cpuMilli: 4000,
        hostMemoryMiB: 1024,
        types: ['A100'],
        weight: 2.5,
      },
      want: {
        vendor: 'NVIDIA',
        count: 2,
        memory: { kind: 'mib', memoryMiB: 8192 },
        corePercent: 30,
        selector: makeSelector({ useTypes: ['a100'] }),
        cpuMilli: 4000,
        memoryMiB: 1024,
        weight: 2.5,
      },
    },
    {
      name: 'memory in percent',
      entry: { memoryPercent: 50 },
      want: { ...whole, ...host, memory: { kind: 'percent', percent: 50 }, weight: 1 },
    },
    {
      name: 'no card',
      entry: { cards: 0, cpuMilli: 2000 },
      want: {
        count: 0,
        memory: { kind: 'mib', memoryMiB: 0 },
        corePercent: 0,
        cpuMilli: 2000,
        memoryMiB: 0,
        weight: 1,
      },
    },
  ])('knows $name', ({ entry, want }) => {
    expect(workloadOf([entry])).toEqual([want]);
  });

  it('finds vendors by the resource that counts their cards', () => {
    const vendors = { hygon: { enabled: true }, nvidia: { resourceCountName: 'example.com/gpu' } };
    const workload = workloadOf([{ resource: 'example.com/gpu' }, { resource: 'hygon.com/dcunum' }], vendors);
    expect(workload.map(({ vendor }) => vendor)).toEqual(['NVIDIA', 'DCU']);
  });

  it('has nothing of vendors where there are none', () => {
    expect(workloadOf([{}], { nvidia: { enabled: false } })).toEqual([]);
  });
});
