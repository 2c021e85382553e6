import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucketed, classKey } from '../../../src/placement/fragmentation/request-class.ts';
import { WorkloadMix, type WorkloadMixOptions } from '../../../src/placement/fragmentation/workload-mix.ts';
import { makePodRequest, type PodRequestFields } from '../../support/requests.ts';

const small: PodRequestFields = { containers: [{ memoryMiB: 1024, corePercent: 10 }] };
const large: PodRequestFields = { containers: [{ count: 4 }] };
const plain: PodRequestFields = { containers: [{ devices: [] }] };

function mixOf(pods: readonly PodRequestFields[], options?: WorkloadMixOptions): WorkloadMix {
  const mix = new WorkloadMix(options);
  for (const pod of pods) mix.note(makePodRequest(pod));
  return mix;
}

function weightsOf(mix: WorkloadMix): readonly (readonly [number, number])[] {
  return mix.classes().map(({ count, weight }) => [count, weight] as const);
}

describe('a learnt workload', () => {
  it('counts pods of a class together, the most frequent class first', () => {
    const mix = mixOf([large, small, plain, small, small], { halfLifePods: 1e9 });
    expect(mix.noted).toBe(5);
    expect(weightsOf(mix).map(([count, weight]) => [count, Math.round(weight)])).toEqual([
      [1, 3],
      [0, 1],
      [4, 1],
    ]);
  });

  it('takes pods that ask for about the same as one class, for which the first of them stands', () => {
    const mix = mixOf([{ containers: [{ memoryMiB: 1000 }] }, { containers: [{ memoryMiB: 900 }] }]);
    expect(mix.classes()).toHaveLength(1);
    expect(mix.classes()[0]).toMatchObject({ memory: { kind: 'mib', memoryMiB: 1000 } });
  });

  it('counts a pod half when as many came after it as the half-life says', () => {
    const [first, second] = weightsOf(mixOf([large, small, small], { halfLifePods: 2 }));
    expect(first?.[1]).toBeCloseTo(1 + Math.SQRT1_2, 12);
    expect(second?.[1]).toBeCloseTo(0.5, 12);
  });

  it('goes on for ever: after very many pods the weights are what they should be', () => {
    const mix = mixOf([large], { halfLifePods: 1 });
    for (let pods = 0; pods < 2500; pods += 1) mix.note(makePodRequest(small));
    const [only, ...others] = weightsOf(mix);
    expect(only?.[1]).toBeCloseTo(2, 9);
    expect(others).toEqual([]);
  });

  it('tells the 128 heaviest classes, however many there are', () => {
    const mix = new WorkloadMix();
    for (let kind = 1; kind <= 2000; kind += 1)
      mix.note(makePodRequest({ containers: [{ memoryMiB: 1024 * kind }] }));
    for (let pods = 0; pods < 3; pods += 1) mix.note(makePodRequest(small));
    const classes = mix.classes();
    expect(classes).toHaveLength(128);
    expect(classes[0]).toMatchObject({ count: 1, corePercent: 10 });
    expect(classes[1]).toMatchObject({ memory: { kind: 'mib', memoryMiB: 1024 * 2000 } });
    expect(classes.every(({ weight }, index) => weight <= (classes[index - 1]?.weight ?? Infinity))).toBe(
      true,
    );
  });

  it('assumes a quarter, a half and a whole card of every family of which it saw too little', () => {
    const assumed = (mix: WorkloadMix, vendor: string) =>
      mix
        .classes()
        .filter((entry) => entry.vendor === vendor && entry.memory.kind === 'percent')
        .map(({ memory, weight }) => [memory.kind === 'percent' && memory.percent, weight]);
    const options = { vendors: ['NVIDIA', 'DCU'], halfLifePods: 1e9 };
    const third = 20 / 3;
    const all = [
      [25, third],
      [50, third],
      [100, third],
    ];
    expect(assumed(mixOf([], options), 'NVIDIA')).toEqual(all);
    const some = mixOf(
      Array.from({ length: 17 }, () => small),
      options,
    );
    expect(
      assumed(some, 'NVIDIA').map(([percent, weight]) => [percent, Math.round(Number(weight) * 1e6)]),
    ).toEqual([
      [25, 1e6],
      [50, 1e6],
      [100, 1e6],
    ]);
    expect(assumed(some, 'DCU')).toEqual(all);
    const enough = mixOf(
      Array.from({ length: 21 }, () => small),
      options,
    );
    expect(assumed(enough, 'NVIDIA')).toEqual([]);
  });

  it('assumes nothing where nobody says of what', () => {
    expect(new WorkloadMix().classes()).toEqual([]);
  });
});

