/**
 * A request class: what pods of one kind ask for, as far as it matters to what idle cards are worth. A pod is one class,
 * so what it asks in several containers is told in one line: as many cards as it holds at its worst moment, each as
 * large as the largest it asks for, of the family that it names first. That is exact for the usual pod of one container
 * and an estimate for the others; it weighs placements and never decides whether one is possible.
 */
import { effectiveAmount } from '../../model/container-role.ts';
import { compareText, type VendorKey } from '../../model/device.ts';
import type { DeviceRequest, DeviceSelector, MemoryRequest, PodRequest } from '../../model/request.ts';

export interface RequestClass {
  /** Absent: it asks for no device, and `count` is 0. */
  readonly vendor?: VendorKey;
  readonly count: number;
  /** Of each card. */
  readonly memory: MemoryRequest;
  /** Of each card; 0 asks for no guaranteed compute. */
  readonly corePercent: number;
  /** The types and modes it accepts; no ids and no NUMA binding. */
  readonly selector?: DeviceSelector;
  /** Of the host, in thousandths of a core. */
  readonly cpuMilli: number;
  /** Of the host. */
  readonly memoryMiB: number;
}

export interface WeightedClass extends RequestClass {
  /** How often it comes; only the proportions count. Positive. */
  readonly weight: number;
}

const noMemory: MemoryRequest = { kind: 'mib', memoryMiB: 0 };

export function classOf({ containers, selectors, host }: PodRequest): RequestClass {
  const asked = containers.flatMap(({ devices }) => devices).filter(({ count }) => count > 0);
  const { cpuMilli, memoryMiB } = host;
  const [first] = asked;
  if (first === undefined) return { count: 0, memory: noMemory, corePercent: 0, cpuMilli, memoryMiB };
  const { vendor } = first;
  const ofVendor = asked.filter((wanted) => wanted.vendor === vendor);
  const { memory, corePercent } = ofVendor.reduce((most, wanted) => (isLarger(wanted, most) ? wanted : most));
  const count = effectiveAmount(
    containers.map(({ role }) => role),
    (index) => containers[index]?.devices.find((wanted) => wanted.vendor === vendor)?.count ?? 0,
  );
  const selector = typesOf(selectors.get(vendor));
  return {
    vendor,
    count,
    memory,
    corePercent,
    ...(selector === undefined ? {} : { selector }),
    cpuMilli,
    memoryMiB,
  };
}

/** By the part of a card that is asked for; what is asked in MiB is a part of a card that is not known yet. */
function isLarger(a: DeviceRequest, b: DeviceRequest): boolean {
  const [partA, partB] = [partOf(a), partOf(b)];
  return partA === partB ? mebibytesOf(a.memory) > mebibytesOf(b.memory) : partA > partB;
}

function partOf({ memory, corePercent }: DeviceRequest): number {
  return memory.kind === 'percent' ? Math.max(memory.percent, corePercent) : corePercent;
}

function mebibytesOf(memory: MemoryRequest): number {
  return memory.kind === 'mib' ? memory.memoryMiB : 0;
}

function typesOf(selector: DeviceSelector | undefined): DeviceSelector | undefined {
  if (selector === undefined) return undefined;
  const { useTypes, avoidTypes, modes } = selector;
  if (useTypes.length === 0 && avoidTypes.length === 0 && modes === undefined) return undefined;
  const noIds = { useIds: [], avoidIds: [], numaBound: false };
  return { useTypes, avoidTypes, ...noIds, ...(modes === undefined ? {} : { modes }) };
}

/** Equal for classes that no measure tells apart. Host memory is not in it: no measure looks at that. */
export function classKey({ vendor, count, memory, corePercent, selector, cpuMilli }: RequestClass): string {
  if (vendor === undefined) return `${cpuMilli}`;
  const amount = memory.kind === 'mib' ? `${memory.memoryMiB}MiB` : `${memory.percent}%`;
  return `${cpuMilli}/${vendor}/${count}/${amount}/${corePercent}${selectorText(selector)}`;
}

function selectorText(selector: DeviceSelector | undefined): string {
  if (selector === undefined) return '';
  const { useTypes, avoidTypes, modes } = selector;
  return JSON.stringify([useTypes, avoidTypes, modes ?? null]);
}

/** One entry per class, in order of first appearance, with the weights added up. */
export function mergeClasses(classes: Iterable<WeightedClass>): readonly WeightedClass[] {
  const merged = new Map<string, WeightedClass>();
  for (const entry of classes) {
    const key = classKey(entry);
    const before = merged.get(key);
    merged.set(key, before === undefined ? entry : { ...before, weight: before.weight + entry.weight });
  }
  return [...merged.values()];
}

const fineMemoryMiB = 256;
const coarseMemoryMiB = 1024;
/** Below this, card memory is told to `fineMemoryMiB`. */
const coarseFromMiB = 8192;
const percentStep = 5;
const cpuStepMilli = 500;

/** The class rounded up: equal for pods that ask for about the same, of which a live cluster has tens and not thousands. */
export function bucketed(entry: RequestClass): RequestClass {
  const { selector } = entry;
  return {
    ...entry,
    ...(selector === undefined ? {} : { selector: inOrder(selector) }),
    memory: bucketedMemory(entry.memory),
    corePercent: Math.min(100, upTo(percentStep, entry.corePercent)),
    cpuMilli: upTo(cpuStepMilli, entry.cpuMilli),
    memoryMiB: upTo(coarseMemoryMiB, entry.memoryMiB),
  };
}

/** As written, types may come in any order and more than once. */
function inOrder(selector: DeviceSelector): DeviceSelector {
  const { useTypes, avoidTypes } = selector;
  const sorted = (types: readonly string[]) => [...new Set(types)].sort(compareText);
  return { ...selector, useTypes: sorted(useTypes), avoidTypes: sorted(avoidTypes) };
}

function bucketedMemory(memory: MemoryRequest): MemoryRequest {
  if (memory.kind === 'percent') {
    return { kind: 'percent', percent: Math.min(100, upTo(percentStep, memory.percent)) };
  }
  const { memoryMiB } = memory;
  return {
    kind: 'mib',
    memoryMiB: upTo(memoryMiB < coarseFromMiB ? fineMemoryMiB : coarseMemoryMiB, memoryMiB),
  };
}

function upTo(step: number, amount: number): number {
  return Math.ceil(amount / step) * step;
}
