import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { hasLabels } from '../../src/config/node-label-selector.ts';

describe('hasLabels', () => {
  const labels = { gpu: 'on', 'example.com/zone': 'a', empty: '' };
  it.each([
    { selector: '', want: true },
    { selector: 'gpu=on', want: true },
    { selector: 'gpu=on,example.com/zone=a', want: true },
    { selector: 'empty=', want: true },
    { selector: 'gpu=off', want: false },
    { selector: 'gpu=on,example.com/zone=b', want: false },
    { selector: 'gpu=', want: false },
    { selector: 'missing=', want: false },
    { selector: 'toString=', want: false },
  ])('"$selector" selects: $want', ({ selector, want }) => {
    expect(hasLabels(labels, selector)).toBe(want);
  });
});

describe('nodeLabelSelector', () => {
  it.each(['', 'gpu=on', 'a.example.com/gpu=on,zone=a_b', 'empty='])('takes "%s"', (nodeLabelSelector) => {
    expect(loadConfig({ environment: {}, flags: { nodeLabelSelector } }).ok).toBe(true);
  });

  it.each(['gpu', '=on', 'gpu=on,', 'gpu!=on', 'gpu in (on)', 'gpu==on', 'gpu=on zone=a'])(
    'refuses "%s"',
    (nodeLabelSelector) => {
      const answer = loadConfig({ environment: {}, flags: { nodeLabelSelector } });
      expect(answer).toMatchObject({ ok: false, problem: expect.stringContaining('nodeLabelSelector') });
    },
  );
});