describe('the kept form of a workload', () => {
  const arbitraryPod = fc.record({
    containers: fc
      .record({
        count: fc.nat({ max: 3 }),
        memoryMiB: fc.nat({ max: 20_000 }),
        corePercent: fc.nat({ max: 100 }),
        vendor: fc.constantFrom('NVIDIA', 'DCU'),
      })
      .map((container) => [container]),
    selectors: fc.constantFrom(
      {},
      { NVIDIA: { useTypes: ['a100'], avoidTypes: ['x'], modes: 'mig' } },
      { DCU: { avoidTypes: ['z100'] } },
    ),
    host: fc.record({
      cpuMilli: fc.nat({ max: 9000 }),
      memoryMiB: fc.nat({ max: 9000 }),
      pods: fc.constant(1),
    }),
  });

  it('read again, says the same', () => {
    fc.assert(
      fc.property(fc.array(arbitraryPod, { maxLength: 60 }), (pods) => {
        const mix = mixOf(pods, { halfLifePods: 10 });
        const text = JSON.stringify(mix.toJson());
        const read = WorkloadMix.fromJson(JSON.parse(text), { halfLifePods: 10 });
        if (!read.ok) throw new Error(read.problem);
        expect(read.value.noted).toBe(0);
        const weights = (of: WorkloadMix) =>
          new Map(of.classes().map((entry) => [classKey(bucketed(entry)), entry]));
        expect(weights(read.value)).toEqual(weights(mix));
        expect(JSON.stringify(read.value.toJson())).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  const odd: readonly (readonly [string, PodRequestFields])[] = [
    ['a type without end', { selectors: { NVIDIA: { useTypes: ['a'.repeat(300)] } } }],
    ['types without number', { selectors: { NVIDIA: { avoidTypes: Array.from({ length: 65 }, String) } } }],
    ['long types', { selectors: { NVIDIA: { useTypes: ['a', 'b', 'c'].map((type) => type.repeat(200)) } } }],
    ['no mode at all', { selectors: { NVIDIA: { modes: '' } } }],
    ['more cards than any node has', { containers: [{ count: 5000 }] }],
    ['CPU without measure', { host: { cpuMilli: 2e6, memoryMiB: 0, pods: 1 } }],
  ];
  it.each(odd)('can be read where a pod asked for %s, which is no class', (_name, pod) => {
    const mix = mixOf([small, pod], { halfLifePods: 1e9 });
    expect(mix.noted).toBe(2);
    expect(mix.classes()).toHaveLength(1);
    expect(WorkloadMix.fromJson(mix.toJson())).toMatchObject({ ok: true });
  });

  it('is small enough for a ConfigMap, whatever types pods ask for', () => {
    const mix = new WorkloadMix();
    for (let pods = 0; pods < 1500; pods += 1) {
      const useTypes = [`${pods}${'語'.repeat(230)}`];
      mix.note(makePodRequest({ selectors: { NVIDIA: { useTypes } } }));
    }
    const bytes = new TextEncoder().encode(JSON.stringify(mix.toJson())).length;
    expect(bytes).toBeGreaterThan(300_000);
    expect(bytes).toBeLessThan(1_000_000);
  });

  it('is learnt on from where it was', () => {
    const read = WorkloadMix.fromJson(mixOf([large], { halfLifePods: 1 }).toJson(), { halfLifePods: 1 });
    if (!read.ok) throw new Error(read.problem);
    read.value.note(makePodRequest(small));
    expect(weightsOf(read.value)).toEqual([
      [1, 1],
      [4, 0.5],
    ]);
  });

  const entry = {
    vendor: 'NVIDIA',
    count: 1,
    memoryMiB: 1,
    corePercent: 1,
    cpuMilli: 1,
    hostMemoryMiB: 1,
    weight: 1,
  };
  const of = (...classes: unknown[]) => ({ version: 1, classes });
  const refused: readonly (readonly [string, unknown])[] = [
    ['nothing', undefined],
    ['a text', 'mix'],
    ['another version', { version: 2, classes: [] }],
    ['no version', { classes: [] }],
    ['no classes', { version: 1 }],
    ['an unknown key', { ...of(), more: 1 }],
    ['a class that is none', of(null)],
    ['a class without weight', of({ ...entry, weight: undefined })],
    ['a weight of nothing', of({ ...entry, weight: 0 })],
    ['a weight beyond all pods', of({ ...entry, weight: 1e300 })],
    ['a negative amount', of({ ...entry, memoryMiB: -1 })],
    ['a fraction', of({ ...entry, count: 1.5 })],
    ['an amount that is a text', of({ ...entry, cpuMilli: '1' })],
    ['more than a card', of({ ...entry, corePercent: 101 })],
    ['a family without a number of cards', of({ ...entry, count: undefined })],
    ['types that are none', of({ ...entry, useTypes: 'a100' })],
    ['a type without end', of({ ...entry, useTypes: ['a'.repeat(300)] })],
    ['more classes than are ever kept', of(...Array.from({ length: 513 }, () => entry))],
  ];
  it.each(refused)('%s is refused in words', (_name, value) => {
    const read = WorkloadMix.fromJson(value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
    expect(read).toEqual({ ok: false, problem: expect.stringMatching(/./) });
  });

  it('with the same class twice counts both', () => {
    const read = WorkloadMix.fromJson(of(entry, { ...entry, hostMemoryMiB: 5000, weight: 2 }));
    expect(read.ok && weightsOf(read.value)).toEqual([[1, 3]]);
  });
});
