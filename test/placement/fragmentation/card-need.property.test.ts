import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { noUsage } from '../../../src/model/device.ts';
import { withShare } from '../../../src/placement/draft.ts';
import { refuseCard } from '../../../src/placement/fit-card.ts';
import { needOf } from '../../../src/placement/fragmentation/card-need.ts';
import { CardRows } from '../../../src/placement/fragmentation/card-rows.ts';
import { scaleOf } from '../../../src/placement/fragmentation/card-scale.ts';
import { wholeCard } from '../../../src/placement/fragmentation/cutting-stock.ts';
import type { RequestClass } from '../../../src/placement/fragmentation/request-class.ts';
import { arbitraryCard, often } from '../../support/arbitrary-cards.ts';
import { makeDeviceRequest, makeSelector } from '../../support/requests.ts';
import { makeView } from '../../support/views.ts';

const arbitraryAsked = fc.record({
  memory: fc.oneof(
    fc
      .constantFrom(0, 128, 1000, 2048, 4096, 5952, 8192, 9000, 20_000, 40_960)
      .map((memoryMiB) => ({ memoryMiB })),
    fc.constantFrom(0, 10, 25, 50, 100).map((memoryPercent) => ({ memoryPercent })),
  ),
  corePercent: often(0, [10, 25, 50, 100], 4),
  vendor: often('NVIDIA', ['DCU'], 6),
  selector: often(undefined, [{ useTypes: ['a100'] }, { avoidTypes: ['v100'] }, { modes: 'mig' }], 6),
});

describe('what the measure believes to fit', () => {
  it('is what the planner would take, on every card', () => {
    let fitting = 0;
    fc.assert(
      fc.property(arbitraryCard, arbitraryAsked, (cardFields, { memory, corePercent, vendor, ...rest }) => {
        const card = makeView({ devices: [cardFields] }).devices[0]!;
        const request = makeDeviceRequest({ vendor, corePercent, ...memory });
        const selector = rest.selector === undefined ? undefined : makeSelector(rest.selector);
        const entry: RequestClass = {
          ...request,
          ...(selector === undefined ? {} : { selector }),
          cpuMilli: 0,
          memoryMiB: 0,
        };
        const need = needOf(entry, card.device);
        const rows = new CardRows({
          device: card.device,
          scale: scaleOf(card.device, 0.5),
          roomPrices: new Float64Array(wholeCard + 1),
          needs: [need],
        });
        const refused = refuseCard(card, card, { request, selector, idleOnly: false });
        const want = vendor === card.device.vendor && refused === undefined;
        const row = rows.of(card, card);
        expect(row.serves[0] === 1).toBe(want);
        if (!want) return;
        fitting += 1;
        expect(row.fit[0]).toBe(row.idleMilli);
        const share = {
          vendor,
          deviceId: card.device.id,
          memoryMiB: need!.memoryMiB,
          corePercent: need!.cores,
        };
        expect(rows.ofMore(card, card, share)).toEqual(rows.of(card, withShare(card, share)));
      }),
      { numRuns: 3000 },
    );
    expect(fitting).toBeGreaterThan(300);
  });

  it('of what no idle card would do, there is no need', () => {
    const card = makeView({ devices: [{}] }).devices[0]!;
    const entry = { ...makeDeviceRequest({ memoryMiB: 8193 }), cpuMilli: 0, memoryMiB: 0 };
    expect(needOf(entry, card.device)).toBeUndefined();
    expect(needOf({ ...entry, count: 0 }, card.device)).toBeUndefined();
  });

  it('a card in trouble now is judged as the kind that it is', () => {
    const card = makeView({ devices: [{ healthy: false, slots: 0 }] }).devices[0]!;
    const entry = { ...makeDeviceRequest({ memoryMiB: 100 }), cpuMilli: 0, memoryMiB: 0 };
    expect(needOf(entry, card.device)).toMatchObject({ memoryMiB: 100 });
    expect(card.used).toEqual(noUsage);
  });
});
