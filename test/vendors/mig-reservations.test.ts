import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  formatReservations,
  parseReservations,
} from '../../src/emulator/node-agent/reservation-annotation.ts';
import type { Allocation, Share } from '../../src/model/allocation.ts';
import type { MigInstance } from '../../src/model/mig.ts';
import {
  decodeMigReservations,
  encodeMigReservations,
  type MigReservation,
} from '../../src/vendors/mig-reservations.ts';
import { damagedText } from './damaged-text.ts';
import { makeShare } from './make-share.ts';

const twoG: MigInstance = { profile: '2g.10gb', placement: { start: 2, size: 2 } };
const oneG: MigInstance = { profile: '1g.5gb', placement: { start: 6, size: 1 } };
const cut = (deviceId: string, mig: MigInstance, vendor = 'NVIDIA'): Share => ({
  ...makeShare(deviceId, 9984, 29, vendor),
  mig,
});
const plain = makeShare('GPU-p');

/** Spec §1.10, as the scheduler writes it and as the plugin leaves it. */
const planned =
  '[{"containerIndex":0,"deviceIndex":0,"gpuUUID":"GPU-a","profile":"2g.10gb","placement":{"start":2,"size":2}}]';
const made =
  '[{"containerIndex":0,"deviceIndex":0,"gpuUUID":"GPU-a","profile":"2g.10gb","placement":{"start":2,"size":2},"migUUID":"MIG-xxxx","gpuInstanceID":4,"computeInstanceID":0}]';
const reservation: MigReservation = { containerIndex: 0, deviceIndex: 0, deviceId: 'GPU-a', instance: twoG };
const runtime = { migUuid: 'MIG-xxxx', gpuInstanceId: 4, computeInstanceId: 0 };

describe('encodeMigReservations writes the five keys of the scheduler in their order (spec §1.10)', () => {
  const cases: { name: string; allocation: Allocation; want: string | undefined }[] = [
    { name: "the spec's example", allocation: [[cut('GPU-a', twoG)]], want: planned },
    {
      name: 'two instances of one card, and one in a later container behind an init container without any',
      allocation: [[], [cut('GPU-a', twoG), cut('GPU-a', oneG)], [cut('GPU-b', oneG)]],
      want: '[{"containerIndex":1,"deviceIndex":0,"gpuUUID":"GPU-a","profile":"2g.10gb","placement":{"start":2,"size":2}},{"containerIndex":1,"deviceIndex":1,"gpuUUID":"GPU-a","profile":"1g.5gb","placement":{"start":6,"size":1}},{"containerIndex":2,"deviceIndex":0,"gpuUUID":"GPU-b","profile":"1g.5gb","placement":{"start":6,"size":1}}]',
    },
    {
      name: 'a plain card counts in the device index and is not listed',
      allocation: [[plain, cut('GPU-a', twoG)]],
      want: planned.replace('"deviceIndex":0', '"deviceIndex":1'),
    },
    {
      name: "another vendor's device neither counts nor is listed",
      allocation: [[makeShare('DCU-0', 1, 1, 'DCU'), cut('DCU-1', oneG, 'DCU'), cut('GPU-a', twoG)]],
      want: planned,
    },
    { name: 'nothing for plain cards', allocation: [[plain], [plain, plain]], want: undefined },
    { name: 'nothing for no devices', allocation: [[], []], want: undefined },
    { name: 'nothing for no containers', allocation: [], want: undefined },
    {
      name: "nothing for another vendor's instances",
      allocation: [[cut('DCU-1', oneG, 'DCU')]],
      want: undefined,
    },
  ];
  it.each(cases)('$name', ({ allocation, want }) => {
    expect(encodeMigReservations(allocation, 'NVIDIA')).toBe(want);
  });
});

