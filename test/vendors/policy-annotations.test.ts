import { describe, expect, it } from '@jest/globals';
import {
  parseDevicePolicy,
  parseNodePolicy,
  policiesOf,
  parseWeights,
} from '../../src/vendors/policy-annotations.ts';

describe('parseNodePolicy', () => {
  it.each([
    { value: 'binpack', want: 'binpack' },
    { value: 'spread', want: 'spread' },
    { value: 'fragmentation', want: 'fragmentation' },
    { value: 'Fragmentation', want: 'binpack' },
    { value: 'spread ', want: 'binpack' },
    { value: 'Spread', want: 'binpack' },
    { value: 'topology-aware', want: 'binpack' },
    { value: '', want: 'binpack' },
  ])('"$value" is $want', ({ value, want }) => {
    expect(parseNodePolicy(value)).toBe(want);
  });
});

describe('parseDevicePolicy (spec §6.4; which card is taken first)', () => {
  const plain = { idleOnly: false, topologyAware: false };
  const binpack = {
    ...plain,
    order: ['fullest', 'highest-numa'],
    numaBoundOrder: ['lowest-numa', 'fullest'],
  };
  const spread = {
    ...plain,
    order: ['emptiest', 'highest-numa'],
    numaBoundOrder: ['highest-numa', 'emptiest'],
  };
  const mutex = {
    idleOnly: true,
    topologyAware: false,
    order: ['fewest-sharers', 'highest-numa'],
    numaBoundOrder: ['highest-numa', 'fewest-sharers'],
  };
  it.each([
    { value: 'binpack', want: binpack },
    { value: ' binpack ', want: binpack },
    { value: 'spread', want: spread },
    { value: 'mutex', want: mutex },
    { value: 'topology-aware', want: { ...spread, topologyAware: true } },
    { value: 'BINPACK', want: spread },
    { value: 'mutexes', want: spread },
    { value: '', want: spread },
    {
      value: 'numa',
      want: { ...plain, order: ['highest-numa'], numaBoundOrder: ['highest-numa'] },
    },
    {
      value: 'mutex,binpack',
      want: { ...plain, idleOnly: true, order: ['fullest'], numaBoundOrder: ['highest-numa', 'fullest'] },
    },
    {
      value: 'spread, binpack,spread',
      want: {
        ...plain,
        order: ['emptiest', 'fullest'],
        numaBoundOrder: ['highest-numa', 'emptiest', 'fullest'],
      },
    },
    {
      value: 'numa,binpack',
      want: { ...plain, order: ['highest-numa', 'fullest'], numaBoundOrder: ['highest-numa', 'fullest'] },
    },
    {
      value: 'binpack,numa',
      want: { ...plain, order: ['fullest', 'highest-numa'], numaBoundOrder: ['highest-numa', 'fullest'] },
    },
    {
      value: 'topology-aware,numa',
      want: { ...plain, topologyAware: true, order: ['highest-numa'], numaBoundOrder: ['highest-numa'] },
    },
    {
      value: 'what,ever',
      want: { ...plain, order: ['emptiest'], numaBoundOrder: ['highest-numa', 'emptiest'] },
    },
  ])('"$value"', ({ value, want }) => {
    expect(parseDevicePolicy(value)).toEqual(want);
  });
});

describe('parseWeights (spec §1.11)', () => {
  it.each([
    { value: 'slot=1,core=2,memory=3', want: { slots: 1, cores: 2, memory: 3 } },
    { value: ' memory = 3 , slot=0,core=0 ', want: { slots: 0, cores: 0, memory: 3 } },
    { value: 'slot=9223372036854775807,core=0,memory=0', want: { slots: 2 ** 63, cores: 0, memory: 0 } },
  ])('"$value" is read', ({ value, want }) => {
    expect(parseWeights(value)).toEqual({ ok: true, value: want });
  });

  it.each([
    { value: '', why: '"" is not name=number' },
    { value: 'slot=1,core=2', why: 'memory is missing' },
    { value: 'slot=1,core=2,memory=3,slot=1', why: 'slot is given twice' },
    { value: 'slot=1,core=2,memory=3,disk=1', why: '"disk" is none of slot, core and memory' },
    { value: 'slot=1,core=2,memory=3,', why: '"" is not name=number' },
    { value: 'slot=-1,core=2,memory=3', why: 'slot must be a whole number that is not negative' },
    { value: 'slot=1.5,core=2,memory=3', why: 'slot must be a whole number that is not negative' },
    { value: 'slot=1=2,core=2,memory=3', why: '"slot=1=2" is not name=number' },
    {
      value: 'slot=9223372036854775808,core=0,memory=0',
      why: 'slot must be a whole number that is not negative',
    },
    { value: 'slot=0,core=0,memory=0', why: 'one weight must be more than 0' },
  ])('"$value" is refused: $why', ({ value, why }) => {
    expect(parseWeights(value)).toEqual({ ok: false, problem: why });
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
      want: { devicePolicy: parseDevicePolicy('binpack') },
    },
    {
      name: 'an empty annotation is one, and means the defaults of the protocol',
      annotations: { [node]: '', [device]: '' },
      want: { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('spread') },
    },
  ])('$name', ({ annotations, want }) => {
    expect(policiesOf(annotations)).toEqual(want);
  });
});
