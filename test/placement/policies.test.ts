import { describe, expect, it } from '@jest/globals';
import { parseDevicePolicy, parseNodePolicy, policiesOf } from '../../src/vendors/policy-annotations.ts';

describe('parseNodePolicy', () => {
  it.each([
    { value: 'spread', want: 'spread' },
    { value: 'binpack', want: 'binpack' },
    { value: 'Spread', want: 'binpack' },
    { value: 'spread ', want: 'binpack' },
    { value: '', want: 'binpack' },
    { value: 'random', want: 'binpack' },
  ])('"$value" is $want: only the exact word spreads (spec §6.2)', ({ value, want }) => {
    expect(parseNodePolicy(value)).toBe(want);
  });
});

describe('parseDevicePolicy', () => {
  it.each([
    { value: 'binpack', want: { order: 'binpack', idleOnly: false } },
    { value: 'spread', want: { order: 'spread', idleOnly: false } },
    { value: 'mutex', want: { order: 'spread', idleOnly: true } },
    { value: 'binpack,mutex', want: { order: 'binpack', idleOnly: true } },
    { value: ' mutex , spread , binpack ', want: { order: 'spread', idleOnly: true } },
    { value: 'topology-aware', want: { order: 'spread', idleOnly: false } },
    { value: 'numa,binpack', want: { order: 'binpack', idleOnly: false } },
    { value: 'mutexes', want: { order: 'spread', idleOnly: false } },
    { value: '', want: { order: 'spread', idleOnly: false } },
  ])('"$value" orders by $want.order, idle cards only: $want.idleOnly', ({ value, want }) => {
    expect(parseDevicePolicy(value)).toEqual(want);
  });
});

describe('policiesOf', () => {
  it('overrides only what the pod names', () => {
    expect(policiesOf({})).toEqual({});
    expect(policiesOf({ 'hami.io/node-scheduler-policy': 'spread' })).toEqual({ nodePolicy: 'spread' });
    expect(policiesOf({ 'hami.io/gpu-scheduler-policy': 'binpack' })).toEqual({
      devicePolicy: { order: 'binpack', idleOnly: false },
    });
  });

  it('takes an empty value as a value, not as absent (spec §6.4)', () => {
    const annotations = { 'hami.io/node-scheduler-policy': '', 'hami.io/gpu-scheduler-policy': '' };
    expect(policiesOf(annotations)).toEqual({
      nodePolicy: 'binpack',
      devicePolicy: { order: 'spread', idleOnly: false },
    });
  });
});
