/**
 * What the pods of a benchmark ask for: shares of cards, several cards, cards of a type, of one NUMA node, MIG
 * instances and whole cards; many small shares; and what no machine could ever give. Drawn from a seed, so a run can be
 * repeated.
 */
import { pickWeighted } from '../../src/emulator/demo-cluster-random.ts';
import { anyOf } from './any-of.ts';

export type PodKind = 'fractional' | 'percent' | 'multi-card' | 'typed' | 'numa' | 'mig' | 'whole';

export interface PodWish {
  /** Becomes part of the pod's name. */
  readonly kind: string;
  /** Of its one container that uses cards, as admission leaves them. */
  readonly limits: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What it takes of the host; as a training job does where left out. */
  readonly host?: { readonly cpu: string; readonly memory: string };
}

const count = 'nvidia.com/gpu';
const memory = 'nvidia.com/gpumem';
const memoryPercent = 'nvidia.com/gpumem-percentage';
const cores = 'nvidia.com/gpucores';

type Draw = (random: () => number) => Omit<PodWish, 'kind'>;

const draws: Readonly<Record<PodKind, Draw>> = {
  fractional: (random) => ({
    limits: {
      [count]: '1',
      [memory]: anyOf(['4000', '8000', '12000', '20000', '30000'], random),
      [cores]: anyOf(['10', '20', '30', '50'], random),
    },
    annotations: {},
  }),
  percent: (random) => ({
    limits: { [count]: '1', [memoryPercent]: anyOf(['25', '50', '75'], random), [cores]: '25' },
    annotations: {},
  }),
  'multi-card': (random) => ({
    limits: { [count]: anyOf(['2', '4'], random), [memory]: anyOf(['8000', '16000'], random), [cores]: '20' },
    annotations: {},
  }),
  typed: (random) => ({
    limits: { [count]: '1', [memory]: anyOf(['16000', '24000'], random), [cores]: '30' },
    annotations: anyOf(
      [{ 'nvidia.com/use-gputype': 'A100,H100' }, { 'nvidia.com/nouse-gputype': 'T4' }],
      random,
    ),
  }),
  numa: () => ({
    limits: { [count]: '2', [memory]: '16000', [cores]: '30' },
    annotations: { 'nvidia.com/numa-bind': 'true' },
  }),
  mig: (random) => ({
    limits: { [count]: '1', [memory]: anyOf(['8000', '18000', '38000'], random), [cores]: '0' },
    annotations: { 'nvidia.com/vgpu-mode': 'mig' },
  }),
  whole: (random) => ({
    limits: { [count]: anyOf(['1', '2', '4'], random), [memoryPercent]: '100', [cores]: '100' },
    annotations: {},
  }),
};

const weights: readonly (readonly [weight: number, kind: PodKind])[] = [
  [44, 'fractional'],
  [10, 'percent'],
  [14, 'multi-card'],
  [12, 'typed'],
  [8, 'numa'],
  [5, 'mig'],
  [7, 'whole'],
];

export const podKinds: readonly PodKind[] = weights.map(([, kind]) => kind);

export function drawPod(random: () => number): PodWish {
  return drawPodOf(pickWeighted(weights, random), random);
}

/** From the same mix, without those that need a card in MIG mode. */
export function drawPlainPod(random: () => number): PodWish {
  return drawPodOf(
    pickWeighted(
      weights.filter(([, kind]) => kind !== 'mig'),
      random,
    ),
    random,
  );
}

export function drawPodOf(kind: PodKind, random: () => number): PodWish {
  return { kind, ...draws[kind](random) };
}

/** A pod that asks for a small share of one card, and of the host for next to nothing. */
export function drawSmallPod(random: () => number): PodWish {
  return {
    kind: 'small',
    limits: { [count]: '1', [memory]: anyOf(['1000', '2000', '3000', '4000'], random), [cores]: '5' },
    annotations: {},
    host: { cpu: '100m', memory: '128Mi' },
  };
}

/** The same pod for a scheduler that knows no cards. */
export function withoutCards(wish: PodWish): PodWish {
  return { ...wish, limits: {}, annotations: {} };
}

const impossible: readonly Omit<PodWish, 'kind'>[] = [
  { limits: { [count]: '32' }, annotations: {} },
  { limits: { [count]: '1', [memory]: '163840' }, annotations: {} },
  { limits: { [count]: '1', [memory]: '4000' }, annotations: { 'nvidia.com/use-gputype': 'MI300X' } },
  { limits: { [count]: '2', [memory]: '163840' }, annotations: { 'nvidia.com/numa-bind': 'true' } },
];

/** A pod that fits on none of the machines, whatever runs there. */
export function drawImpossiblePod(random: () => number): PodWish {
  return { kind: 'impossible', ...anyOf(impossible, random) };
}
