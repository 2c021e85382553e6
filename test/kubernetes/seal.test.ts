import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Sealer } from '../../src/kubernetes/seal.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { nvidiaVendors, podObject } from '../state/support/device-states.ts';
import { dcuVendor } from '../state/support/second-vendor.ts';

const key = Buffer.alloc(32, 1);
const sealer = new Sealer(key, nvidiaVendors);
const allocated = 'hami.io/vgpu-devices-allocated';
const value = 'GPU-a,NVIDIA,3000,30:;';
const annotations = { [allocated]: value };
const seal = sealer.seal('uid-1', 'n1', annotations);

function boundPod(fields: PodFields = {}) {
  return podObject({
    uid: 'uid-1',
    nodeName: 'n1',
    ...fields,
    annotations: { ...annotations, 'tessera.io/seal': seal, ...fields.annotations },
  });
}

describe('the seal', () => {
  it('is a version and 256 bits that fit in an annotation', () => {
    expect(seal).toMatch(/^v1\.[\w-]{43}$/);
    expect(sealer.seal('uid-1', 'n1', annotations)).toBe(seal);
  });

  it('holds for the pod it was made for, whatever else the pod carries', () => {
    expect(sealer.isSealed(boundPod())).toBe(true);
    const consumed = {
      'hami.io/vgpu-devices-to-allocate': ';;',
      'hami.io/bind-phase': 'success',
      more: 'yes',
    };
    expect(sealer.isSealed(boundPod({ annotations: consumed, phase: 'Running' }))).toBe(true);
  });

  it.each<{ name: string; fields: PodFields }>([
    { name: 'another UID, as after a copy of the annotations', fields: { uid: 'uid-2' } },
    { name: 'another node', fields: { nodeName: 'n2' } },
    { name: 'less memory', fields: { annotations: { [allocated]: 'GPU-a,NVIDIA,1,30:;' } } },
    { name: 'another card', fields: { annotations: { [allocated]: 'GPU-b,NVIDIA,3000,30:;' } } },
    { name: 'no allocation', fields: { annotations: { [allocated]: '' } } },
    { name: 'no seal', fields: { annotations: { 'tessera.io/seal': '' } } },
    { name: 'part of the seal', fields: { annotations: { 'tessera.io/seal': seal.slice(0, -1) } } },
    {
      name: 'another version of the seal',
      fields: { annotations: { 'tessera.io/seal': seal.replace('v1', 'v2') } },
    },
    {
      name: 'wide characters in the seal',
      fields: { annotations: { 'tessera.io/seal': 'é'.repeat(seal.length) } },
    },
  ])('breaks with $name', ({ fields }) => {
    expect(sealer.isSealed(boundPod(fields))).toBe(false);
  });

  it('breaks when the allocation is taken off', () => {
    const pod = podObject({ uid: 'uid-1', nodeName: 'n1', annotations: { 'tessera.io/seal': seal } });
    expect(sealer.isSealed(pod)).toBe(false);
  });

  it('is not asked of a pod that is not bound', () => {
    const pending = podObject({ uid: 'uid-1', annotations: boundPod().annotations });
    expect(sealer.isSealed(pending)).toBe(false);
    const forNowhere = sealer.seal('uid-1', '', annotations);
    expect(
      sealer.isSealed({ ...pending, annotations: { ...annotations, 'tessera.io/seal': forNowhere } }),
    ).toBe(false);
  });

  it('cannot be made without the key', () => {
    const forger = new Sealer(Buffer.alloc(32, 2), nvidiaVendors);
    const forged = forger.seal('uid-1', 'n1', annotations);
    expect(sealer.isSealed(boundPod({ annotations: { 'tessera.io/seal': forged } }))).toBe(false);
  });

  it('covers every vendor’s value under its own key, in any order of vendors and annotations', () => {
    const both = [...nvidiaVendors, dcuVendor];
    const [first, second] = both.map((vendor) => vendor.annotations.allocated) as [string, string];
    const one = new Sealer(key, both);
    const other = new Sealer(key, [...both].reverse());
    const sealed = one.seal('u', 'n', { [first]: 'a', [second]: 'b' });
    expect(other.seal('u', 'n', { [second]: 'b', [first]: 'a' })).toBe(sealed);
    expect(one.seal('u', 'n', { [first]: 'b', [second]: 'a' })).not.toBe(sealed);
    expect(one.seal('u', 'n', { [first]: 'a' })).not.toBe(one.seal('u', 'n', { [second]: 'a' }));
    expect(one.seal('u', 'n', { [first]: 'a' })).not.toBe(one.seal('u', 'n', { [first]: 'a', [second]: '' }));
  });

  it('differs for one text cut into parts at different places', () => {
    // With digits and the mark behind a length, a cut can be made to look like another one.
    const text = fc.string({ unit: fc.constantFrom('1', '2', ':', 'é'), maxLength: 8 });
    const cut = fc.nat({ max: 8 });
    const sealOf = (parts: readonly [string, string, string]) =>
      sealer.seal(parts[0], parts[1], { [allocated]: parts[2] });
    const cutAt = (whole: string, one: number, two: number) => {
      const [first, second] = [Math.min(one, two), Math.max(one, two)];
      return [whole.slice(0, first), whole.slice(first, second), whole.slice(second)] as const;
    };
    fc.assert(
      fc.property(text, fc.tuple(cut, cut, cut, cut), (whole, [a, b, c, d]) => {
        const [one, other] = [cutAt(whole, a, b), cutAt(whole, c, d)];
        expect(sealOf(one) === sealOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('covers the kinds of the shares, and holds without them where it was made without', () => {
    const kinds = { 'tessera.io/kinds': '{"Ascend910B3":[["soft"]]}' };
    const others = { 'tessera.io/kinds': '{"Ascend910B3":[["hard"]]}' };
    const withKinds = sealer.seal('uid-1', 'n1', { ...annotations, ...kinds });
    const bound = (seen: TextMap) =>
      sealer.isSealed(boundPod({ annotations: { 'tessera.io/seal': withKinds, ...seen } }));
    expect([bound(kinds), bound(others), bound({})]).toEqual([true, false, false]);
    expect([sealer.isSealed(boundPod()), sealer.isSealed(boundPod({ annotations: kinds }))]).toEqual([
      true,
      false,
    ]);
  });

  it('is the same as ever for an allocation without kinds', () => {
    expect(seal).toBe('v1.sXPtM77i25lRMRhmhPBmIxgDfEBYLtBQcXqCtNv33uo');
  });

  it('covers what was reserved of MIG cards, and not what the plugin adds to it later', () => {
    const reserved = 'hami.io/vgpu-mig-allocations';
    const planned = {
      containerIndex: 0,
      deviceIndex: 0,
      gpuUUID: 'GPU-a',
      profile: '2g.10gb',
      placement: { start: 2, size: 2 },
    };
    const made = { ...planned, migUUID: 'MIG-1', gpuInstanceID: 0, computeInstanceID: 0 };
    const sealOf = (value: unknown) =>
      sealer.seal('u', 'n', {
        ...annotations,
        [reserved]: typeof value === 'string' ? value : JSON.stringify(value),
      });
    expect(sealOf([made])).toBe(sealOf([planned]));
    expect(sealOf([{ ...planned, placement: { start: 0, size: 2 } }])).not.toBe(sealOf([planned]));
    expect(sealOf([])).not.toBe(sealOf([planned]));
    expect(sealOf('[{]')).not.toBe(sealOf('[]'));
    expect(sealOf([])).not.toBe(sealer.seal('u', 'n', annotations));
  });
});
