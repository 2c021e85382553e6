/**
 * Cards in MIG mode with the profiles and placements that NVML reports for them. Memory and multiprocessors are those
 * of NVIDIA's MIG user guide (tables of supported profiles); compute is rounded up as the plugin does it (spec §1.2).
 */
import { migMode, type MigPlacement, type MigProfile } from '../../model/mig.ts';
import type { GpuDescription } from './node-description.ts';

export type MigModel = 'A30' | 'A100-40GB' | 'A100-80GB' | 'H100-80GB';

interface ProfileFacts {
  readonly name: string;
  readonly memoryMiB: number;
  readonly multiprocessors: number;
}

interface ModelFacts {
  readonly type: string;
  readonly memoryMiB: number;
  /** Smallest first; the last is the whole card. */
  readonly profiles: readonly ProfileFacts[];
  /** Where instances of so many compute slices may be, by that number. */
  readonly placements: Readonly<Record<number, readonly MigPlacement[]>>;
  /** The profiles of HAMi's own allow list (spec §3.2). */
  readonly allowed: readonly string[];
}

const at = (size: number, starts: readonly number[]): readonly MigPlacement[] =>
  starts.map((start) => ({ start, size }));

const placementsOfEightSlices = {
  1: at(1, [0, 1, 2, 3, 4, 5, 6]),
  2: at(2, [0, 2, 4]),
  3: at(4, [0, 4]),
  4: at(4, [0]),
  7: at(8, [0]),
};

const models: Readonly<Record<MigModel, ModelFacts>> = {
  A30: {
    type: 'NVIDIA A30',
    memoryMiB: 24_576,
    profiles: [
      { name: '1g.6gb', memoryMiB: 5952, multiprocessors: 14 },
      { name: '2g.12gb', memoryMiB: 11_968, multiprocessors: 28 },
      { name: '4g.24gb', memoryMiB: 24_000, multiprocessors: 56 },
    ],
    placements: { 1: at(1, [0, 1, 2, 3]), 2: at(2, [0, 2]), 4: at(4, [0]) },
    allowed: ['1g.6gb', '2g.12gb', '4g.24gb'],
  },
  'A100-40GB': {
    type: 'NVIDIA A100-SXM4-40GB',
    memoryMiB: 40_960,
    profiles: [
      { name: '1g.5gb', memoryMiB: 4864, multiprocessors: 14 },
      { name: '2g.10gb', memoryMiB: 9984, multiprocessors: 28 },
      { name: '3g.20gb', memoryMiB: 20_096, multiprocessors: 42 },
      { name: '4g.20gb', memoryMiB: 20_096, multiprocessors: 56 },
      { name: '7g.40gb', memoryMiB: 40_448, multiprocessors: 98 },
    ],
    placements: placementsOfEightSlices,
    allowed: ['1g.5gb', '2g.10gb', '3g.20gb', '7g.40gb'],
  },
  'A100-80GB': {
    type: 'NVIDIA A100-SXM4-80GB',
    memoryMiB: 81_920,
    profiles: [
      { name: '1g.10gb', memoryMiB: 9728, multiprocessors: 14 },
      { name: '2g.20gb', memoryMiB: 19_968, multiprocessors: 28 },
      { name: '3g.40gb', memoryMiB: 40_448, multiprocessors: 42 },
      { name: '4g.40gb', memoryMiB: 40_448, multiprocessors: 56 },
      { name: '7g.79gb', memoryMiB: 81_152, multiprocessors: 98 },
    ],
    placements: placementsOfEightSlices,
    allowed: ['1g.10gb', '2g.20gb', '3g.40gb', '7g.79gb'],
  },
  'H100-80GB': {
    type: 'NVIDIA H100 80GB HBM3',
    memoryMiB: 81_559,
    profiles: [
      { name: '1g.10gb', memoryMiB: 9984, multiprocessors: 16 },
      { name: '2g.20gb', memoryMiB: 20_096, multiprocessors: 32 },
      { name: '3g.40gb', memoryMiB: 40_448, multiprocessors: 60 },
      { name: '4g.40gb', memoryMiB: 40_448, multiprocessors: 64 },
      { name: '7g.80gb', memoryMiB: 81_152, multiprocessors: 132 },
    ],
    placements: placementsOfEightSlices,
    allowed: ['1g.10gb', '2g.20gb', '3g.40gb', '7g.80gb'],
  },
};

/**
 * A card in MIG mode.
 *
 * @param allowed the profiles that the plugin may offer; those of HAMi's own allow list where left out
 */
export function migCard(
  model: MigModel,
  allowed: readonly string[] = models[model].allowed,
): GpuDescription & { readonly migProfiles: readonly MigProfile[] } {
  const { type, memoryMiB } = models[model];
  const profiles = profilesOf(model);
  const unknown = allowed.filter((name) => !profiles.some((profile) => profile.name === name));
  if (unknown.length > 0) throw new RangeError(`a card ${model} has no profile ${unknown.join(', ')}`);
  const migProfiles = profiles.filter(({ name }) => allowed.includes(name));
  return { type, memoryMiB, mode: migMode, migProfiles };
}

/** All profiles of a model, smallest first. */
function profilesOf(model: MigModel): readonly MigProfile[] {
  const { profiles, placements } = models[model];
  const all = profiles.at(-1)?.multiprocessors ?? 1;
  return profiles.map(({ name, memoryMiB, multiprocessors }) => {
    const slices = Number.parseInt(name, 10);
    return {
      name,
      memoryMiB,
      corePercent: Math.ceil((multiprocessors * 100) / all),
      slices,
      placements: placements[slices] ?? [],
    };
  });
}
