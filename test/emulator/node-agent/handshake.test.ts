import { expect, it } from '@jest/globals';
import { formatHandshake } from '../../../src/emulator/node-agent/handshake.ts';

const cases = [
  {
    name: 'a whole second',
    nowMs: Date.UTC(2026, 0, 1),
    ranMs: 30_000,
    want: '00:00:00 +0000 UTC m=+30.000000000',
  },
  {
    name: 'a fraction',
    nowMs: Date.UTC(2026, 0, 1, 10, 20, 30, 450),
    ranMs: 1104_711_770,
    want: '10:20:30.45 +0000 UTC m=+1104711.770000000',
  },
];
it.each(cases)('a plugin reports $name as Go prints it (spec §2.1)', ({ nowMs, ranMs, want }) => {
  expect(formatHandshake(nowMs, nowMs - ranMs)).toBe(`Reported 2026-01-01 ${want}`);
});
