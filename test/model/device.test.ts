import { describe, expect, it } from '@jest/globals';
import { type Device, isSameDevice } from '../../src/model/device.ts';
import { a100Profiles, makeMigDevice } from '../support/mig-devices.ts';
import { makeDevice } from '../support/views.ts';

describe('isSameDevice', () => {
  const plain = makeDevice();
  const linked = makeDevice({ linkScores: new Map([['gpu-1', 100]]) });
  const changes: { name: string; change: Partial<Device> }[] = [
    { name: 'id', change: { id: 'other' } },
    { name: 'vendor', change: { vendor: 'DCU' } },
    { name: 'index', change: { index: 1 } },
    { name: 'type', change: { type: 'NVIDIA A10' } },
    { name: 'slots', change: { slots: 11 } },
    { name: 'memory', change: { memoryMiB: 8191 } },
    { name: 'compute', change: { corePercent: 150 } },
    { name: 'NUMA node', change: { numa: 1 } },
    { name: 'mode', change: { mode: 'mps' } },
    { name: 'health', change: { healthy: false } },
    { name: 'profiles that come to be known', change: { migProfiles: a100Profiles } },
    { name: 'links that come to be known', change: { linkScores: new Map([['gpu-1', 100]]) } },
  ];
  it.each(changes)('differs by its $name', ({ change }) => {
    expect(isSameDevice(plain, { ...plain, ...change })).toBe(false);
    expect(isSameDevice({ ...plain, ...change }, plain)).toBe(false);
  });

  it.each([
    { name: 'a profile', a: makeMigDevice(), b: makeMigDevice({ migProfiles: a100Profiles.slice(1) }) },
    {
      name: 'a placement',
      a: makeMigDevice(),
      b: makeMigDevice({ migProfiles: a100Profiles.map((profile) => ({ ...profile, placements: [] })) }),
    },
    { name: 'points of a link', a: linked, b: makeDevice({ linkScores: new Map([['gpu-1', 200]]) }) },
    { name: 'the other end of a link', a: linked, b: makeDevice({ linkScores: new Map([['gpu-2', 100]]) }) },
    {
      name: 'one link more',
      a: linked,
      b: makeDevice({
        linkScores: new Map([
          ['gpu-1', 100],
          ['gpu-2', 0],
        ]),
      }),
    },
  ])('differs by $name', ({ a, b }) => {
    expect(isSameDevice(a, b)).toBe(false);
    expect(isSameDevice(b, a)).toBe(false);
  });

  it('is the same when read again', () => {
    expect(isSameDevice(plain, structuredClone(plain))).toBe(true);
    expect(isSameDevice(makeMigDevice(), structuredClone(makeMigDevice()))).toBe(true);
    expect(isSameDevice(linked, structuredClone(linked))).toBe(true);
  });

  it('is the same whether it says that it has no links or says nothing', () => {
    expect(isSameDevice(plain, makeDevice({ linkScores: new Map() }))).toBe(true);
  });
});
