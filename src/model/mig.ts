/**
 * MIG: an NVIDIA card cut into hardware instances. An instance has a profile (how large) and a placement (which memory
 * slices of the card); two instances live together iff their placements do not overlap (spec §1.2, §5.7).
 */

/** The half-open range of memory slices `[start, start + size)`. */
export interface MigPlacement {
  readonly start: number;
  readonly size: number;
}

export interface MigProfile {
  /** As NVIDIA names it, e.g. `2g.10gb`. */
  readonly name: string;
  readonly memoryMiB: number;
  /** Percent of the card's compute. */
  readonly corePercent: number;
  readonly slices: number;
  /** Where an instance of this profile may begin, as the plugin reports it. */
  readonly placements: readonly MigPlacement[];
}

/** One instance, planned or made. */
export interface MigInstance {
  readonly profile: string;
  readonly placement: MigPlacement;
}

/** The operating mode of cards that are handed out in instances. */
export const migMode = 'mig';

/** True for a card that is handed out in instances. */
export function isCut(card: { readonly mode: string }): boolean {
  return card.mode === migMode;
}

export function overlaps(a: MigPlacement, b: MigPlacement): boolean {
  return a.start < b.start + b.size && b.start < a.start + a.size;
}
