/** Limits per quota object, usage per namespace, and what is in force of them (spec §8.1, §8.2, Q9). */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { noQuota } from '../../src/model/quota.ts';
import type { QuotaAmounts } from '../../src/state/quota-amounts.ts';
import { QuotaTable } from '../../src/state/quota-table.ts';
import { nvidia } from '../vendors/nvidia-config.ts';

const mem = 'limits.nvidia.com/gpumem';
const cores = 'limits.nvidia.com/gpucores';

function quota(name: string, hard: TextMap, namespace = 'team-a') {
  return { namespace, name, resourceVersion: '1', hard };
}

function amounts(memoryMiB: number, corePercent = 0): ReadonlyMap<string, QuotaAmounts> {
  return new Map([['NVIDIA', { memoryMiB, corePercent }]]);
}

function makeTable(...quotas: readonly ReturnType<typeof quota>[]): QuotaTable {
  const table = new QuotaTable([nvidia()]);
  for (const object of quotas) table.apply(object);
  return table;
}

/** The limits in force as `used/limit of object` by resource. */
function inForce(table: QuotaTable, namespace = 'team-a'): Record<string, string> {
  const { memory, cores: compute } = table.limitsOf(namespace).get('NVIDIA') ?? {};
  return Object.fromEntries(
    [memory, compute].flatMap((found) =>
      found === undefined ? [] : [[found.resource, `${found.used}/${found.limit} of ${found.quota}`]],
    ),
  );
}

describe('the limits in force', () => {
  const cases: {
    name: string;
    quotas: readonly ReturnType<typeof quota>[];
    memoryFactor?: number;
    want: Record<string, string>;
  }[] = [
    { name: 'are none without quotas', quotas: [], want: {} },
    {
      name: 'are those on memory and compute',
      quotas: [quota('gpu', { [mem]: '2000', [cores]: '400' })],
      want: { [mem]: '0/2000 of gpu', [cores]: '0/400 of gpu' },
    },
    {
      name: 'are not those that the API server keeps itself, nor other keys (spec §8.1)',
      quotas: [
        quota('gpu', {
          'limits.nvidia.com/gpu': '1',
          'requests.nvidia.com/gpu': '1',
          'requests.nvidia.com/gpumem': '1',
          'nvidia.com/gpumem': '1',
          'limits.memory': '1Gi',
          'limits.nvidia.com/gpumem-percentage': '1',
        }),
      ],
      want: {},
    },
    {
      name: 'include an explicit 0',
      quotas: [quota('none', { [mem]: '0' })],
      want: { [mem]: '0/0 of none' },
    },
    {
      name: 'Q9: are the smallest of several objects, each for itself',
      quotas: [
        quota('a', { [mem]: '3000', [cores]: '100' }),
        quota('b', { [mem]: '1000' }),
        quota('c', { [mem]: '2000', [cores]: '300' }),
      ],
      want: { [mem]: '0/1000 of b', [cores]: '0/100 of a' },
    },
    {
      name: 'are those of the first name where objects agree',
      quotas: [quota('b', { [mem]: '1000' }), quota('a', { [mem]: '1k' })],
      want: { [mem]: '0/1000 of a' },
    },
    {
      name: 'stop at the namespace',
      quotas: [quota('gpu', { [mem]: '1000' }, 'team-b')],
      want: {},
    },
    {
      name: 'on memory are multiplied by memoryFactor',
      quotas: [quota('gpu', { [mem]: '1000', [cores]: '100' })],
      memoryFactor: 2,
      want: { [mem]: '0/2000 of gpu', [cores]: '0/100 of gpu' },
    },
  ];
  it.each(cases)('$name', ({ quotas, memoryFactor = 1, want }) => {
    const table = new QuotaTable([nvidia({ memoryFactor })]);
    for (const object of quotas) expect(table.apply(object)).toEqual([]);
    expect(inForce(table)).toEqual(want);
  });

  it('do not exist for resources that the vendor does not have', () => {
    const table = new QuotaTable([nvidia({ resourceMemoryName: '', resourceCoreName: '' })]);
    table.apply(quota('gpu', { [mem]: '1', [cores]: '1', 'limits.': '1' }));
    expect(table.limitsOf('team-a')).toBe(noQuota);
  });

  it('Q9: stay when another object with the same key is deleted', () => {
    const table = makeTable(quota('a', { [mem]: '1000' }), quota('b', { [mem]: '2000' }));
    table.remove(quota('a', {}));
    expect(inForce(table)).toEqual({ [mem]: '0/2000 of b' });
    table.remove(quota('a', {}));
    expect(inForce(table)).toEqual({ [mem]: '0/2000 of b' });
    table.remove(quota('b', {}));
    expect(table.limitsOf('team-a')).toBe(noQuota);
    expect([...table.all()]).toEqual([]);
  });

  it('follow an update, which drops keys that are gone', () => {
    const table = makeTable(quota('gpu', { [mem]: '1000', [cores]: '100' }));
    table.apply(quota('gpu', { [mem]: '1500' }));
    expect(inForce(table)).toEqual({ [mem]: '0/1500 of gpu' });
    table.apply(quota('gpu', {}));
    expect(table.limitsOf('team-a')).toBe(noQuota);
    expect([...table.all()]).toHaveLength(1);
  });

  it('are answered from memory until something of the namespace changes', () => {
    const table = makeTable(quota('gpu', { [mem]: '1000' }));
    const first = table.limitsOf('team-a');
    table.charge('team-b', amounts(5), 1);
    table.apply(quota('gpu', { [mem]: '7' }, 'team-b'));
    expect(table.limitsOf('team-a')).toBe(first);
    table.charge('team-a', amounts(5), 1);
    expect(inForce(table)).toEqual({ [mem]: '5/1000 of gpu' });
  });
});

