/** MIG profiles in the register annotation (spec §1.2), read by the scheduler as a plugin writes them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatRegister } from '../../src/emulator/node-agent/register-annotation.ts';
import type { Device } from '../../src/model/device.ts';
import type { MigProfile } from '../../src/model/mig.ts';
import { parseRegister } from '../../src/vendors/register.ts';
import { a100Profiles, makeMigDevice } from '../support/mig-devices.ts';
import { damagedText } from './damaged-text.ts';
import { migCard } from './register-examples.ts';

function profilesIn(value: string): readonly MigProfile[] | undefined | string {
  const devices = parseRegister(value, 'NVIDIA');
  return devices.ok ? devices.value[0]?.migProfiles : devices.problem;
}

/** A register whose only card has these profiles, written as JSON. */
const withProfiles = (profiles: string) => `[{"id":"GPU-a","mode":"mig","migProfiles":${profiles}}]`;
const oneG = '{"name":"1g.5gb","memoryMB":4864,"core":15,"sliceCount":1,"placements":[{"start":6,"size":1}]}';
const oneGRead = {
  name: '1g.5gb',
  memoryMiB: 4864,
  corePercent: 15,
  slices: 1,
  placements: [{ start: 6, size: 1 }],
};

describe('parseRegister reads the profiles of a card in MIG mode', () => {
  const cases: { name: string; value: string; want: readonly MigProfile[] | undefined }[] = [
    { name: "the spec's A100 with two profiles", value: migCard, want: a100Profiles.slice(0, 2) },
    { name: 'one profile', value: withProfiles(`[${oneG}]`), want: [oneGRead] },
    { name: 'a card that says nothing of profiles', value: '[{"id":"GPU-a","mode":"mig"}]', want: undefined },
    { name: 'null is the zero value, as in Go', value: withProfiles('null'), want: undefined },
    { name: 'an empty list says nothing', value: withProfiles('[]'), want: undefined },
    {
      name: 'a profile that may be nowhere',
      value: withProfiles(`[${oneG.replace('[{"start":6,"size":1}]', '[]')}]`),
      want: [{ ...oneGRead, placements: [] }],
    },
    {
      name: 'null instead of no placements, as Go writes an absent list',
      value: withProfiles(`[${oneG.replace('[{"start":6,"size":1}]', 'null')}]`),
      want: [{ ...oneGRead, placements: [] }],
    },
    {
      name: 'unknown keys in a profile and in a placement are passed over',
      value: withProfiles(`[${oneG.replace('"size":1', '"size":1,"later":2').replace('{', '{"later":{},')}]`),
      want: [oneGRead],
    },
    {
      name: 'the deprecated template beside it is passed over',
      value: withProfiles(`[${oneG}],"migtemplate":[{"name":"1g.5gb"}],"devicepairscore":{}`),
      want: [oneGRead],
    },
  ];
  it.each(cases)('$name', ({ value, want }) => {
    expect(profilesIn(value)).toEqual(want);
  });

  it('has no field for profiles on a card that names none', () => {
    const devices = parseRegister(withProfiles('[]'), 'NVIDIA');
    expect(devices.ok && Object.hasOwn(devices.value[0] ?? {}, 'migProfiles')).toBe(false);
  });
});

describe('parseRegister refuses a value with a malformed profile whole and says where', () => {
  const changed = (from: string, to: string) => withProfiles(`[${oneG},${oneG.replace(from, to)}]`);
  const at = (place: string) => new RegExp(`^0\\.migProfiles\\.1${place}: `);
  const cases: { name: string; value: string; wantProblem: RegExp }[] = [
    { name: 'profiles that are no list', value: withProfiles('{}'), wantProblem: /^0\.migProfiles: / },
    { name: 'a null profile', value: withProfiles('[null]'), wantProblem: /^0\.migProfiles\.0: / },
    { name: 'no name', value: changed('"name":"1g.5gb",', ''), wantProblem: /name/ },
    { name: 'an empty name', value: changed('1g.5gb', ''), wantProblem: at('\\.name') },
    { name: 'no memory', value: changed('"memoryMB":4864,', ''), wantProblem: /memoryMB/ },
    { name: 'a negative memory', value: changed('4864', '-1'), wantProblem: at('\\.memoryMB') },
    { name: 'a fractional memory', value: changed('4864', '4864.5'), wantProblem: at('\\.memoryMB') },
    { name: 'a memory beyond 32 bits', value: changed('4864', '2147483648'), wantProblem: at('\\.memoryMB') },
    { name: 'a memory in words', value: changed('4864', '"4864"'), wantProblem: at('\\.memoryMB') },
    { name: 'no compute', value: changed('"core":15,', ''), wantProblem: /core/ },
    { name: 'negative compute', value: changed('15', '-15'), wantProblem: at('\\.core') },
    { name: 'no slices', value: changed('"sliceCount":1,', ''), wantProblem: /sliceCount/ },
    { name: 'negative slices', value: changed('Count":1', 'Count":-1'), wantProblem: at('\\.sliceCount') },
    {
      name: 'no placements',
      value: changed(',"placements":[{"start":6,"size":1}]', ''),
      wantProblem: /placements/,
    },
    {
      name: 'a null placement',
      value: changed('{"start":6,"size":1}', 'null'),
      wantProblem: at('\\.placements\\.0'),
    },
    { name: 'a placement without start', value: changed('"start":6,', ''), wantProblem: /start/ },
    {
      name: 'a negative start',
      value: changed('"start":6', '"start":-1'),
      wantProblem: at('\\.placements\\.0\\.start'),
    },
    {
      name: 'a start beyond any card',
      value: changed('"start":6', '"start":4294967295'),
      wantProblem: at('\\.placements\\.0\\.start'),
    },
    { name: 'a placement without size', value: changed(',"size":1', ''), wantProblem: /size/ },
    {
      name: 'a placement of no size',
      value: changed('"size":1', '"size":0'),
      wantProblem: at('\\.placements\\.0\\.size'),
    },
    {
      name: 'a fractional size',
      value: changed('"size":1', '"size":1.5'),
      wantProblem: at('\\.placements\\.0\\.size'),
    },
  ];
  it.each(cases)('$name', ({ value, wantProblem }) => {
    expect(profilesIn(value)).toEqual(expect.stringMatching(wantProblem));
  });
});