describe('decodeMigReservations', () => {
  const second = planned.slice(1, -1).replace('"deviceIndex":0', '"deviceIndex":1');
  const cases: { name: string; value: string; want: readonly MigReservation[] }[] = [
    { name: 'what the scheduler wrote', value: planned, want: [reservation] },
    {
      name: 'what the plugin completed; an id of 0 is one',
      value: made,
      want: [{ ...reservation, runtime }],
    },
    {
      name: 'both ids 0',
      value: made.replace('"gpuInstanceID":4', '"gpuInstanceID":0'),
      want: [{ ...reservation, runtime: { ...runtime, gpuInstanceId: 0 } }],
    },
    {
      name: 'one made and one not',
      value: `${made.slice(0, -1)},${second}]`,
      want: [
        { ...reservation, runtime },
        { ...reservation, deviceIndex: 1 },
      ],
    },
    {
      name: 'one device index in two containers',
      value: `${planned.slice(0, -1)},${planned.slice(1).replace('"containerIndex":0', '"containerIndex":1')}`,
      want: [reservation, { ...reservation, containerIndex: 1 }],
    },
    { name: 'no reservation', value: '[]', want: [] },
    {
      name: 'keys in another order, and unknown ones',
      value:
        '[{"later":1,"placement":{"size":2,"start":2,"later":1},"profile":"2g.10gb","gpuUUID":"GPU-a","deviceIndex":0,"containerIndex":0}]',
      want: [reservation],
    },
    {
      name: 'the largest numbers of 32 bits',
      value: planned.replaceAll('Index":0', 'Index":2147483647').replace('"start":2', '"start":2147483647'),
      want: [
        {
          ...reservation,
          containerIndex: 2147483647,
          deviceIndex: 2147483647,
          instance: { ...twoG, placement: { start: 2147483647, size: 2 } },
        },
      ],
    },
  ];
  it.each(cases)('reads $name', ({ value, want }) => {
    expect(decodeMigReservations(value)).toEqual({ ok: true, value: want });
  });

  const changed = (from: string, to: string, value = made) => {
    const text = value.replace(from, to);
    if (text === value) throw new Error(`a test changes nothing: ${from}`);
    return text;
  };
  const bad: { name: string; value: string; wantProblem: RegExp }[] = [
    { name: 'the empty text', value: '', wantProblem: /^not valid JSON: / },
    { name: 'JSON cut short', value: made.slice(0, -1), wantProblem: /^not valid JSON: / },
    { name: 'null', value: 'null', wantProblem: /must be array/ },
    { name: 'an object', value: '{}', wantProblem: /must be array/ },
    { name: 'a null element', value: '[null]', wantProblem: /^0: / },
    { name: 'a list in the list', value: `[${planned}]`, wantProblem: /^0: / },
    { name: 'no container index', value: changed('"containerIndex":0,', ''), wantProblem: /containerIndex/ },
    { name: 'no device index', value: changed('"deviceIndex":0,', ''), wantProblem: /deviceIndex/ },
    { name: 'no card', value: changed('"gpuUUID":"GPU-a",', ''), wantProblem: /gpuUUID/ },
    { name: 'no profile', value: changed('"profile":"2g.10gb",', ''), wantProblem: /profile/ },
    {
      name: 'no placement',
      value: changed('"placement":{"start":2,"size":2},', ''),
      wantProblem: /placement/,
    },
    {
      name: 'a null placement',
      value: changed('{"start":2,"size":2}', 'null'),
      wantProblem: /^0\.placement: /,
    },
    { name: 'no start', value: changed('"start":2,', ''), wantProblem: /start/ },
    { name: 'no size', value: changed(',"size":2', ''), wantProblem: /size/ },
    { name: 'an empty card', value: changed('GPU-a', ''), wantProblem: /^0\.gpuUUID: / },
    { name: 'an empty profile', value: changed('2g.10gb', ''), wantProblem: /^0\.profile: / },
    {
      name: 'a negative index',
      value: changed('Index":0', 'Index":-1'),
      wantProblem: /^0\.containerIndex: /,
    },
    {
      name: 'a fractional index',
      value: changed('Index":0', 'Index":0.5'),
      wantProblem: /^0\.containerIndex: /,
    },
    {
      name: 'an index in words',
      value: changed('Index":0', 'Index":"0"'),
      wantProblem: /^0\.containerIndex: /,
    },
    { name: 'a null index', value: changed('Index":0', 'Index":null'), wantProblem: /^0\.containerIndex: / },
    {
      name: 'an index beyond 32 bits',
      value: changed('Index":0', 'Index":2147483648'),
      wantProblem: /^0\.containerIndex: /,
    },
    {
      name: 'a negative start',
      value: changed('"start":2', '"start":-2'),
      wantProblem: /^0\.placement\.start: /,
    },
    { name: 'a size of 0', value: changed('"size":2', '"size":0'), wantProblem: /^0\.placement\.size: / },
    {
      name: 'a negative size',
      value: changed('"size":2', '"size":-2'),
      wantProblem: /^0\.placement\.size: /,
    },
    {
      name: 'a size beyond 32 bits',
      value: changed('"size":2', '"size":2147483648'),
      wantProblem: /^0\.placement\.size: /,
    },
    {
      name: 'an instance without its UUID',
      value: changed('"migUUID":"MIG-xxxx",', ''),
      wantProblem: /migUUID/,
    },
    { name: 'an instance with an empty UUID', value: changed('MIG-xxxx', ''), wantProblem: /^0\.migUUID: / },
    {
      name: 'an instance without GPU id',
      value: changed('"gpuInstanceID":4,', ''),
      wantProblem: /gpuInstanceID/,
    },
    {
      name: 'an instance without compute id',
      value: changed(',"computeInstanceID":0', ''),
      wantProblem: /computeInstanceID/,
    },
    {
      name: 'only the UUID of an instance',
      value: changed(',"gpuInstanceID":4,"computeInstanceID":0', ''),
      wantProblem: /gpuInstanceID/,
    },
    {
      name: 'only a GPU id of 0',
      value: changed('}}]', '},"gpuInstanceID":0}]', planned),
      wantProblem: /migUUID/,
    },
    {
      name: 'a negative id',
      value: changed('"gpuInstanceID":4', '"gpuInstanceID":-1'),
      wantProblem: /^0\.gpuInstanceID: /,
    },
    {
      name: 'one place twice',
      value: `${made.slice(0, -1)},${planned.slice(1)}`,
      wantProblem: /^container 0 has two reservations for its device 0$/,
    },
    { name: 'a good one before a bad one', value: `${made.slice(0, -1)},{}]`, wantProblem: /^1: / },
  ];
  it.each(bad)('refuses whole: $name', ({ value, wantProblem }) => {
    const decoded = decodeMigReservations(value);
    expect(decoded.ok ? decoded : decoded.problem).toEqual(expect.stringMatching(wantProblem));
  });
});

