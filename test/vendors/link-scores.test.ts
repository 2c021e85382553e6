import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatLinkScores } from '../../src/emulator/node-agent/link-scores.ts';
import { parseLinkScores, withLinkScores } from '../../src/vendors/link-scores.ts';
import { makeDevice } from '../support/views.ts';
import { damagedText } from './damaged-text.ts';

type Scores = Readonly<Record<string, Readonly<Record<string, number>>>>;

const asMaps = (scores: Scores) =>
  new Map(Object.entries(scores).map(([id, points]) => [id, new Map(Object.entries(points))]));

/** Spec §1.4, with two more cards as the plugin would write them. */
const fromTheSpec =
  '[{"uuid":"GPU-0","score":{"GPU-1":100,"GPU-2":100,"GPU-3":200}},{"uuid":"GPU-1","score":{"GPU-0":100,"GPU-2":200,"GPU-3":100}}]';

describe('parseLinkScores reads what plugins write (spec §1.4)', () => {
  const cases: { name: string; value: string; want: Scores }[] = [
    {
      name: 'points of every other card',
      value: fromTheSpec,
      want: {
        'GPU-0': { 'GPU-1': 100, 'GPU-2': 100, 'GPU-3': 200 },
        'GPU-1': { 'GPU-0': 100, 'GPU-2': 200, 'GPU-3': 100 },
      },
    },
    { name: 'a card alone in its node', value: '[{"uuid":"GPU-0","score":{}}]', want: { 'GPU-0': {} } },
    {
      name: 'null is the zero value, as in Go',
      value: '[{"uuid":"GPU-0","score":null}]',
      want: { 'GPU-0': {} },
    },
    { name: 'no score at all', value: '[{"uuid":"GPU-0"}]', want: { 'GPU-0': {} } },
    { name: 'no card', value: '[]', want: {} },
    {
      name: 'zero and negative points',
      value: '[{"uuid":"a","score":{"b":0,"c":-7}}]',
      want: { a: { b: 0, c: -7 } },
    },
    { name: 'unknown keys are passed over', value: '[{"uuid":"a","score":{},"later":[1]}]', want: { a: {} } },
    {
      name: 'the largest points of 32 bits',
      value: '[{"uuid":"a","score":{"b":2147483647,"c":-2147483648}}]',
      want: { a: { b: 2147483647, c: -2147483648 } },
    },
  ];
  it.each(cases)('$name', ({ value, want }) => {
    expect(parseLinkScores(value)).toEqual({ ok: true, value: asMaps(want) });
  });

  it('takes names that objects know, too', () => {
    const scores = parseLinkScores('[{"uuid":"constructor","score":{"__proto__":1,"toString":2}}]');
    const want = new Map([['constructor', new Map([['__proto__', 1]]).set('toString', 2)]]);
    expect(scores).toEqual({ ok: true, value: want });
  });
});

describe('parseLinkScores refuses the rest whole and says where', () => {
  const cases: { name: string; value: string; wantProblem: RegExp }[] = [
    { name: 'the empty text', value: '', wantProblem: /^not valid JSON: / },
    { name: 'JSON cut short', value: fromTheSpec.slice(0, -1), wantProblem: /^not valid JSON: / },
    { name: 'an object instead of a list', value: '{}', wantProblem: /must be array/ },
    { name: 'null', value: 'null', wantProblem: /must be array/ },
    { name: 'a null element behind a good one', value: '[{"uuid":"a"},null]', wantProblem: /^1: / },
    { name: 'a card without id', value: '[{"score":{}}]', wantProblem: /uuid/ },
    { name: 'an empty id', value: '[{"uuid":""}]', wantProblem: /^0\.uuid: / },
    { name: 'points in a list', value: '[{"uuid":"a","score":[1]}]', wantProblem: /^0\.score: / },
    { name: 'points in words', value: '[{"uuid":"a","score":{"b":"10"}}]', wantProblem: /^0\.score\.b: / },
    {
      name: 'points that are null',
      value: '[{"uuid":"a","score":{"b":null}}]',
      wantProblem: /^0\.score\.b: /,
    },
    { name: 'a fraction', value: '[{"uuid":"a","score":{"b":1.5}}]', wantProblem: /^0\.score\.b: / },
    {
      name: 'points beyond 32 bits',
      value: '[{"uuid":"a","score":{"b":2147483648}}]',
      wantProblem: /^0\.score\.b: /,
    },
    {
      name: 'points beyond all',
      value: '[{"uuid":"a","score":{"b":-1e400}}]',
      wantProblem: /^0\.score\.b: /,
    },
    {
      name: 'one card twice',
      value: '[{"uuid":"a"},{"uuid":"b"},{"uuid":"a"}]',
      wantProblem: /"a" is listed twice/,
    },
  ];
  it.each(cases)('$name', ({ value, wantProblem }) => {
    const scores = parseLinkScores(value);
    expect(scores.ok ? scores : scores.problem).toEqual(expect.stringMatching(wantProblem));
  });

  it('withstands everything', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.json(),
      damagedText([fromTheSpec, '[{"uuid":"a","score":null}]']),
    );
    fc.assert(
      fc.property(text, (value) => {
        const scores = parseLinkScores(value);
        if (!scores.ok) {
          expect(scores.problem).not.toBe('');
          return;
        }
        for (const points of [...scores.value.values()].flatMap((links) => [...links.values()])) {
          expect(Number.isInteger(points) && Math.abs(points) <= 2 ** 31).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('withLinkScores', () => {
  const [first, second] = [makeDevice({ id: 'a' }), makeDevice({ id: 'b', index: 1 })];

  it('gives every card its own scores and leaves the others as they were', () => {
    const scores = asMaps({ a: { b: 10 }, 'not-here': { a: 5 } });
    expect(withLinkScores([first, second], scores)).toEqual([
      { ...first, linkScores: new Map([['b', 10]]) },
      second,
    ]);
  });

  it("undoes the plugin's writer", () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^GPU-[0-9a-f-]{1,8}$/), { minLength: 1, maxLength: 8 });
    const scores = ids.chain((all) =>
      fc.record(
        Object.fromEntries(
          all.map((id) => [id, fc.dictionary(fc.constantFrom(...all), fc.nat({ max: 1860 }))]),
        ),
      ),
    );
    fc.assert(
      fc.property(scores, (points) => {
        const maps = asMaps(points);
        const devices = withLinkScores(
          [...maps.keys()].map((id, index) => makeDevice({ id, index })),
          maps,
        );
        expect(parseLinkScores(formatLinkScores(devices))).toEqual({ ok: true, value: maps });
      }),
    );
  });
});