describe('any profiles', () => {
  const int32 = fc.nat({ max: 2 ** 31 - 1 });
  const slice = fc.nat({ max: 16 });
  const placement = fc.record({ start: slice, size: fc.integer({ min: 1, max: 16 }) });
  const profile = fc.record<MigProfile>({
    name: fc.constantFrom('1g.5gb', '1g.5gb+me', '2g.10gb', '3g.20gb', '7g.40gb'),
    memoryMiB: fc.oneof(fc.constantFrom(4864, 9984), int32),
    corePercent: int32,
    slices: slice,
    placements: fc.uniqueArray(placement, {
      maxLength: 8,
      selector: ({ start, size }) => `${start}+${size}`,
    }),
  });
  const profiles = fc.uniqueArray(profile, { minLength: 1, maxLength: 8, selector: ({ name }) => name });
  const read = (migProfiles: readonly MigProfile[]): Device | undefined => {
    const devices = parseRegister(formatRegister([makeMigDevice({ migProfiles })]), 'NVIDIA');
    return devices.ok ? devices.value[0] : undefined;
  };

  it('come back as they were written, whatever their order was', () => {
    const shuffled = profiles.chain((written) =>
      fc.record({
        written: fc.constant(written),
        other: fc
          .shuffledSubarray(written, { minLength: written.length })
          .map((list) => list.map((one) => ({ ...one, placements: [...one.placements].reverse() }))),
      }),
    );
    const byText = (list: readonly MigProfile[] = []) =>
      list
        .map((one) =>
          JSON.stringify({ ...one, placements: one.placements.map((place) => JSON.stringify(place)).sort() }),
        )
        .sort();
    fc.assert(
      fc.property(shuffled, ({ written, other }) => {
        const device = read(written);
        expect(byText(device?.migProfiles)).toEqual(byText(written));
        expect(read(other)).toEqual(device);
      }),
    );
  });

  it('are ordered by memory, then slices, then name, and their placements by start', () => {
    fc.assert(
      fc.property(profiles, (written) => {
        const list = read(written)?.migProfiles ?? [];
        const isOrdered = (a: MigProfile, b: MigProfile) =>
          a.memoryMiB - b.memoryMiB || a.slices - b.slices || (a.name < b.name ? -1 : 1);
        expect(list.slice(1).every((one, place) => isOrdered(list[place]!, one) < 0)).toBe(true);
        for (const { placements } of list) {
          expect(placements.slice(1).every((one, place) => placements[place]!.start <= one.start)).toBe(true);
        }
      }),
    );
  });

  it('with pieces damaged are a sentence or sound', () => {
    fc.assert(
      fc.property(damagedText([withProfiles(`[${oneG}]`), migCard]), (value) => {
        const devices = parseRegister(value, 'NVIDIA');
        if (!devices.ok) {
          expect(devices.problem).not.toBe('');
          return;
        }
        for (const { name, memoryMiB, placements } of devices.value.flatMap(
          ({ migProfiles = [] }) => migProfiles,
        )) {
          expect(name).not.toBe('');
          expect(Number.isInteger(memoryMiB) && memoryMiB >= 0).toBe(true);
          expect(
            placements.every(({ start, size }) => Number.isInteger(start + size) && start >= 0 && size > 0),
          ).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
