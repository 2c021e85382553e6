import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLease } from '../../src/wire/lease.ts';

const spec = {
  holderIdentity: 's-1_0b5f',
  leaseDurationSeconds: 15,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  renewTime: '2026-01-01T00:00:02.000000Z',
  leaseTransitions: 1,
};

function recordOf(value: unknown): string {
  const lease = parseLease(value);
  if (!lease.ok) throw new Error(lease.problem);
  return lease.value.record;
}

describe('a lease', () => {
  it('names its holder and how long the others wait', () => {
    const lease = parseLease({ metadata: { name: 'x' }, spec });
    expect(lease).toMatchObject({
      ok: true,
      value: { holder: { identity: 's-1_0b5f', durationMs: 15_000 } },
    });
  });

  it.each([
    { name: 'was given up', spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 } },
    { name: 'was never taken', spec: {} },
    { name: 'says nothing at all', spec: null },
  ])('that $name has no holder', ({ spec: given }) => {
    const lease = parseLease({ spec: given });
    expect(lease.ok && lease.value.holder === undefined).toBe(true);
  });

  it.each([
    { name: 'taken by another', change: { holderIdentity: 's-2_1c' } },
    { name: 'taken anew', change: { acquireTime: '2026-01-01T00:00:01.000000Z', leaseTransitions: 2 } },
    { name: 'renewed', change: { renewTime: '2026-01-01T00:00:04.000000Z' } },
    { name: 'held for longer', change: { leaseDurationSeconds: 30 } },
  ])('has another record when it is $name', ({ change }) => {
    expect(recordOf({ spec: { ...spec, ...change } })).not.toBe(recordOf({ spec }));
  });

  it('has the same record whatever else is written on it', () => {
    const noted = {
      metadata: { resourceVersion: '9', labels: { a: 'b' } },
      spec: { ...spec, strategy: 'x' },
    };
    expect(recordOf(noted)).toBe(recordOf({ spec }));
  });

  it.each([
    { name: 'is no object', value: 'lease' },
    { name: 'is held for no stated time', value: { spec: { holderIdentity: 'a_b' } } },
    { name: 'is held for no time', value: { spec: { ...spec, leaseDurationSeconds: 0 } } },
    { name: 'is held for part of a second', value: { spec: { ...spec, leaseDurationSeconds: 0.5 } } },
    { name: 'is held for longer than a day', value: { spec: { ...spec, leaseDurationSeconds: 86_401 } } },
    { name: 'has a holder that is no text', value: { spec: { ...spec, holderIdentity: ['a_b'] } } },
  ])('that $name is refused', ({ value }) => {
    expect(parseLease(value).ok).toBe(false);
  });

  it('of any content is read or refused', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (value, field) => {
        parseLease(value);
        parseLease({ spec: { ...spec, holderIdentity: field } });
        parseLease({ spec: { ...spec, leaseDurationSeconds: field } });
      }),
    );
  });
});
