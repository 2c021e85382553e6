/** A pod's wishes and gifts in a few words, for people who read along. */
import type { NvidiaConfig } from '../../vendors/nvidia/nvidia-settings.ts';
import type { Share } from '../../model/allocation.ts';
import { askedQuantity, type ContainerObject } from '../../model/cluster-objects.ts';
import { countOf } from '../../model/quantity.ts';

/** E.g. `1 × 8192 MiB, 30 %`, or `2 whole cards`; containers are joined by ` + `. Empty for a pod without cards. */
export function askText(containers: readonly ContainerObject[], config: NvidiaConfig): string {
  return containers
    .map((container) => containerText(container, config))
    .filter((text) => text !== '')
    .join(' + ');
}

function containerText(container: ContainerObject, config: NvidiaConfig): string {
  const amount = (resource: string) => countOf(askedQuantity(container, resource));
  const cards = amount(config.resourceCountName);
  if (cards === 0) return '';
  const mebibytes = amount(config.resourceMemoryName);
  const percent = amount(config.resourceMemoryPercentageName);
  if (mebibytes === 0 && (percent === 0 || percent === 100)) {
    return cards === 1 ? 'a whole card' : `${cards} whole cards`;
  }
  const cores = amount(config.resourceCoreName);
  const memory = mebibytes === 0 ? `${percent} % memory` : `${mebibytes} MiB`;
  return `${cards} × ${memory}${cores === 0 ? '' : `, ${cores} %`}`;
}

/** Where the shares are, e.g. `card 3` or `cards 0, 1`; cards that are not known by index are left out. */
export function cardsText(
  shares: readonly Share[],
  indexOf: (deviceId: string) => number | undefined,
): string {
  const indexes = new Set(shares.flatMap(({ deviceId }) => indexOf(deviceId) ?? []));
  const listed = [...indexes].sort((a, b) => a - b).join(', ');
  return indexes.size === 0 ? '' : `${indexes.size === 1 ? 'card' : 'cards'} ${listed}`;
}

/** Minutes and seconds, e.g. `2:05`. */
export function elapsedText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