describe('any reservations', () => {
  const placement = fc.record({ start: fc.nat({ max: 7 }), size: fc.integer({ min: 1, max: 8 }) });
  const instance = fc.record<MigInstance>({
    profile: fc.constantFrom('1g.5gb', '1g.5gb+me', '3g.20gb'),
    placement,
  });
  const ids = fc.constantFrom('GPU-a', 'GPU-b', 'GPU-"quoted"');
  const share = fc.oneof(
    fc.tuple(ids, instance).map(([id, mig]) => cut(id, mig)),
    ids.map((id) => makeShare(id)),
    fc.constant(makeShare('DCU-0', 1, 1, 'DCU')),
  );
  const allocations = fc.array(fc.array(share, { maxLength: 4 }), { maxLength: 4 });

  it('come back as what the allocation holds, to the scheduler and to the plugin', () => {
    fc.assert(
      fc.property(allocations, (allocation) => {
        const value = encodeMigReservations(allocation, 'NVIDIA');
        const own = allocation.map((shares) => shares.filter(({ vendor }) => vendor === 'NVIDIA'));
        const want = own.flatMap((shares, containerIndex) =>
          shares.flatMap(({ deviceId, mig }, deviceIndex) =>
            mig === undefined ? [] : [{ containerIndex, deviceIndex, deviceId, instance: mig }],
          ),
        );
        expect(value === undefined).toBe(want.length === 0);
        if (value === undefined) return;
        expect(decodeMigReservations(value)).toEqual({ ok: true, value: want });
        const seen = parseReservations(value);
        expect(seen.ok && formatReservations(seen.value)).toBe(value);
      }),
    );
  });

  it('are read with what the plugin adds', () => {
    const added = fc.record({
      migUuid: fc.constant('MIG-1'),
      gpuInstanceId: fc.nat(),
      computeInstanceId: fc.nat(),
    });
    fc.assert(
      fc.property(allocations, added, (allocation, ids_) => {
        const seen = parseReservations(encodeMigReservations(allocation, 'NVIDIA') ?? '[]');
        const completed = formatReservations(
          (seen.ok ? seen.value : []).map((one) => ({ ...one, made: ids_ })),
        );
        const decoded = decodeMigReservations(completed);
        expect(
          decoded.ok &&
            decoded.value.every(({ runtime: read }) => read?.gpuInstanceId === ids_.gpuInstanceId),
        ).toBe(true);
        expect(decoded.ok && decoded.value.length).toBe(seen.ok && seen.value.length);
      }),
    );
  });

  it('with pieces damaged, or no reservations at all, are a sentence or sound', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.json(),
      damagedText([planned, made, `${made.slice(0, -1)},${planned.slice(1)}`]),
    );
    fc.assert(
      fc.property(text, (value) => {
        const decoded = decodeMigReservations(value);
        if (!decoded.ok) {
          expect(decoded.problem).not.toBe('');
          return;
        }
        const places = decoded.value.map(
          ({ containerIndex, deviceIndex }) => `${containerIndex}/${deviceIndex}`,
        );
        expect(new Set(places).size).toBe(places.length);
        for (const { deviceId, instance: read } of decoded.value) {
          expect(deviceId !== '' && read.profile !== '').toBe(true);
          expect(read.placement.start >= 0 && read.placement.size > 0).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
