import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { countOf } from '../../src/model/quantity.ts';
import { makeContainer } from './make-container.ts';
import { cores, gpu, mem, nvidia, percentage, priority } from './nvidia-config.ts';
import { anyLimits, written } from './written-amounts.ts';

type Config = Partial<NvidiaConfig>;

describe('request refuses what it cannot understand and never takes it for "no card"', () => {
  interface Want {
    readonly field: string;
    readonly value: string;
    readonly fix: RegExp;
  }
  const wholeNumber = (unit: string, largest: number) =>
    `must be a whole number of ${unit} between 0 and ${largest}`;
  const cases: {
    name: string;
    config?: Config;
    limits: TextMap;
    want: readonly Want[];
    wantCount?: number;
  }[] = [
    {
      name: 'memory with a binary suffix',
      limits: { [gpu]: '1', [mem]: '16Gi' },
      want: [{ field: mem, value: '16Gi', fix: /binary suffix.*counts MiB; write 16384$/ }],
    },
    {
      name: 'memory with a binary suffix and a fraction',
      limits: { [gpu]: '1', [mem]: '16.0Gi' },
      want: [{ field: mem, value: '16.0Gi', fix: /write 16384$/ }],
    },
    {
      name: 'memory in Mi',
      limits: { [gpu]: '1', [mem]: '3000Mi' },
      want: [{ field: mem, value: '3000Mi', fix: /write 3000$/ }],
    },
    {
      name: 'memory in Ki, less than a MiB',
      limits: { [gpu]: '1', [mem]: '1Ki' },
      want: [{ field: mem, value: '1Ki', fix: /without a suffix/ }],
    },
    {
      name: 'a binary suffix with memoryFactor 2: the fix is what to write, not what it means',
      config: { memoryFactor: 2 },
      limits: { [gpu]: '1', [mem]: '1Gi' },
      want: [{ field: mem, value: '1Gi', fix: /write 512$/ }],
    },
    {
      name: 'a binary suffix beyond 32 bits: no fix that would be refused in turn',
      limits: { [gpu]: '1', [mem]: '16Pi' },
      want: [{ field: mem, value: '16Pi', fix: /^(?!.*write \d)/ }],
    },
    {
      name: 'a fraction of a MiB',
      limits: { [gpu]: '1', [mem]: '1.5' },
      want: [{ field: mem, value: '1.5', fix: new RegExp(`fraction; it ${wholeNumber('MiB', 2147483647)}`) }],
    },
    {
      name: 'a fraction by suffix',
      limits: { [gpu]: '1', [mem]: '1500m' },
      want: [{ field: mem, value: '1500m', fix: /fraction/ }],
    },
    {
      name: 'negative memory',
      limits: { [gpu]: '1', [mem]: '-1' },
      want: [{ field: mem, value: '-1', fix: /negative/ }],
    },
    {
      name: 'memory beyond 32 bits',
      limits: { [gpu]: '1', [mem]: '2147483648' },
      want: [{ field: mem, value: '2147483648', fix: /too large/ }],
    },
    {
      name: 'memory beyond 32 bits after memoryFactor',
      config: { memoryFactor: 2 },
      limits: { [gpu]: '1', [mem]: '1073741824' },
      want: [{ field: mem, value: '1073741824', fix: /too large.*between 0 and 1073741823/ }],
    },
    {
      name: 'memory beyond every number',
      limits: { [gpu]: '1', [mem]: '9e60' },
      want: [{ field: mem, value: '9e60', fix: /too large/ }],
    },
    {
      name: 'memory in words',
      limits: { [gpu]: '1', [mem]: 'half' },
      want: [{ field: mem, value: 'half', fix: /not a number/ }],
    },
    {
      name: 'empty memory',
      limits: { [gpu]: '1', [mem]: '' },
      want: [{ field: mem, value: '', fix: /not a number/ }],
    },
    {
      name: 'percent 101',
      limits: { [gpu]: '1', [percentage]: '101' },
      want: [{ field: percentage, value: '101', fix: new RegExp(wholeNumber('percent', 100)) }],
    },
    {
      name: 'percent 150',
      limits: { [gpu]: '1', [percentage]: '150' },
      want: [{ field: percentage, value: '150', fix: /between 0 and 100/ }],
    },
    {
      name: 'percent -1',
      limits: { [gpu]: '1', [percentage]: '-1' },
      want: [{ field: percentage, value: '-1', fix: /negative.*between 0 and 100/ }],
    },
    {
      name: 'a fraction of a percent',
      limits: { [gpu]: '1', [percentage]: '0.5' },
      want: [{ field: percentage, value: '0.5', fix: /fraction/ }],
    },
    {
      name: 'percent with a binary suffix: no guess at what was meant',
      limits: { [gpu]: '1', [percentage]: '1Ki' },
      want: [{ field: percentage, value: '1Ki', fix: /^(?!.*write \d).*counts percent;.*without a suffix$/ }],
    },
    {
      name: 'negative cores',
      limits: { [gpu]: '1', [cores]: '-30' },
      want: [{ field: cores, value: '-30', fix: /negative/ }],
    },
    {
      name: 'a fraction of cores',
      limits: { [gpu]: '1', [cores]: '0.5' },
      want: [{ field: cores, value: '0.5', fix: /fraction/ }],
    },
    {
      name: 'a fraction of a card',
      limits: { [gpu]: '500m' },
      want: [{ field: gpu, value: '500m', fix: /whole number of cards/ }],
    },
    {
      name: 'a negative count',
      limits: { [gpu]: '-1' },
      want: [{ field: gpu, value: '-1', fix: /negative/ }],
    },
    {
      name: 'a count in words',
      limits: { [gpu]: 'all' },
      want: [{ field: gpu, value: 'all', fix: /not a number/ }],
    },
    {
      name: 'a priority in words',
      limits: { [gpu]: '1', [priority]: 'high' },
      want: [{ field: priority, value: 'high', fix: /not a number/ }],
    },
    {
      name: 'memory without a count',
      limits: { [mem]: '3000' },
      want: [{ field: gpu, value: '', fix: /missing.*write nvidia\.com\/gpu: 1/ }],
    },
    {
      name: 'cores without a count',
      limits: { [cores]: '30' },
      want: [{ field: gpu, value: '', fix: /missing/ }],
    },
    {
      name: 'percent without a count',
      limits: { [percentage]: '50' },
      want: [{ field: gpu, value: '', fix: /missing/ }],
    },
    {
      name: 'every field at once, in a fixed order',
      limits: { [cores]: 'x', [percentage]: '130', [mem]: '1Gi', [gpu]: '3' },
      want: [
        { field: mem, value: '1Gi', fix: /write 1024/ },
        { field: percentage, value: '130', fix: /too large/ },
        { field: cores, value: 'x', fix: /not a number/ },
      ],
      wantCount: 3,
    },
    {
      name: 'count 0 beside a fault',
      limits: { [gpu]: '0', [mem]: 'x' },
      want: [{ field: mem, value: 'x', fix: /not a number/ }],
    },
  ];
  it.each(cases)('$name', ({ config, limits, want, wantCount = 1 }) => {
    expect(nvidia(config).request(makeContainer({ name: 'trainer', limits }), {})).toEqual({
      ok: false,
      problems: want.map(({ field, value, fix }) => ({
        container: 'trainer',
        field,
        value,
        fix: expect.stringMatching(fix),
      })),
      charge: {
        vendor: 'NVIDIA',
        count: wantCount,
        memory: { kind: 'percent', percent: 100 },
        corePercent: 100,
      },
    });
  });

  it('whatever is written', () => {
    const anything = fc.oneof(
      written,
      fc.string({ unit: 'binary' }),
      fc.double().map(String),
      fc.integer().map(String),
    );
    const limits = fc.record({ [gpu]: anything, [mem]: anything, [percentage]: anything, [cores]: anything });
    fc.assert(
      fc.property(limits as fc.Arbitrary<TextMap>, (amounts) => {
        const reading = nvidia().request(makeContainer({ limits: amounts }), {});
        if (!reading.ok) {
          expect(reading.problems).not.toEqual([]);
          for (const { field, value, fix } of reading.problems) {
            expect(amounts[field]).toBe(value);
            expect(fix).not.toBe('');
          }
        }
        const asked = reading.ok ? reading.request : reading.charge;
        if (asked === undefined) {
          expect(countOf(amounts[gpu])).toBe(0);
          return;
        }
        expect(Number.isInteger(asked.count) && asked.count >= 1).toBe(true);
        expect(asked.corePercent >= 0 && asked.corePercent <= 100).toBe(true);
        const memory = asked.memory.kind === 'mib' ? asked.memory.memoryMiB : asked.memory.percent;
        expect(memory).toBeGreaterThan(0);
        expect(memory).toBeLessThanOrEqual(asked.memory.kind === 'mib' ? 2 ** 31 - 1 : 100);
      }),
      { numRuns: 1000 },
    );
  });

  it('nor after admission: what mutate completes never lacks a count', () => {
    fc.assert(
      fc.property(anyLimits, (limits) => {
        const vendor = nvidia();
        const { limits: added, usesDevices } = vendor.mutate(makeContainer({ limits }), {});
        const reading = vendor.request(makeContainer({ limits: { ...limits, ...added } }), {});
        if (reading.ok) expect(reading.request !== undefined).toBe(usesDevices);
        else expect(reading.problems.map(({ value, field }) => limits[field] === value)).not.toContain(false);
      }),
      { numRuns: 1000 },
    );
  });
});
