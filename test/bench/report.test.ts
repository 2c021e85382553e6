import { describe, expect, it } from '@jest/globals';
import { fittedExponent } from '../../bench/report/exponent.ts';
import { Latencies } from '../../bench/report/latencies.ts';
import { median, mediansOf } from '../../bench/report/medians.ts';
import { type BenchRow, floorFigures, latencyFigures } from '../../bench/report/row.ts';
import { tableText } from '../../bench/report/table.ts';

const row: BenchRow = {
  name: 'filter',
  params: { nodes: 10 },
  ...latencyFigures(new Latencies([1, 2, 3, 4])),
  peak_rss_mib: 100,
  loop_delay_p99_ms: 1,
};

describe('latencies', () => {
  const cases = [
    { name: 'of a hundred calls, the 99th percentile is the second worst', of: 100, share: 0.99, want: 99 },
    { name: 'of ten calls, the 99th percentile is the worst', of: 10, share: 0.99, want: 10 },
    { name: 'of ten calls, the median is the fifth', of: 10, share: 0.5, want: 5 },
    { name: 'the maximum is the worst of all', of: 7, share: 1, want: 7 },
    { name: 'of no calls, everything is 0', of: 0, share: 0.99, want: 0 },
  ];
  it.each(cases)('$name', ({ of, share, want }) => {
    const descending = Array.from({ length: of }, (_, index) => of - index);
    expect(new Latencies(descending).quantile(share)).toBe(want);
  });

  it('make a rate as if the calls had followed each other', () => {
    expect(latencyFigures(new Latencies([10, 30])).per_second).toBe(50);
    expect(latencyFigures(new Latencies()).per_second).toBe(0);
  });
});

describe('the fitted exponent', () => {
  const sizes = [250, 1000, 5000, 20_000];
  it.each([
    { name: 'of a constant cost is 0', cost: () => 3, want: 0 },
    { name: 'of a cost in proportion is 1', cost: (size: number) => size / 100, want: 1 },
    { name: 'of a square root is a half', cost: (size: number) => 7 * Math.sqrt(size), want: 0.5 },
  ])('$name', ({ cost, want }) => {
    expect(fittedExponent(sizes.map((size) => ({ size, cost: cost(size) })))).toBeCloseTo(want, 10);
  });

  it('of one size alone is not a number', () => {
    expect(fittedExponent([{ size: 250, cost: 1 }])).toBeNaN();
  });
});

describe('the medians of several runs', () => {
  it.each([
    { name: 'of three values is the middle one', values: [9, 1, 5], want: 5 },
    { name: 'of two values is their mean', values: [1, 4], want: 2.5 },
  ])('$name', ({ values, want }) => {
    expect(median(values)).toBe(want);
  });

  it('are taken of each figure for itself, and keep name and parameters', () => {
    const runs = [
      [{ ...row, p50_ms: 1, p99_ms: 30 }],
      [{ ...row, p50_ms: 2, p99_ms: 10 }],
      [{ ...row, p50_ms: 3, p99_ms: 20 }],
    ];
    expect(mediansOf(runs)).toEqual([{ ...row, p50_ms: 2, p99_ms: 20 }]);
  });
});

describe('the table', () => {
  it('has a line per row, the columns that some row has, and the ratio to the floor where there is one', () => {
    const floor = floorFigures(new Latencies([1, 2]));
    const lines = tableText([
      { ...row, ...floor },
      { ...row, name: 'planner' },
    ]).split('\n');
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
      [
        'p50 ms',
        'p90 ms',
        'p99 ms',
        'max ms',
        'floor p50',
        'floor p99',
        'per s',
        'peak MiB',
        'loop p99',
        'p99/floor',
      ],
      ['filter nodes=10', '2.00', '4.00', '4.00', '4.00', '1.00', '2.00', '400', '100', '1.00', '2.00'],
      ['planner nodes=10', '2.00', '4.00', '4.00', '4.00', '400', '100', '1.00'],
    ]);
  });
});
