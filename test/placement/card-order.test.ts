import { describe, expect, it } from '@jest/globals';
import { cardScore, compareCandidates } from '../../src/placement/card-order.ts';
import { equalWeights } from '../../src/model/request.ts';
import { noUsage } from '../../src/model/device.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { type DeviceRequestFields, makeDeviceRequest } from '../support/requests.ts';
import { type CardFields, makeDevice, makeView } from '../support/views.ts';

describe('cardScore counts the request in: 10 × (slots + cores + memory), each as a fraction of the card', () => {
  const asks = { memoryPercent: 40 };
  const cases: { name: string; card: CardFields; asks: DeviceRequestFields; want: number }[] = [
    {
      name: 'spec §6.3, card A: 10 × ((1+1)/10 + 90/100 + (40+10)/100) = 16',
      card: { memoryMiB: 100, used: { slots: 1, corePercent: 90, memoryMiB: 10 } },
      asks,
      want: 16,
    },
    {
      name: 'spec §6.3, card B: 10 × ((1+7)/10 + 10/100 + (40+20)/100) = 15',
      card: { memoryMiB: 100, used: { slots: 7, corePercent: 10, memoryMiB: 20 } },
      asks,
      want: 15,
    },
    {
      name: 'a request for the whole of an idle card of one slot fills it: 30',
      card: { slots: 1 },
      asks: { corePercent: 100 },
      want: 30,
    },
    {
      name: 'memory in MiB counts against the whole card: 10 × (1/10 + 25/100 + 2048/8192) = 6',
      card: {},
      asks: { memoryMiB: 2048, corePercent: 25 },
      want: 6,
    },
    { name: 'a card without slots scores 0', card: { slots: 0 }, asks, want: 0 },
    { name: 'a card without compute scores 0', card: { corePercent: 0 }, asks, want: 0 },
    { name: 'a card without memory scores 0', card: { memoryMiB: 0 }, asks, want: 0 },
  ];
  it.each(cases)('$name', ({ card, asks: request, want }) => {
    const [entry] = makeView({ devices: [card] }).devices;
    expect(cardScore(entry!.device, entry!.used, makeDeviceRequest(request), equalWeights)).toBeCloseTo(
      want,
      9,
    );
  });
});

describe('compareCandidates', () => {
  /** Named for what should decide: the score in percent, then NUMA node, index and id. */
  const candidates = [
    { id: 'a', score: 10, numa: 0, index: 0 },
    { id: 'b', score: 10, numa: 0, index: 0 },
    { id: 'c', score: 10, numa: 0, index: 1 },
    { id: 'd', score: 10, numa: 1, index: 0 },
    { id: 'e', score: 20, numa: 0, index: 0 },
    { id: 'f', score: 5, numa: 0, index: 0 },
  ].map(({ score, ...fields }, index) => ({ index, score, used: noUsage, device: makeDevice(fields) }));

  it.each([
    { order: 'binpack', want: 'e d c b a f', why: 'the fullest first' },
    { order: 'spread', want: 'f d c b a e', why: 'the emptiest first' },
  ] as const)(
    '$order takes $why, equals from the highest NUMA node, index and id down',
    ({ order, want }) => {
      const sorted = [...candidates].reverse().sort(compareCandidates(parseDevicePolicy(order).order));
      expect(sorted.map(({ device }) => device.id).join(' ')).toBe(want);
    },
  );

  it('mutex takes what fewest share first, then the highest NUMA node, whatever is full', () => {
    const sharers = [
      { id: 'two', slots: 2, numa: 1, score: 1 },
      { id: 'none', slots: 0, numa: 0, score: 3 },
      { id: 'one', slots: 1, numa: 0, score: 2 },
      { id: 'one-high', slots: 1, numa: 1, score: 2 },
    ].map(({ id, slots, numa, score }, index) => ({
      index,
      score,
      used: { ...noUsage, slots },
      device: makeDevice({ id, numa, index }),
    }));
    const sorted = sharers.sort(compareCandidates(parseDevicePolicy('mutex').order));
    expect(sorted.map(({ device }) => device.id).join(' ')).toBe('none one-high one two');
  });
});
