/** Plugins that publish a register: who is alive, and what of a register counts. */
import { describe, expect, it } from '@jest/globals';
import { publishedDevices } from '../../src/vendors/published-devices.ts';
import { nodeObject } from '../state/support/device-states.ts';

const annotation = 'example.com/register';
const countResource = 'example.com/card';
const card = { id: 'a', count: 4, devmem: 1000, devcore: 100, type: 'X', health: true };
const profile = { name: '1g', memoryMB: 500, core: 50, sliceCount: 1, placements: [{ start: 0, size: 1 }] };

function published(register: unknown, offered = '4', canBeCut?: true) {
  const node = nodeObject({
    annotations: { [annotation]: typeof register === 'string' ? register : JSON.stringify(register) },
    allocatable: { [countResource]: offered },
  });
  const source = { vendor: 'X', annotation, countResource };
  return publishedDevices(node, canBeCut === undefined ? source : { ...source, canBeCut });
}

describe('published devices', () => {
  it.each([
    {
      name: 'are offered while kubelet offers their resource',
      register: [card],
      offered: '4',
      want: 'devices',
    },
    { name: 'are away while it offers none', register: [card], offered: '0', want: 'unavailable' },
    { name: 'are not known from a broken register', register: 'X', offered: '4', want: 'malformed' },
  ])('$name', ({ register, offered, want }) => {
    expect(published(register, offered).kind).toBe(want);
  });

  it('are cut into instances only where the family can', () => {
    const register = [{ ...card, mode: 'mig', migProfiles: [profile] }];
    expect(published(register, '4', true)).toMatchObject({
      devices: [{ mode: 'mig', migProfiles: [{ name: '1g' }] }],
    });
    const whole = published(register);
    expect(whole).toMatchObject({ devices: [{ id: 'a', mode: '' }] });
    expect(JSON.stringify(whole)).not.toContain('migProfiles');
  });
});
