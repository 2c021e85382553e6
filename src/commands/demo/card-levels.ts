/** How full cards are, one character a card: empty, eight levels, full; a sick card and one set aside have their own. */
import type { DeviceView } from '../../model/node-view.ts';
import { type Line, piece } from './painting.ts';

export const dimensions = ['slots', 'memoryMiB', 'corePercent'] as const;
export type Dimension = (typeof dimensions)[number];

const levels = '▁▂▃▄▅▆▇█';

export function cardLevels(devices: readonly DeviceView[], dimension: Dimension): Line {
  return devices.map(({ device, used, withheld }) => {
    if (!device.healthy) return piece('x', 'bad');
    if (withheld) return piece('!', 'notice');
    if (used[dimension] <= 0) return piece('·', 'faint');
    const level = Math.ceil((levels.length * used[dimension]) / device[dimension]);
    return piece(levels.charAt(Math.min(levels.length, level) - 1), 'bar');
  });
}

/** Of all cards that can be used, in percent. */
export function usedPercent(devices: readonly DeviceView[], dimension: Dimension): number {
  const healthy = devices.filter(({ device }) => device.healthy);
  const capacity = healthy.reduce((sum, { device }) => sum + device[dimension], 0);
  const used = healthy.reduce((sum, view) => sum + view.used[dimension], 0);
  return capacity === 0 ? 0 : Math.round((100 * used) / capacity);
}