describe('a limit that is no whole number', () => {
  const cases: { name: string; value: string; wantLimit?: number; wantProblem: RegExp }[] = [
    { name: 'a word sets no limit', value: 'plenty', wantProblem: /^"plenty" is not a number$/ },
    { name: 'an empty value sets no limit', value: '', wantProblem: /^"" is not a number$/ },
    { name: 'a negative number sets no limit', value: '-1', wantProblem: /^"-1" is negative$/ },
    { name: 'a number beyond all memory sets no limit', value: '8E', wantProblem: /^"8E" is too large$/ },
    {
      name: 'a fraction rounds down, so that it allows no more than it says',
      value: '1000.9',
      wantLimit: 1000,
      wantProblem: /^"1000\.9" has a fraction; it counts as 1000$/,
    },
    {
      name: 'less than one is 0, not absent',
      value: '500m',
      wantLimit: 0,
      wantProblem: /fraction; it counts as 0$/,
    },
    {
      name: 'a size in bytes counts by value, as in HAMi, and its author is told',
      value: '16Gi',
      wantLimit: 17_179_869_184,
      wantProblem: /^"16Gi" has a binary suffix.*it counts as 17179869184$/,
    },
  ];
  it.each(cases)('$name', ({ value, wantLimit, wantProblem }) => {
    const table = makeTable();
    const object = quota('gpu', { [mem]: value, [cores]: '100' });
    expect(table.apply(object)).toEqual([
      { resource: mem, problem: expect.stringMatching(wantProblem) as unknown },
    ]);
    expect(table.apply(object)).toEqual([]);
    const limit = table.limitsOf('team-a').get('NVIDIA')?.memory?.limit;
    expect(limit).toBe(wantLimit);
    expect(inForce(table)).toMatchObject({ [cores]: '0/100 of gpu' });
  });

  it('keeps the last good limit of its object and resource, and no other', () => {
    const table = makeTable(
      quota('gpu', { [mem]: '1000', [cores]: '100' }),
      quota('other', { [mem]: '5000' }),
    );
    expect(table.apply(quota('gpu', { [mem]: 'x', [cores]: '100' }))).toHaveLength(1);
    expect(inForce(table)).toEqual({ [mem]: '0/1000 of gpu', [cores]: '0/100 of gpu' });
    expect(table.apply(quota('gpu', { [mem]: 'y' }))).toHaveLength(1);
    expect(inForce(table)).toEqual({ [mem]: '0/1000 of gpu' });
    expect(table.apply(quota('gpu', { [mem]: '70' }))).toEqual([]);
    expect(inForce(table)).toEqual({ [mem]: '0/70 of gpu' });
    table.remove(quota('gpu', {}));
    expect(table.apply(quota('gpu', { [mem]: 'y' }))).toHaveLength(1);
    expect(inForce(table)).toEqual({ [mem]: '0/5000 of other' });
  });
});

