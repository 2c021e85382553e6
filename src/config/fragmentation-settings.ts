/**
 * The settings of the policy `fragmentation` and of what is measured of fragmentation: the workload, learnt or given,
 * and how long it is remembered.
 */
import type { SectionSchema } from '../wire/setting-schema.ts';
import type { FragmentationConfig } from './config.ts';

const largestInt32 = 2 ** 31 - 1;
const day = 86_400;

const natural = { type: 'integer', minimum: 0, maximum: largestInt32, default: 0 } as const;

/** One that is left empty is a pod that takes one whole card. */
const workloadItem = {
  type: 'object',
  additionalProperties: false,
  properties: {
    resource: { type: 'string', default: '' },
    cards: { ...natural, maximum: 1024, default: 1 },
    memoryMiB: natural,
    memoryPercent: { type: 'integer', minimum: 1, maximum: 100, default: 100 },
    cores: { ...natural, maximum: 100 },
    cpuMilli: natural,
    hostMemoryMiB: natural,
    types: { type: 'array', items: { type: 'string', minLength: 1 }, default: [] },
    weight: { type: 'number', exclusiveMinimum: 0, maximum: 1e12, default: 1 },
  },
} as const;

export const fragmentationSettings = {
  type: 'object',
  additionalProperties: false,
  default: {},
  properties: {
    workload: {
      type: 'array',
      items: workloadItem,
      default: [],
      description:
        'What the pods to come are taken to ask for: a list of `{resource, cards, memoryMiB, memoryPercent, cores, cpuMilli, hostMemoryMiB, types, weight}`, see docs/fragmentation.md. Empty: learnt from the pods that ask for cards, and with `nodePolicy: fragmentation` kept in the ConfigMap `tessera-workload`.',
    },
    halfLifePods: {
      type: 'integer',
      minimum: 1,
      maximum: largestInt32,
      default: 2000,
      description: 'After how many further pods one that was seen counts half in the learnt workload.',
    },
    refreshSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: day,
      default: 60,
      description:
        'Least time between two looks at whether the workload or the cluster has changed so much that placements are judged anew, in seconds.',
    },
  },
} as const satisfies SectionSchema<FragmentationConfig>;
