/** Classes for tests: of one card of 10,000 MiB and 100 percent each takes the same part of both, as on a replayed trace. */
import type { NodeView } from '../../../src/model/node-view.ts';
import type { WeightedClass } from '../../../src/placement/fragmentation/request-class.ts';
import { makeSelector } from '../../support/requests.ts';
import { type CardFields, makeView } from '../../support/views.ts';

export interface ClassFields {
  /** Percent of each card; absent: it asks for no device. */
  readonly percent?: number;
  readonly count?: number;
  readonly cpuMilli?: number;
  readonly weight?: number;
  readonly types?: readonly string[];
  readonly vendor?: string;
}

export function makeClass(fields: ClassFields = {}): WeightedClass {
  const { percent, count = 1, cpuMilli = 1000, weight = 1, types, vendor = 'NVIDIA' } = fields;
  const host = { cpuMilli, memoryMiB: 0, weight };
  if (percent === undefined) {
    return { count: 0, memory: { kind: 'mib', memoryMiB: 0 }, corePercent: 0, ...host };
  }
  return {
    vendor,
    count,
    memory: { kind: 'mib', memoryMiB: percent * 100 },
    corePercent: percent,
    ...(types === undefined ? {} : { selector: makeSelector({ useTypes: types }) }),
    ...host,
  };
}

/** A card of which so many percent are used, of memory and of compute alike. */
export function makeCard(usedPercent = 0, fields: CardFields = {}): CardFields {
  const used = usedPercent === 0 ? {} : { slots: 1, memoryMiB: usedPercent * 100, corePercent: usedPercent };
  return { memoryMiB: 10_000, used, ...fields };
}

/** A node with cards used so much, and so much CPU free. */
export function makeNode(cards: readonly CardFields[], cpuMilli = 64_000, slot?: number): NodeView {
  const view = makeView({ devices: cards, hostFree: { cpuMilli, memoryMiB: 100_000, pods: 100 } });
  return slot === undefined ? view : { ...view, slot };
}