describe('usage', () => {
  it('counts before there is a limit, and outlives it', () => {
    const table = makeTable();
    table.charge('team-a', amounts(800, 30), 1);
    expect(table.limitsOf('team-a')).toBe(noQuota);
    table.apply(quota('gpu', { [mem]: '1000', [cores]: '40' }));
    expect(inForce(table)).toEqual({ [mem]: '800/1000 of gpu', [cores]: '30/40 of gpu' });
    table.remove(quota('gpu', {}));
    table.apply(quota('gpu', { [mem]: '900' }));
    expect(inForce(table)).toEqual({ [mem]: '800/900 of gpu' });
  });

  it('is told for every resource that is limited or used, with the limit in force first', () => {
    const table = makeTable(
      quota('a', { [mem]: '3000' }),
      quota('b', { [mem]: '1000' }),
      quota('c', { pods: '3' }, 'team-c'),
    );
    table.charge('team-a', amounts(500, 30), 1);
    table.charge('team-b', amounts(7), 1);
    table.charge('team-b', new Map(), 1);
    const rows = [...table.usages()].map(({ namespace, key, used, limits }) => [
      namespace,
      key.resource,
      used,
      ...limits.map(({ quota: name, limit }) => `${name} ${limit}`),
    ]);
    expect(rows).toEqual([
      ['team-a', mem, 500, 'b 1000', 'a 3000'],
      ['team-a', cores, 30],
      ['team-b', mem, 7],
    ]);
  });

  it('leaves nothing behind once all is given back', () => {
    const table = makeTable();
    table.charge('team-a', amounts(800, 30), 1);
    table.charge('team-a', amounts(100, 20), 1);
    table.charge('team-a', amounts(800, 30), -1);
    expect([...table.usages()].map(({ used }) => used)).toEqual([100, 20]);
    table.charge('team-a', amounts(100, 20), -1);
    expect([...table.usages()]).toEqual([]);
  });
});

describe('any history of quotas and charges', () => {
  const value = fc.nat({ max: 5 }).map(String);
  const hard = fc.dictionary(fc.constantFrom(mem, cores, 'pods'), value);
  const place = { namespace: fc.constantFrom('n1', 'n2'), name: fc.constantFrom('a', 'b', 'c') };
  const step = fc.oneof(
    fc.record({ kind: fc.constant('apply' as const), ...place, hard }),
    fc.record({ kind: fc.constant('remove' as const), ...place }),
    fc.record({
      kind: fc.constant('charge' as const),
      namespace: place.namespace,
      memoryMiB: fc.nat(9),
      corePercent: fc.nat(9),
    }),
  );

  it('ends in what the objects and charges that are left say by themselves', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const table = makeTable();
        const objects = new Map<string, { namespace: string; name: string; hard: TextMap }>();
        const used = new Map<string, number>();
        for (const one of steps) {
          if (one.kind === 'charge') {
            table.charge(one.namespace, amounts(one.memoryMiB, one.corePercent), 1);
            add(used, `${one.namespace} ${mem}`, one.memoryMiB);
            add(used, `${one.namespace} ${cores}`, one.corePercent);
          } else if (one.kind === 'apply') {
            table.apply(quota(one.name, one.hard, one.namespace));
            objects.set(`${one.namespace}/${one.name}`, one);
          } else {
            table.remove(one);
            objects.delete(`${one.namespace}/${one.name}`);
          }
          for (const namespace of ['n1', 'n2']) {
            const want: Record<string, string> = {};
            for (const resource of [mem, cores]) {
              const limits = [...objects.values()]
                .filter((object) => object.namespace === namespace && object.hard[resource] !== undefined)
                .map((object) => `${object.hard[resource] ?? ''} of ${object.name}`)
                .sort();
              if (limits[0] !== undefined)
                want[resource] = `${used.get(`${namespace} ${resource}`) ?? 0}/${limits[0]}`;
            }
            expect(inForce(table, namespace)).toEqual(want);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
