/**
 * How well the cards of a machine are linked, in the points of the plugin's topology annotation (spec §1.4): every
 * pair has one path over PCIe and perhaps NVLinks beside it. The plugin publishes it only where it is told to.
 */
import type { Device } from '../../model/device.ts';

export interface CardLink {
  /** Positions of the two cards in the node's description. */
  readonly cards: readonly [number, number];
  /** By NUMA nodes where left out: `NODE` within one, `SYS` across. */
  readonly path?: PcieTopology;
  /** Direct NVLinks, or the fewer of both cards' links to the NVSwitch; 0 where left out. */
  readonly nvlinks?: number;
}

/** As `nvidia-smi topo` names them; `BOARD` for two chips of one card. */
export type PcieTopology = 'SYS' | 'NODE' | 'PHB' | 'PXB' | 'PIX' | 'BOARD';

const pciePoints: Readonly<Record<PcieTopology, number>> = {
  SYS: 10,
  NODE: 20,
  PHB: 30,
  PXB: 40,
  PIX: 50,
  BOARD: 60,
};
const pointsPerNvlink = 100;
const mostNvlinks = 18;

/** The points of every other card, for the card at a position; `numaOf` tells each card's NUMA node. */
export function linkScoresOf(
  position: number,
  cards: readonly { readonly id: string; readonly numa: number }[],
  links: readonly CardLink[],
): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (const [other, { id, numa }] of cards.entries()) {
    if (other === position) continue;
    const link = links.find(({ cards: pair }) => pair.includes(position) && pair.includes(other));
    const { path = numa === cards[position]?.numa ? 'NODE' : 'SYS', nvlinks = 0 } = link ?? {};
    scores.set(id, pciePoints[path] + (nvlinks > mostNvlinks ? 0 : nvlinks * pointsPerNvlink));
  }
  return scores;
}

/** The annotation's value: one object per device, in the order given, the peers sorted as Go writes maps. */
export function formatLinkScores(devices: readonly Device[]): string {
  return JSON.stringify(
    devices.map(({ id, linkScores }) => ({
      uuid: id,
      score: Object.fromEntries([...(linkScores ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))),
    })),
  );
}
