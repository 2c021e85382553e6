import { describe, expect, it } from '@jest/globals';
import {
  formatReservations,
  parseReservations,
} from '../../../src/emulator/node-agent/reservation-annotation.ts';

const planned = {
  containerIndex: 0,
  deviceIndex: 0,
  gpuUUID: 'GPU-a',
  profile: '2g.10gb',
  placement: { start: 2, size: 2 },
};
const made = { migUUID: 'MIG-xxxx', gpuInstanceID: 4, computeInstanceID: 0 };

describe('parseReservations', () => {
  it('reads the example of spec §1.10, and formatReservations writes it byte for byte', () => {
    const value =
      '[{"containerIndex":0,"deviceIndex":0,"gpuUUID":"GPU-a","profile":"2g.10gb","placement":{"start":2,"size":2},"migUUID":"MIG-xxxx","gpuInstanceID":4,"computeInstanceID":0}]';
    const reservations = parseReservations(value);
    expect(reservations).toEqual({
      ok: true,
      value: [
        {
          containerIndex: 0,
          deviceIndex: 0,
          deviceId: 'GPU-a',
          profile: '2g.10gb',
          placement: { start: 2, size: 2 },
          made: { migUuid: 'MIG-xxxx', gpuInstanceId: 4, computeInstanceId: 0 },
        },
      ],
    });
    expect(reservations.ok && formatReservations(reservations.value)).toBe(value);
  });

  it('reads reservations of which nothing is made, and ids that are 0', () => {
    const zero = { ...made, gpuInstanceID: 0 };
    const value = JSON.stringify([planned, { ...planned, deviceIndex: 1, ...zero }]);
    const reservations = parseReservations(value);
    expect(reservations.ok && formatReservations(reservations.value)).toBe(value);
  });

  const unplaced = { containerIndex: 0, deviceIndex: 0, gpuUUID: 'GPU-a', profile: '2g.10gb' };
  const refusals: { name: string; value: string | readonly unknown[]; want: string }[] = [
    { name: 'text that is no JSON', value: 'x', want: 'not valid JSON' },
    { name: 'something else than an array', value: '{}', want: 'not an array' },
    { name: 'null', value: [null], want: 'reservation 0: not an object' },
    { name: 'a missing key', value: [unplaced], want: 'not just the keys' },
    { name: 'a misspelled key', value: [{ ...unplaced, placements: {} }], want: 'not just the keys' },
    { name: 'a key too many', value: [{ ...planned, gpu: 'x' }], want: 'not just the keys' },
    { name: 'a negative container', value: [{ ...planned, containerIndex: -1 }], want: 'containerIndex' },
    { name: 'a device that is text', value: [{ ...planned, deviceIndex: '0' }], want: 'deviceIndex' },
    { name: 'no card', value: [{ ...planned, gpuUUID: '' }], want: 'gpuUUID' },
    { name: 'no profile', value: [{ ...planned, profile: '' }], want: 'profile' },
    {
      name: 'a placement of size 0',
      value: [{ ...planned, placement: { start: 0, size: 0 } }],
      want: 'no slice',
    },
    {
      name: 'a placement without start',
      value: [{ ...planned, placement: { size: 1 } }],
      want: 'start and size',
    },
    {
      name: 'ids of which one is missing',
      value: [{ ...planned, migUUID: 'MIG-x' }],
      want: 'not just the keys',
    },
    { name: 'an empty instance id', value: [{ ...planned, ...made, migUUID: '' }], want: 'proper ids' },
    { name: 'a device reserved twice', value: [planned, planned], want: 'reserved twice' },
  ];
  it.each(refusals)('refuses $name', ({ value, want }) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(parseReservations(text)).toEqual({ ok: false, problem: expect.stringContaining(want) });
  });
});
