import { describe, expect, it } from '@jest/globals';
import { parseGoBool, parseGoDuration } from '../../src/wire/go-values.ts';

describe('parseGoDuration', () => {
  it.each([
    { text: '5m', wantMs: 300_000 },
    { text: '1h30m', wantMs: 5_400_000 },
    { text: '1.5s', wantMs: 1500 },
    { text: '.5s', wantMs: 500 },
    { text: '28s', wantMs: 28_000 },
    { text: '250ms', wantMs: 250 },
    { text: '10us', wantMs: 0.01 },
    { text: '10µs', wantMs: 0.01 },
    { text: '-1m', wantMs: -60_000 },
    { text: '+1m', wantMs: 60_000 },
    { text: '0', wantMs: 0 },
    { text: '2562047h', wantMs: 9_223_369_200_000 },
  ])('reads $text', ({ text, wantMs }) => {
    const answer = parseGoDuration(text);
    expect(answer.ok ? answer.value : answer.problem).toBeCloseTo(wantMs, 9);
  });

  it.each(['', '5', '5 m', 'm', '5min', '5d', '1h30', '--5m', '5m\n', '.s', '2562048h'])(
    'refuses %j',
    (text) => {
      expect(parseGoDuration(text)).toEqual({
        ok: false,
        problem: `${JSON.stringify(text)} is not a duration such as 5m or 1h30m`,
      });
    },
  );
});

describe('parseGoBool', () => {
  it('takes what Go takes and nothing else', () => {
    const answers = ['1', 't', 'T', 'TRUE', 'true', 'True'].map(parseGoBool);
    const denials = ['0', 'f', 'F', 'FALSE', 'false', 'False'].map(parseGoBool);
    expect(answers).toEqual(answers.map(() => ({ ok: true, value: true })));
    expect(denials).toEqual(denials.map(() => ({ ok: true, value: false })));
    for (const text of ['', 'yes', 'on', 'tRUE', '2']) expect(parseGoBool(text).ok).toBe(false);
  });
});
