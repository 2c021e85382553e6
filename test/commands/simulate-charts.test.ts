/** Charts of the simulation's report: figures are where their axes say, and pictures are well-formed whatever the words. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { barArea, barChart } from '../../src/commands/simulate/charts/bar-chart.ts';
import { lineChart, type LineSeries, plotArea } from '../../src/commands/simulate/charts/line-chart.ts';
import { linearScale, roundedOut, ticksOf } from '../../src/commands/simulate/charts/scale.ts';
import { element, escaped } from '../../src/commands/simulate/charts/svg.ts';
import { policyNames } from '../../src/simulator/policy.ts';
import { expectWellFormed } from './well-formed.ts';

describe('a scale', () => {
  it.each([
    { name: 'the start', domain: [0, 100], range: [60, 660], value: 0, want: 60 },
    { name: 'the end', domain: [0, 100], range: [60, 660], value: 100, want: 660 },
    { name: 'a part between', domain: [90, 130], range: [60, 660], value: 100, want: 210 },
    {
      name: 'a range that falls, as heights on a screen',
      domain: [0, 50],
      range: [346, 16],
      value: 25,
      want: 181,
    },
    { name: 'a value beyond the end', domain: [0, 10], range: [0, 100], value: 12, want: 120 },
    { name: 'a domain of no width', domain: [5, 5], range: [60, 660], value: 5, want: 60 },
  ] as const)('maps $name', ({ domain, range, value, want }) => {
    expect(linearScale(domain, range)(value)).toBeCloseTo(want, 9);
  });

  it.each([
    {
      name: 'percents',
      range: [0, 130],
      most: 15,
      want: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130],
    },
    { name: 'a narrow range', range: [90, 96.4], most: 8, want: [90, 91, 92, 93, 94, 95, 96] },
    { name: 'tenths, without what binary fractions add', range: [0, 0.3], most: 4, want: [0, 0.1, 0.2, 0.3] },
    { name: 'nothing between', range: [7, 7], most: 5, want: [7] },
  ] as const)('names round figures for $name', ({ range, most, want }) => {
    expect(ticksOf(range, most)).toEqual(want);
  });

  it('never names more figures than wanted, nor one outside the range', () => {
    const figure = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        figure,
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 20 }),
        (from, width, most) => {
          const ticks = ticksOf([from, from + width], most);
          const slack = width * 1e-6;
          expect(ticks.length).toBeLessThanOrEqual(most);
          for (const tick of ticks) {
            expect(tick).toBeGreaterThanOrEqual(from - slack);
            expect(tick).toBeLessThanOrEqual(from + width + slack);
          }
        },
      ),
    );
  });

  it.each([
    { name: 'both ends', range: [85.1, 96.3], want: [84, 98] },
    { name: 'ends that are round', range: [80, 100], want: [80, 100] },
    { name: 'a range of no width', range: [95, 95], want: [95, 96] },
  ] as const)('widens $name to round figures', ({ range, want }) => {
    expect(roundedOut(range, 8)).toEqual(want);
  });
});

const point = (x: number, y: number, spread = 0) => ({ x, y, low: y - spread, high: y + spread });

function chartOf(series: readonly LineSeries[], title = 'Allocation') {
  return {
    id: 'allocation',
    title,
    description: 'lines',
    x: { label: 'arrived', range: [0, 100] as const },
    y: { label: 'allocated', range: [0, 50] as const },
    series,
  };
}

describe('a line chart', () => {
  it('draws every point where its axes say', () => {
    const svg = lineChart(
      chartOf([{ policy: 'fgd', points: [point(0, 0), point(50, 25), point(100, 50)], note: 'end' }]),
      'page',
    );
    const middle = [(plotArea.left + plotArea.right) / 2, (plotArea.top + plotArea.bottom) / 2];
    expect(svg).toContain(
      `d="M${plotArea.left} ${plotArea.bottom}L${middle.join(' ')}L${plotArea.right} ${plotArea.top}"`,
    );
  });

  it('lays a band from the lowest seed to the highest where seeds differ, and none where they do not', () => {
    const points = [point(0, 10, 5), point(100, 30, 10)];
    const [low, high] = [linearScale([0, 50], [plotArea.bottom, plotArea.top]), plotArea] as const;
    const band = `M${high.left} ${low(15)}L${high.right} ${low(40)}L${high.right} ${low(20)}L${high.left} ${low(5)}Z`;
    expect(lineChart(chartOf([{ policy: 'fgd', points, note: '' }]), 'page')).toContain(`d="${band}"`);
    const alike = [point(0, 10), point(100, 30)];
    expect(lineChart(chartOf([{ policy: 'fgd', points: alike, note: '' }]), 'page')).not.toContain(
      'fill-opacity',
    );
  });

  it('gives every policy a colour, a dash and a marker that no other has', () => {
    const looks = policyNames.map((policy) => {
      const svg = lineChart(chartOf([{ policy, points: [point(0, 1), point(100, 1)], note: '' }]), 'page');
      const [, stroke, dash] =
        /stroke="(var[^"]*)" stroke-width="2" stroke-dasharray="([^"]*)"/.exec(svg) ?? [];
      const marks = /<\/path>|stroke-linejoin="round"\/>(<[^>]*>)/.exec(svg)?.[1] ?? '';
      return {
        stroke,
        dash,
        shape: marks.replaceAll(/var\([^)]*\)/g, (text) => (text === 'var(--ground)' ? 'hollow' : '')),
      };
    });
    for (const part of ['stroke', 'dash', 'shape'] as const)
      expect(new Set(looks.map((look) => look[part])).size).toBe(policyNames.length);
  });

  it('tells its title and what it shows to those who cannot see it', () => {
    const svg = lineChart(chartOf([]), 'page');
    expect(svg).toContain('role="img" aria-labelledby="allocation-title allocation-description"');
    expect(svg).toContain(
      '<title id="allocation-title">Allocation</title><desc id="allocation-description">lines</desc>',
    );
  });

  it('brings its colours along where it stands alone', () => {
    const line = [{ policy: 'fgd', points: [point(0, 1), point(100, 2)], note: '' }] as const;
    expect(lineChart(chartOf(line), 'alone')).toMatch(/--fgd:#[0-9a-f]{6}.*prefers-color-scheme:dark/s);
    expect(lineChart(chartOf(line), 'page')).not.toContain('<style>');
    expectWellFormed(lineChart(chartOf(line), 'alone'));
  });

  it('is well-formed whatever words it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (title, note) => {
        const points = [point(0, 1, 1), point(100, 2, 1)];
        expectWellFormed(lineChart(chartOf([{ policy: 'random', points, note }], title), 'alone'));
      }),
    );
  });
});

describe('a bar chart', () => {
  const bars = [
    { policy: 'fgd', value: 100, text: '100' },
    { policy: 'random', value: 25, text: '25' },
    { policy: 'spread', value: 0, text: '0' },
  ] as const;

  it('draws bars as long as their figures, the longest over the whole width', () => {
    const svg = barChart(
      { id: 'unplaced', title: 'Unplaced', description: '', groups: [{ name: 'NoNodes', bars }] },
      'page',
    );
    const widths = [...svg.matchAll(/<rect x="(\d+)"[^>]* width="([\d.]+)"/g)].map(([, x, width]) => [
      Number(x),
      Number(width),
    ]);
    const whole = barArea.right - barArea.left;
    expect(widths).toEqual([
      [barArea.left, whole],
      [barArea.left, whole / 4],
      [barArea.left, 0],
    ]);
  });

  it('is well-formed without a bar, and with words that are markup', () => {
    expectWellFormed(barChart({ id: 'a', title: '', description: '', groups: [] }, 'alone'));
    const svg = barChart(
      { id: 'a', title: '<b>', description: '&', groups: [{ name: '</text><script>', bars }] },
      'page',
    );
    expectWellFormed(svg);
    expect(svg).not.toContain('<script');
  });
});

describe('words in a picture', () => {
  it.each([
    { name: 'markup', text: `<a href="x">'&`, want: '&lt;a href=&quot;x&quot;&gt;&#39;&amp;' },
    { name: 'what XML has no place for', text: 'a\u0000b\u001b[2Jc\uffff', want: 'a\ufffdb\ufffd[2Jc\ufffd' },
    { name: 'half a character', text: 'a\ud800b', want: 'a\ufffdb' },
    { name: 'characters of every plane', text: 'Größe 🚀', want: 'Größe 🚀' },
  ])('are safe: $name', ({ text, want }) => {
    expect(escaped(text)).toBe(want);
    expect(element('text', { x: 1.23456, y: text }, escaped(text))).toBe(
      `<text x="1.23" y="${want}">${want}</text>`,
    );
  });
});
