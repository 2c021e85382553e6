/**
 * The pods of the demo: what people run on shared cards, in the mix in which they run it. The sizes are such that one
 * pod a second nearly fills a dozen nodes; now and then somebody asks for more than there is.
 */
import { runSecondsAnnotation } from './node-agent/pod-status.ts';
import { pick, pickWeighted } from './demo-cluster-random.ts';

type Quantities = Readonly<Record<string, string | number>>;

interface PodShape {
  /** Per container. */
  readonly limits: readonly Quantities[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly affinity?: object;
  /** Shortest and longest run; absent for pods that would run until they are deleted. */
  readonly seconds: readonly [number, number];
}

interface Workload {
  /** Names are this and a number. */
  readonly name: string;
  readonly shape: (random: () => number) => PodShape;
}

const count = 'nvidia.com/gpu';
const memory = 'nvidia.com/gpumem';
const memoryPercent = 'nvidia.com/gpumem-percentage';
const cores = 'nvidia.com/gpucores';

const inference: Workload = {
  name: 'inference',
  shape: (random) => ({
    limits: [
      {
        [count]: 1,
        [memory]: pick([2000, 3000, 4096, 6000, 8192, 12_288], random),
        [cores]: pick([10, 20, 30], random),
        cpu: 1,
        memory: '2Gi',
      },
    ],
    seconds: [60, 240],
  }),
};

/** Where the zone matters little, but matters. */
const notebook: Workload = {
  name: 'notebook',
  shape: (random) => ({
    limits: [{ [count]: 1, [memory]: pick([8192, 10_240, 16_384, 20_480], random), cpu: 2, memory: '8Gi' }],
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 10,
            preference: {
              matchExpressions: [
                {
                  key: 'topology.kubernetes.io/zone',
                  operator: 'In',
                  values: [pick(['a', 'b', 'c'], random)],
                },
              ],
            },
          },
        ],
      },
    },
    seconds: [90, 300],
  }),
};

const batch: Workload = {
  name: 'batch',
  shape: () => ({
    limits: [{ [count]: 1, [memoryPercent]: 50, [cores]: 40, cpu: 2, memory: '4Gi' }],
    seconds: [10, 30],
  }),
};

const training: Workload = {
  name: 'training',
  shape: (random) => ({
    limits: [{ [count]: pick([1, 1, 2], random), [cores]: 100, cpu: 8, memory: '64Gi' }],
    seconds: [60, 150],
  }),
};

const largeTraining: Workload = {
  name: 'llm-training',
  shape: (random) => ({
    limits: [{ [count]: pick([4, 4, 8], random), [cores]: 100, cpu: 32, memory: '256Gi' }],
    annotations: { 'nvidia.com/use-gputype': 'A100,H100' },
    seconds: [60, 120],
  }),
};

const pipeline: Workload = {
  name: 'pipeline',
  shape: () => ({
    limits: [
      { [count]: 1, [memory]: 2000, cpu: 1, memory: '1Gi' },
      { [count]: 1, [memoryPercent]: 30, [cores]: 30, cpu: 1, memory: '4Gi' },
    ],
    seconds: [60, 180],
  }),
};

/** Nothing in the demo has this. */
const tooBig: Workload = {
  name: 'too-big',
  shape: (random) => ({
    limits: [pick([{ [count]: 16 }, { [count]: 1, [memory]: 163_840 }], random)],
    seconds: [60, 60],
  }),
};

const workloads: readonly (readonly [weight: number, workload: Workload])[] = [
  [46, inference],
  [18, notebook],
  [12, batch],
  [10, training],
  [3, largeTraining],
  [8, pipeline],
  [3, tooBig],
];

/** Marks the pods of the stream, so that pods of others are left alone. */
export const streamLabel = 'tessera.io/demo-stream';

/** Manifests, one after the other, with names of their own; the same seed makes the same ones. */
export function* examplePods(namespace: string, random: () => number): Generator<object, never> {
  for (let number = 1; ; number += 1) {
    const { name, shape } = pickWeighted(workloads, random);
    yield podOf({ namespace, name: `${name}-${number}` }, shape(random), random);
  }
}

function podOf(
  metadata: { readonly namespace: string; readonly name: string },
  { limits, annotations, affinity, seconds: [shortest, longest] }: PodShape,
  random: () => number,
): object {
  const seconds = Math.round(shortest + random() * (longest - shortest));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      labels: { [streamLabel]: 'true' },
      annotations: { ...annotations, [runSecondsAnnotation]: String(seconds) },
    },
    spec: {
      terminationGracePeriodSeconds: 1,
      restartPolicy: 'Never',
      ...(affinity === undefined ? {} : { affinity }),
      containers: limits.map((quantities, index) => ({
        name: limits.length === 1 ? 'main' : (['decode', 'model'][index] ?? `c${index}`),
        image: 'registry.k8s.io/pause:3.10',
        resources: { limits: quantities },
      })),
    },
  };
}
