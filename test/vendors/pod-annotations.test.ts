import { describe, expect, it } from '@jest/globals';
import { reservedAnnotations, reservedLabels } from '../../src/vendors/pod-annotations.ts';
import { nvidia } from './nvidia-config.ts';

const owned = [
  'hami.io/bind-phase',
  'hami.io/bind-time',
  'hami.io/vgpu-mig-allocations',
  'hami.io/vgpu-node',
  'hami.io/vgpu-time',
  'tessera.io/kinds',
  'tessera.io/seal',
];

const vendor = nvidia();

describe('what a tenant may not set (spec §1.8, Q25)', () => {
  it('is every annotation of scheduler and plugin, with the allocations of each vendor', () => {
    expect([...reservedAnnotations([vendor])].sort()).toEqual(
      [...owned, 'hami.io/vgpu-devices-allocated', 'hami.io/vgpu-devices-to-allocate'].sort(),
    );
  });

  it('does not shrink below the common ones without vendors', () => {
    expect([...reservedAnnotations([])].sort()).toEqual(owned);
  });

  it('leaves the annotations for users alone', () => {
    const { useTypes, avoidTypes, useIds, avoidIds, modes } = vendor.annotations;
    const forUsers = [useTypes, avoidTypes, useIds, avoidIds, modes, 'hami.io/gpu-scheduler-policy'];
    expect(reservedAnnotations([vendor]).filter((key) => forUsers.includes(key))).toEqual([]);
  });

  it('is the label by which the monitor lists pods', () => {
    expect(reservedLabels).toEqual(['hami.io/vgpu-node']);
  });
});
