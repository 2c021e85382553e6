/**
 * The form in which a learnt workload is kept between processes. What is read may have been written by anybody: it is
 * taken whole or refused whole.
 */
import type { DeviceSelector, MemoryRequest } from '../../model/request.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { schemaParser } from '../../wire/validate.ts';
import type { RequestClass, WeightedClass } from './request-class.ts';

/** More are neither written nor read. */
export const mostStoredClasses = 512;

interface JsonClass {
  readonly vendor?: string;
  readonly count?: number;
  readonly memoryMiB?: number;
  readonly memoryPercent?: number;
  readonly corePercent?: number;
  readonly useTypes?: readonly string[];
  readonly avoidTypes?: readonly string[];
  readonly modes?: string;
  readonly cpuMilli: number;
  readonly hostMemoryMiB: number;
  readonly weight: number;
}

interface JsonMix {
  readonly version: 1;
  readonly classes: readonly JsonClass[];
}

/** @param classes weights in pods */
export function mixToJson(classes: readonly WeightedClass[]): JsonMix {
  return { version: 1, classes: classes.slice(0, mostStoredClasses).map(classToJson) };
}

function classToJson(entry: WeightedClass): JsonClass {
  const { vendor, count, memory, corePercent, selector, cpuMilli, memoryMiB, weight } = entry;
  const host = { cpuMilli, hostMemoryMiB: memoryMiB, weight };
  if (vendor === undefined) return host;
  const amount = memory.kind === 'mib' ? { memoryMiB: memory.memoryMiB } : { memoryPercent: memory.percent };
  return { vendor, count, ...amount, corePercent, ...(selector && typesToJson(selector)), ...host };
}

function typesToJson({ useTypes, avoidTypes, modes }: DeviceSelector) {
  return {
    ...(useTypes.length === 0 ? {} : { useTypes }),
    ...(avoidTypes.length === 0 ? {} : { avoidTypes }),
    ...(modes === undefined ? {} : { modes }),
  };
}

/** More thousandths of a core than any host has. One pod that asks for millions of cores would outweigh all others. */
const mostCpuMilli = 2 ** 20;
const natural = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 };
const percent = { ...natural, maximum: 100 };
const text = { type: 'string', minLength: 1, maxLength: 253 };
const texts = { type: 'array', maxItems: 64, items: text };

const readMix = schemaParser<JsonMix>({
  type: 'object',
  required: ['version', 'classes'],
  additionalProperties: false,
  properties: {
    version: { const: 1 },
    classes: {
      type: 'array',
      maxItems: mostStoredClasses,
      items: {
        type: 'object',
        required: ['cpuMilli', 'hostMemoryMiB', 'weight'],
        additionalProperties: false,
        properties: {
          vendor: text,
          count: { ...natural, minimum: 1, maximum: 1024 },
          memoryMiB: natural,
          memoryPercent: percent,
          corePercent: percent,
          useTypes: texts,
          avoidTypes: texts,
          modes: text,
          cpuMilli: { ...natural, maximum: mostCpuMilli },
          hostMemoryMiB: natural,
          weight: { type: 'number', exclusiveMinimum: 0, maximum: 1e12 },
        },
        dependencies: { vendor: ['count', 'corePercent'] },
      },
    },
  },
});

/** All classes together must stay below what a ConfigMap holds, whatever characters they are written in. */
const longestClass = 512;

/**
 * Whether a class can be kept. Anybody may write a pod, and what one pod asks for must neither make what is kept
 * unreadable nor too large to be kept.
 */
export function isKeepable(entry: RequestClass): boolean {
  const json = classToJson({ ...entry, weight: 1 });
  return readMix({ version: 1, classes: [json] }).ok && JSON.stringify(json).length <= longestClass;
}

/** The classes of what `mixToJson` made, weights in pods. */
export function mixFromJson(value: unknown): Parsed<readonly WeightedClass[]> {
  const read = readMix(value);
  return read.ok ? parsed(read.value.classes.map(classFromJson)) : read;
}

function classFromJson(json: JsonClass): WeightedClass {
  const { vendor, count = 0, corePercent = 0, cpuMilli, hostMemoryMiB: memoryMiB, weight } = json;
  const host = { cpuMilli, memoryMiB };
  if (vendor === undefined) {
    return { count: 0, memory: noMemory, corePercent: 0, ...host, weight };
  }
  const { memoryPercent, useTypes = [], avoidTypes = [], modes } = json;
  const memory: MemoryRequest =
    memoryPercent === undefined
      ? { kind: 'mib', memoryMiB: json.memoryMiB ?? 0 }
      : { kind: 'percent', percent: memoryPercent };
  const bound = useTypes.length > 0 || avoidTypes.length > 0 || modes !== undefined;
  const lists = { useTypes, avoidTypes, useIds: [], avoidIds: [], numaBound: false };
  const selector = { ...lists, ...(modes === undefined ? {} : { modes }) };
  return { vendor, count, memory, corePercent, ...host, ...(bound ? { selector } : {}), weight };
}

const noMemory: MemoryRequest = { kind: 'mib', memoryMiB: 0 };
