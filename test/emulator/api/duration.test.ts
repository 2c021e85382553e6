import { describe, expect, it } from '@jest/globals';
import { ageText, humanDuration } from '../../../src/emulator/api/duration.ts';

describe('humanDuration', () => {
  const [minute, hour, day, year] = [60, 3600, 86_400, 365 * 86_400];
  it.each([
    { seconds: -2, want: '<invalid>' },
    { seconds: -1, want: '0s' },
    { seconds: 0, want: '0s' },
    { seconds: 119.9, want: '119s' },
    { seconds: 2 * minute, want: '2m' },
    { seconds: 2 * minute + 5, want: '2m5s' },
    { seconds: 10 * minute + 5, want: '10m' },
    { seconds: 3 * hour - 1, want: '179m' },
    { seconds: 3 * hour, want: '3h' },
    { seconds: 7 * hour + 59 * minute, want: '7h59m' },
    { seconds: 47 * hour + 59 * minute, want: '47h' },
    { seconds: 2 * day, want: '2d' },
    { seconds: 7 * day + 23 * hour, want: '7d23h' },
    { seconds: 8 * day + 5 * hour, want: '8d' },
    { seconds: 2 * year, want: '2y' },
    { seconds: 3 * year + 5 * day, want: '3y5d' },
    { seconds: 9 * year + 5 * day, want: '9y' },
  ])('$seconds s reads $want', ({ seconds, want }) => {
    expect(humanDuration(seconds)).toBe(want);
  });
});

describe('ageText', () => {
  it('is unknown for what is no time', () => {
    expect(ageText('', Date.UTC(2026, 0, 1))).toBe('<unknown>');
  });

  it('counts from the time', () => {
    expect(ageText('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 5))).toBe('5m');
  });
});
