import { describe, expect, it } from '@jest/globals';
import { askedQuantity } from '../../src/model/cluster-objects.ts';
import { asksForDevices, memoryNeedMiB } from '../../src/model/request.ts';
import { makePodRequest } from '../support/requests.ts';
import { makeDevice } from '../support/views.ts';

describe('memoryNeedMiB', () => {
  it.each([
    { name: 'MiB are taken as given', memory: { kind: 'mib', memoryMiB: 3000 }, cardMiB: 8192, want: 3000 },
    {
      name: '33 % of 8192 is 2703.36, floored',
      memory: { kind: 'percent', percent: 33 },
      cardMiB: 8192,
      want: 2703,
    },
    {
      name: '100 % is the whole card',
      memory: { kind: 'percent', percent: 100 },
      cardMiB: 32767,
      want: 32767,
    },
    {
      name: '1 % of a card below 100 MiB is nothing',
      memory: { kind: 'percent', percent: 1 },
      cardMiB: 99,
      want: 0,
    },
    {
      name: '29 % of 100 is exactly 29, with no loss by binary fractions',
      memory: { kind: 'percent', percent: 29 },
      cardMiB: 100,
      want: 29,
    },
    { name: '0 % is nothing', memory: { kind: 'percent', percent: 0 }, cardMiB: 8192, want: 0 },
  ] as const)('$name', ({ memory, cardMiB, want }) => {
    expect(memoryNeedMiB(memory, makeDevice({ memoryMiB: cardMiB }))).toBe(want);
  });
});

describe('asksForDevices', () => {
  it.each([
    { name: 'no container asks', containers: [{ devices: [] }, { devices: [] }], want: false },
    { name: 'the last container asks', containers: [{ devices: [] }, {}], want: true },
    { name: 'only an init container asks', containers: [{ role: 'init' }, { devices: [] }], want: true },
  ] as const)('is $want when $name', ({ containers, want }) => {
    expect(asksForDevices(makePodRequest({ containers }))).toBe(want);
  });
});

describe('askedQuantity', () => {
  const container = { name: 'c', role: 'app', limits: { a: '1' }, requests: { a: '2', b: '3' } } as const;
  it.each([
    { name: 'the limit wins over the request', resource: 'a', want: '1' },
    { name: 'the request counts where no limit is given', resource: 'b', want: '3' },
    { name: 'a resource that is not named is not asked for', resource: 'c', want: undefined },
  ])('$name', ({ resource, want }) => {
    expect(askedQuantity(container, resource)).toBe(want);
  });
});
