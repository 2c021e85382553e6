import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Device } from '../../src/model/device.ts';
import { parseRegister } from '../../src/vendors/register.ts';
import { registerValue } from '../support/kubernetes-objects.ts';
import { damagedText } from './damaged-text.ts';
import { migCard, nineFields, sevenFields, twoV100s, withPairScore } from './register-examples.ts';

/** Whatever came in: an answer that the rest of the house can rely on, or a sentence. */
function expectSound(annotation: string): void {
  const result = parseRegister(annotation, 'NVIDIA');
  if (!result.ok) {
    expect(result.problem).not.toBe('');
    return;
  }
  const devices = result.value;
  expect(devices.length).toBeGreaterThan(0);
  expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length);
  for (const { id, index, slots, memoryMiB, corePercent, numa } of devices) {
    expect(id).toMatch(/^[^,:;\s]+$/);
    for (const amount of [index, slots, memoryMiB, corePercent]) {
      expect(Number.isInteger(amount) && amount >= 0 && amount < 2 ** 31).toBe(true);
    }
    expect(Number.isInteger(numa)).toBe(true);
  }
}

describe('parseRegister withstands everything', () => {
  it('arbitrary text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectSound), { numRuns: 2000 });
  });

  it('arbitrary JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(fc.jsonValue()).map((value) => JSON.stringify(value)),
        ),
        expectSound,
      ),
      { numRuns: 500 },
    );
  });

  it('records whose fields have arbitrary values', () => {
    const field = fc.oneof(fc.jsonValue(), fc.integer(), fc.string());
    const keys = ['id', 'index', 'count', 'devmem', 'devcore', 'type', 'numa', 'mode', 'health'];
    const record = fc.record(Object.fromEntries(keys.map((key) => [key, field])), { requiredKeys: [] });
    const withId = fc.tuple(fc.string(), record).map(([id, rest]) => ({ id, ...rest }));
    fc.assert(
      fc.property(fc.array(withId), (records) => {
        expectSound(JSON.stringify(records));
      }),
      { numRuns: 500 },
    );
  });

  it('valid values with pieces damaged', () => {
    const valid = [twoV100s, withPairScore, migCard, sevenFields, nineFields, nineFields + sevenFields];
    fc.assert(fc.property(damagedText(valid), expectSound), { numRuns: 3000 });
  });
});

function encodeCsv(devices: readonly Device[]): string {
  return devices
    .map(({ id, slots, memoryMiB, corePercent, type, numa, healthy, index, mode }) =>
      [id, slots, memoryMiB, corePercent, type, numa, healthy, index, mode].join(',').concat(':'),
    )
    .join('');
}

describe('parseRegister undoes the encoders, in any order of devices', () => {
  const int32 = fc.nat({ max: 2 ** 31 - 1 });
  const devices = fc.uniqueArray(
    fc.record<Device>({
      id: fc.stringMatching(/^GPU-[0-9a-f-]{1,12}$/),
      vendor: fc.constant('NVIDIA'),
      index: int32,
      type: fc.constantFrom('', 'NVIDIA A10', 'NVIDIA-Tesla V100-PCIE-32GB', 'NVIDIA H100 80GB HBM3'),
      slots: int32,
      memoryMiB: int32,
      corePercent: int32,
      numa: fc.integer({ min: -1, max: 8 }),
      mode: fc.constantFrom('hami-core', 'mig', 'mps'),
      healthy: fc.boolean(),
    }),
    { minLength: 1, maxLength: 16, selector: ({ id }) => id },
  );
  const shuffled = devices.chain((list) =>
    fc.record({
      list: fc.constant(list),
      other: fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
    }),
  );
  const byId = (list: readonly Device[]) => new Map(list.map((device) => [device.id, device]));

  it.each([
    { name: 'JSON', encode: registerValue },
    { name: 'CSV', encode: encodeCsv },
  ])('$name', ({ encode }) => {
    fc.assert(
      fc.property(shuffled, ({ list, other }) => {
        const result = parseRegister(encode(list), 'NVIDIA');
        expect(result.ok && byId(result.value)).toEqual(byId(list));
        expect(parseRegister(encode(other), 'NVIDIA')).toEqual(result);
      }),
    );
  });
});
