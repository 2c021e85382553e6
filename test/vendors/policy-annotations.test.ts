import { describe, expect, it } from '@jest/globals';
import { parseDevicePolicy, parseNodePolicy, policiesOf } from '../../src/vendors/policy-annotations.ts';

describe('parseNodePolicy', () => {
  it.each([
    { value: 'binpack', want: 'binpack' },
    { value: 'spread', want: 'spread' },
    { value: 'spread ', want: 'binpack' },
    { value: 'Spread', want: 'binpack' },
    { value: 'topology-aware', want: 'binpack' },
    { value: '', want: 'binpack' },
  ])('"$value" is $want', ({ value, want }) => {
    expect(parseNodePolicy(value)).toBe(want);
  });
});

describe('parseDevicePolicy', () => {
  it.each([
    { value: 'binpack', want: { order: 'binpack', idleOnly: false } },
    { value: 'spread', want: { order: 'spread', idleOnly: false } },
    { value: 'mutex', want: { order: 'spread', idleOnly: true } },
    { value: 'mutex,binpack', want: { order: 'binpack', idleOnly: true } },
    { value: ' binpack , mutex ', want: { order: 'binpack', idleOnly: true } },
    { value: 'spread,binpack', want: { order: 'spread', idleOnly: false } },
    { value: 'numa,binpack', want: { order: 'binpack', idleOnly: false } },
    { value: 'topology-aware', want: { order: 'spread', idleOnly: false } },
    { value: 'BINPACK', want: { order: 'spread', idleOnly: false } },
    { value: 'mutexes', want: { order: 'spread', idleOnly: false } },
    { value: '', want: { order: 'spread', idleOnly: false } },
  ])('"$value"', ({ value, want }) => {
    expect(parseDevicePolicy(value)).toEqual(want);
  });
});

describe('policiesOf', () => {
  const node = 'hami.io/node-scheduler-policy';
  const device = 'hami.io/gpu-scheduler-policy';
  it.each([
    { name: 'no annotation: the configured policies hold', annotations: {}, want: {} },
    { name: 'the node policy alone', annotations: { [node]: 'spread' }, want: { nodePolicy: 'spread' } },
    {
      name: 'the device policy alone',
      annotations: { [device]: 'binpack' },
      want: { devicePolicy: { order: 'binpack', idleOnly: false } },
    },
    {
      name: 'an empty annotation is one, and means the defaults of the protocol',
      annotations: { [node]: '', [device]: '' },
      want: { nodePolicy: 'binpack', devicePolicy: { order: 'spread', idleOnly: false } },
    },
  ])('$name', ({ annotations, want }) => {
    expect(policiesOf(annotations)).toEqual(want);
  });
});
