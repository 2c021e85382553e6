import { describe, expect, it } from '@jest/globals';
import { compareDevices, deviceKey } from '../../src/model/device.ts';
import { withMoreUsed } from '../../src/model/node-view.ts';
import { makeDevice, makeView } from '../support/views.ts';

describe('a node view', () => {
  it('sums the capacity of all its cards, healthy or not, withheld or not', () => {
    const view = makeView({
      devices: [{ healthy: false }, { slots: 4, memoryMiB: 100, corePercent: 150 }, { withheld: true }],
    });
    expect(view.capacity).toEqual({ slots: 24, memoryMiB: 16484, corePercent: 350 });
  });

  it('with more used is a new view; the old one and the cards that are not named stay as they were', () => {
    const view = makeView({ devices: [{ used: { slots: 1, memoryMiB: 10, corePercent: 5 } }, {}] });
    const usage = new Map([
      [deviceKey('NVIDIA', 'gpu-0'), { slots: 2, memoryMiB: 20, corePercent: 30 }],
      [deviceKey('NVIDIA', 'gone'), { slots: 9, memoryMiB: 9, corePercent: 9 }],
    ]);
    const slices = new Map([[deviceKey('NVIDIA', 'gpu-0'), [{ start: 2, size: 2 }]]]);
    const more = withMoreUsed(view, { usage, slices });
    expect(more.devices.map(({ occupied }) => occupied)).toEqual([[{ start: 2, size: 2 }], []]);
    expect(more.devices.map(({ used }) => used)).toEqual([
      { slots: 3, memoryMiB: 30, corePercent: 35 },
      { slots: 0, memoryMiB: 0, corePercent: 0 },
    ]);
    expect(view.devices[0]?.used).toEqual({ slots: 1, memoryMiB: 10, corePercent: 5 });
    expect(more.devices[1]).toBe(view.devices[1]);
  });
});

describe('compareDevices', () => {
  it('orders by vendor, then index, then id, byte by byte', () => {
    const devices = [
      makeDevice({ vendor: 'NVIDIA', index: 10, id: 'a' }),
      makeDevice({ vendor: 'NVIDIA', index: 2, id: 'b' }),
      makeDevice({ vendor: 'NVIDIA', index: 2, id: 'B' }),
      makeDevice({ vendor: 'DCU', index: 99, id: 'z' }),
    ];
    expect([...devices].sort(compareDevices).map(({ id }) => id)).toEqual(['z', 'B', 'b', 'a']);
    expect(compareDevices(devices[0]!, { ...devices[0]! })).toBe(0);
  });
});
