import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gaugeHeader, labelText, sampleLine } from '../../src/telemetry/exposition.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { parsePage } from './exposition-page.ts';

describe('the text format', () => {
  it('is a header and one line per sample', () => {
    const labels = labelText([
      ['node', 'n1'],
      ['zone', 'vGPU'],
    ]);
    expect(gaugeHeader('shared', 'How many.') + sampleLine('shared', labels, 3)).toBe(
      '# HELP shared How many.\n# TYPE shared gauge\nshared{node="n1",zone="vGPU"} 3\n',
    );
  });

  it.each([
    { name: 'a quote', text: 'a"b', want: '{l="a\\"b"}' },
    { name: 'a backslash', text: 'a\\b', want: '{l="a\\\\b"}' },
    { name: 'a line break', text: 'a\nb', want: '{l="a\\nb"}' },
    { name: 'a backslash before an n', text: 'a\\nb', want: '{l="a\\\\nb"}' },
    { name: 'what looks like the next label', text: '1",m="2', want: '{l="1\\",m=\\"2"}' },
    { name: 'braces and commas as they are', text: '},{', want: '{l="},{"}' },
    { name: 'letters of any script as they are', text: '卡', want: '{l="卡"}' },
  ])('escapes in labels: $name', ({ text, want }) => {
    expect(labelText([['l', text]])).toBe(want);
  });

  it('escapes line breaks and backslashes in help, and leaves quotes', () => {
    expect(gaugeHeader('g', 'a "b"\\\nc')).toBe('# HELP g a "b"\\\\\\nc\n# TYPE g gauge\n');
  });

  it.each([
    { value: 0, want: '0' },
    { value: 42949672960, want: '42949672960' },
    { value: 0.25, want: '0.25' },
    { value: 1e21, want: '1e+21' },
    { value: NaN, want: 'NaN' },
    { value: Infinity, want: '+Inf' },
    { value: -Infinity, want: '-Inf' },
  ])('writes the number $want', ({ value, want }) => {
    expect(sampleLine('g', '{}', value)).toBe(`g{} ${want}\n`);
  });

  it('is read back as it was meant, whatever stands in labels and help', () => {
    const text = fc.string({
      unit: fc.constantFrom('"', '\\', '\n', 'n', ',', '{', '}', '=', ' ', 'é', '#'),
    });
    fc.assert(
      fc.property(text, text, text, fc.double(), (help, a, b, value) => {
        const labels = labelText([
          ['a', a],
          ['b', b],
        ]);
        const page = gaugeHeader('g', help) + sampleLine('g', labels, value);
        expect(parsePage(page)).toEqual([
          { name: 'g', help, type: 'gauge', samples: [{ name: 'g', labels: { a, b }, value: value + 0 }] },
        ]);
      }),
    );
  });
});

describe('our own page', () => {
  it('is valid in every line', async () => {
    expect(parsePage(await makeMetrics().render()).length).toBeGreaterThan(30);
  });

  it('has what others add behind our own, in parts', async () => {
    const metrics = makeMetrics({ processMetrics: false });
    metrics.onPage(async function* () {
      yield await Promise.resolve(gaugeHeader('extra', 'More.'));
      yield sampleLine('extra', '', 1);
    });
    const parts = [];
    for await (const part of metrics.page()) parts.push(part);
    expect(parts.slice(1)).toEqual(['# HELP extra More.\n# TYPE extra gauge\n', 'extra 1\n']);
    expect(parsePage(parts.join('')).at(-1)).toMatchObject({ name: 'extra', samples: [{ value: 1 }] });
  });
});
