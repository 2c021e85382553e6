import { describe, expect, it } from '@jest/globals';
import { heldSlices, isSameShare, type Share } from '../../src/model/allocation.ts';

const plain: Share = { vendor: 'NVIDIA', deviceId: 'GPU-a', memoryMiB: 4864, corePercent: 15 };
const cut: Share = { ...plain, mig: { profile: '1g.5gb', placement: { start: 6, size: 1 } } };
const cutAt = (start: number, deviceId = 'GPU-a'): Share => ({
  ...cut,
  deviceId,
  mig: { profile: '1g.5gb', placement: { start, size: 1 } },
});

describe('isSameShare', () => {
  it.each([
    { name: 'a plain share', a: plain, b: { ...plain }, want: true },
    { name: 'an instance', a: cut, b: structuredClone(cut), want: true },
    { name: 'another vendor', a: plain, b: { ...plain, vendor: 'DCU' }, want: false },
    { name: 'another card', a: plain, b: { ...plain, deviceId: 'GPU-b' }, want: false },
    { name: 'other memory', a: plain, b: { ...plain, memoryMiB: 1 }, want: false },
    { name: 'other compute', a: plain, b: { ...plain, corePercent: 1 }, want: false },
    { name: 'an instance and a plain share', a: cut, b: plain, want: false },
    { name: 'a plain share and an instance', a: plain, b: cut, want: false },
    { name: 'another placement', a: cut, b: cutAt(5), want: false },
    {
      name: 'another size',
      a: cut,
      b: { ...cut, mig: { profile: '1g.5gb', placement: { start: 6, size: 2 } } },
      want: false,
    },
    {
      name: 'another profile',
      a: cut,
      b: { ...cut, mig: { profile: '1g.5gb+me', placement: { start: 6, size: 1 } } },
      want: false,
    },
    { name: 'nothing', a: plain, b: undefined, want: false },
  ])('$name: $want', ({ a, b, want }) => {
    expect(isSameShare(a, b)).toBe(want);
  });
});

describe('heldSlices', () => {
  it('is empty for a pod without devices', () => {
    expect(heldSlices([[], []], ['app', 'app'], false)).toEqual({
      slices: new Map(),
      uncut: new Map(),
      kinds: new Map(),
    });
  });

  it('keeps the instances of all containers, per card, and counts the shares that name none', () => {
    const other: Share = { ...plain, vendor: 'DCU', deviceId: 'GPU-a' };
    expect(
      heldSlices(
        [[cutAt(6), cutAt(5)], [], [cutAt(4, 'GPU-b'), plain], [cutAt(3), plain, other]],
        ['init', 'app', 'app', 'app'],
        true,
      ),
    ).toEqual({
      slices: new Map([
        ['NVIDIA/GPU-a', [6, 5, 3].map((start) => ({ start, size: 1 }))],
        ['NVIDIA/GPU-b', [{ start: 4, size: 1 }]],
      ]),
      uncut: new Map([
        ['NVIDIA/GPU-a', 2],
        ['DCU/GPU-a', 1],
      ]),
      kinds: new Map(),
    });
  });

  it('keeps the kinds of all shares that have one, per card', () => {
    const online: Share = { ...plain, kind: 'online' };
    const offline: Share = { ...plain, kind: 'offline', deviceId: 'GPU-b' };
    const kinds = (initFinished: boolean) =>
      heldSlices([[online], [online, offline]], ['init', 'app'], initFinished).kinds;
    expect(kinds(false)).toEqual(
      new Map([
        ['NVIDIA/GPU-a', ['online', 'online']],
        ['NVIDIA/GPU-b', ['offline']],
      ]),
    );
    // What an init container held ends with it.
    expect(kinds(true).get('NVIDIA/GPU-a')).toEqual(['online']);
  });
});
