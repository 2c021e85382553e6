import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ContainerObject, TextMap } from '../../src/model/cluster-objects.ts';
import type { AscendChip } from '../../src/vendors/ascend/ascend-settings.ts';
import type { RequestReading, Vendor } from '../../src/vendors/vendor.ts';
import { type Amounts, ascend, b3, npuNode, npuPod, npus, npuWorld, soft, vendorOf } from './ascend-world.ts';
import { makeContainer } from './make-container.ts';

const keys = [
  'Ascend910A',
  'Ascend910B2',
  b3,
  'Ascend910B4-1',
  'Ascend910B4',
  'Ascend310P',
  'Ascend910C',
] as const;

function read(
  amounts: Amounts,
  key: string = b3,
  annotations: TextMap = {},
  changes: Partial<AscendChip> = {},
) {
  const vendor = vendorOf(ascend(changes), key);
  return vendor.request(makeContainer({ limits: npus(amounts, key) }), annotations);
}

/** The problems' fields without the resource's beginning, or the request as `count × MiB kind cores`. */
function summary(reading: RequestReading, key: string = b3): string {
  if (!reading.ok) {
    const fields = reading.problems.map(({ field }) => field.replace(`huawei.com/${key}`, '') || 'count');
    return `refused: ${fields.join(', ')}`;
  }
  const { request } = reading;
  if (request?.memory.kind !== 'mib') return 'nothing';
  return `${request.count} × ${request.memory.memoryMiB} ${request.kind ?? ''} ${request.corePercent}`;
}

describe('a hard share is rounded up to the smallest template (vendors §2.4)', () => {
  const cases: { key?: string; memory?: number | string; count?: number; want: string }[] = [
    { want: '1 × 65536 hard 0' },
    { memory: 1, want: '1 × 16384 hard 0' },
    { memory: 10_000, want: '1 × 16384 hard 0' },
    { memory: 16_384, want: '1 × 16384 hard 0' },
    { memory: 16_385, want: '1 × 32768 hard 0' },
    { memory: 32_769, want: '1 × 65536 hard 0' },
    { memory: 65_536, want: '1 × 65536 hard 0' },
    { memory: 65_537, want: 'refused: -memory' },
    { key: 'Ascend910A', memory: 8738, want: '1 × 8738 hard 0' },
    { key: 'Ascend910A', memory: 17_476, want: '1 × 17476 hard 0' },
    { key: 'Ascend910A', memory: 17_477, want: '1 × 32768 hard 0' },
    { key: 'Ascend910A', memory: 20_000, want: '1 × 32768 hard 0' },
    { key: 'Ascend910A', memory: 32_768, want: '1 × 32768 hard 0' },
    { key: 'Ascend910A', memory: 40_000, want: 'refused: -memory' },
    { key: 'Ascend910B2', memory: 9000, want: '1 × 16384 hard 0' },
    { key: 'Ascend910B4', memory: 9000, want: '1 × 16384 hard 0' },
    { key: 'Ascend910B4', memory: 16_385, want: '1 × 32768 hard 0' },
    { key: 'Ascend310P', want: '1 × 21527 hard 0' },
    { key: 'Ascend310P', memory: 12_288, want: '1 × 12288 hard 0' },
    { key: 'Ascend310P', memory: 12_289, want: '1 × 21527 hard 0' },
    { key: 'Ascend310P', memory: 24_576, want: '1 × 21527 hard 0' },
    { key: 'Ascend310P', memory: 24_577, want: 'refused: -memory' },
    { count: 2, want: '2 × 65536 hard 0' },
    { count: 2, memory: 40_000, want: '2 × 65536 hard 0' },
    { count: 2, memory: 10_000, want: 'refused: count' },
    { key: 'Ascend910A', count: 2, memory: 8738, want: 'refused: count' },
    { key: 'Ascend910A', count: 2, memory: 40_000, want: 'refused: -memory' },
    { memory: '16Gi', want: 'refused: -memory' },
    { memory: '-1', want: 'refused: -memory' },
    { memory: '-1m', want: 'refused: -memory' },
  ];
  it.each(cases)('$key $count × $memory is $want', ({ key = b3, want, ...amounts }) => {
    expect(summary(read(amounts, key), key)).toBe(want);
  });

  it('0 is not given, as in every family, and said so', () => {
    const reading = read({ memory: 0 });
    expect(summary(reading)).toBe('1 × 65536 hard 0');
    expect(reading).toMatchObject({
      warnings: ['container "main": huawei.com/Ascend910B3-memory is 0, which means "not given"'],
    });
  });

  it('a chip without templates is given whole', () => {
    expect(summary(read({ memory: 15_360 }, b3, {}, { templates: [] }))).toBe('1 × 65536 hard 0');
  });

  it('templates may be listed in any order', () => {
    const templates = [
      { name: 'half', memory: 32_768, aiCore: 10, aiCPU: 3 },
      { name: 'quarter', memory: 16_384, aiCore: 5, aiCPU: 1 },
    ];
    expect(summary(read({ memory: 10_000 }, b3, {}, { templates }))).toBe('1 × 16384 hard 0');
  });

  const factors = [
    { memoryFactor: 0, mode: {}, want: '1 × 2184 hard 0' },
    { memoryFactor: 10, mode: {}, want: '1 × 2184 hard 0' },
    { memoryFactor: 100, mode: {}, want: '1 × 17476 hard 0' },
    { memoryFactor: 0, mode: soft, want: '1 × 128 soft 0' },
    { memoryFactor: 10, mode: soft, want: '1 × 1280 soft 0' },
    { memoryFactor: 100, mode: soft, want: '1 × 12800 soft 0' },
  ];
  it.each(factors)('128 units of $memoryFactor MiB are $want', ({ memoryFactor, mode, want }) => {
    expect(summary(read({ memory: 128 }, 'Ascend910A', mode, { memoryFactor }))).toBe(want);
  });
});

describe('compute', () => {
  const cases = [
    { name: 'is refused of a hard share', mode: {}, core: '10', want: 'refused: -core' },
    { name: 'of more than the chip has, too', mode: {}, core: '25', want: 'refused: -core' },
    { name: 'may be 0', mode: {}, core: '0', want: '1 × 16384 hard 0' },
    { name: 'is percent of a soft slice', mode: soft, core: '20', want: '1 × 15360 soft 20' },
    { name: 'above 100 is a whole chip', mode: soft, core: '120', want: '1 × 15360 soft 100' },
    { name: 'below 0 is refused', mode: soft, core: '-1', want: 'refused: -core' },
    {
      name: 'is refused in a mode that nobody knows, which is hard',
      mode: { 'huawei.com/vnpu-mode': 'HAMI-CORE' },
      core: '10',
      want: 'refused: -core',
    },
  ];
  it.each(cases)('$name', ({ mode, core, want }) => {
    expect(summary(read({ memory: 15_360, core }, b3, mode))).toBe(want);
  });
});

describe('a soft slice', () => {
  const cases: { name: string; amounts: Amounts; key?: string; want: string }[] = [
    { name: 'has the memory asked for', amounts: { memory: 20_000, core: 30 }, want: '1 × 20000 soft 30' },
    { name: 'of several chips has it of each', amounts: { count: 2, memory: 8000 }, want: '2 × 8000 soft 0' },
    { name: 'without memory is all of a chip', amounts: {}, want: '1 × 65536 soft 0' },
    { name: 'of which that may be a part', amounts: {}, key: 'Ascend310P', want: '1 × 21527 soft 0' },
  ];
  it.each(cases)('$name', ({ amounts, key = b3, want }) => {
    expect(summary(read(amounts, key, soft), key)).toBe(want);
  });
});

describe('modules of a 910C', () => {
  const cases: { name: string; amounts: Amounts; superPod?: boolean; want: string }[] = [
    { name: '1 past the webhook is one chip, as kubelet counts', amounts: {}, want: '1 × 65536 hard 0' },
    { name: '2 are a module', amounts: { count: 2 }, want: '2 × 65536 hard 0' },
    { name: '3 are no modules', amounts: { count: 3 }, want: 'refused: count' },
    { name: '4 are two', amounts: { count: 4 }, want: '4 × 65536 hard 0' },
    {
      name: 'both chips may have a template',
      amounts: { count: 2, memory: 16_384 },
      want: '2 × 16384 hard 0',
    },
    { name: 'those of two modules may not', amounts: { count: 4, memory: 16_384 }, want: 'refused: count' },
    {
      name: 'without superPod a part is of one chip',
      amounts: { count: 2, memory: 16_384 },
      superPod: false,
      want: 'refused: count',
    },
    {
      name: 'without superPod a number may be odd',
      amounts: { count: 3 },
      superPod: false,
      want: '3 × 65536 hard 0',
    },
  ];
  it.each(cases)('$name', ({ amounts, superPod = true, want }) => {
    expect(summary(read(amounts, 'Ascend910C', {}, { superPod }), 'Ascend910C')).toBe(want);
  });

  it('superPod of another chip means nothing', () => {
    expect(summary(read({ count: 3 }, b3, {}, { superPod: true }))).toBe('3 × 65536 hard 0');
  });
});

describe('a request that is refused', () => {
  it('is reckoned with as whole chips, of its kind', () => {
    expect(read({ count: 2, memory: 99_999 })).toMatchObject({
      ok: false,
      charge: { vendor: b3, count: 2, memory: { kind: 'percent', percent: 100 }, kind: 'hard' },
    });
    expect(read({ memory: 'x' }, b3, soft)).toMatchObject({ ok: false, charge: { kind: 'soft' } });
  });

  it('tells what to write instead', () => {
    const world = npuWorld([]);
    expect(world.admit(npuPod({ count: 2, memory: 16_384, core: 10 }))).toBe(
      'container "c0": huawei.com/Ascend910B3-core: "10" is for soft slices alone, because a template fixes the compute; leave it out, or annotate the pod with huawei.com/vnpu-mode: hami-core; ' +
        'container "c0": huawei.com/Ascend910B3: "2" asks for parts of several chips, and a part cannot be of more than one; write huawei.com/Ascend910B3: 1, or leave out huawei.com/Ascend910B3-memory for whole chips',
    );
    expect(world.admit(npuPod({ count: 3 }, { key: 'Ascend910C' }))).toBe(
      'container "c0": huawei.com/Ascend910C: "3" is no number of whole modules of two chips; write 1, which gets both chips of one, or an even number',
    );
    expect(world.admit(npuPod({ memory: 30_000 }, { key: 'Ascend310P' }))).toBe(
      'container "c0": huawei.com/Ascend310P-memory: "30000" is more than a chip has; write 24576 at most',
    );
  });
});

/** What admission leaves of a pod's only container. */
function admitted(
  amounts: Amounts,
  {
    key = b3,
    mode = {},
    requests,
    changes = {},
  }: { key?: string; mode?: TextMap; requests?: TextMap; changes?: Partial<AscendChip> },
) {
  const world = npuWorld([npuNode({ key })], { vendors: ascend(changes) });
  const containers = [{ limits: npus(amounts, key), ...(requests === undefined ? {} : { requests }) }];
  return world.admit({ annotations: mode, containers });
}

describe('admission writes what a container will get', () => {
  const cases: { name: string; amounts: Amounts; key?: string; mode?: TextMap; want: TextMap }[] = [
    { name: 'whole chips without memory', amounts: {}, want: npus({ memory: 65_536 }) },
    { name: 'a template', amounts: { memory: 10_000 }, want: npus({ memory: 16_384 }) },
    {
      name: 'memory of a soft slice as it is',
      amounts: { memory: 15_360, core: 20 },
      mode: soft,
      want: npus({ memory: 15_360, core: 20 }),
    },
    {
      name: 'a whole chip for a soft slice without',
      amounts: {},
      mode: soft,
      want: npus({ memory: 65_536 }),
    },
    {
      name: 'a module of a 910C',
      amounts: {},
      key: 'Ascend910C',
      want: npus({ count: 2, memory: 65_536 }, 'Ascend910C'),
    },
    {
      name: 'a template of both chips of a module',
      amounts: { memory: 16_384 },
      key: 'Ascend910C',
      want: npus({ count: 2, memory: 16_384 }, 'Ascend910C'),
    },
    {
      name: 'even numbers of a 910C as they are',
      amounts: { count: 4 },
      key: 'Ascend910C',
      want: npus({ count: 4, memory: 65_536 }, 'Ascend910C'),
    },
  ];
  it.each(cases)('$name', ({ amounts, want, ...fields }) => {
    expect(admitted(amounts, fields)).toMatchObject({
      spec: { containers: [{ resources: { limits: want } }] },
    });
  });

  it('also to requests, where there are some', () => {
    const key = 'Ascend910C';
    const requests = npus({ memory: 10_000 }, key);
    expect(admitted({ memory: 10_000 }, { key, requests })).toMatchObject({
      spec: { containers: [{ resources: { requests: npus({ count: 2, memory: 16_384 }, key) } }] },
    });
  });

  it('leaves a single 910C alone where chips are not given in modules', () => {
    const key = 'Ascend910C';
    expect(admitted({ memory: 10_000 }, { key, changes: { superPod: false } })).toMatchObject({
      spec: { containers: [{ resources: { limits: npus({ memory: 16_384 }, key) } }] },
    });
  });

  it('no memory where the chip has no such resource', () => {
    const vendor = vendorOf(ascend({ resourceMemoryName: '' }), b3);
    expect(vendor.mutate(makeContainer({ limits: npus() }), {}).limits).toEqual({});
  });

  it('the runtime class, where one is configured', () => {
    expect(admitted({}, { changes: { runtimeClassName: 'ascend' } })).toMatchObject({
      spec: { runtimeClassName: 'ascend' },
    });
    expect(admitted({}, {})).not.toMatchObject({ spec: { runtimeClassName: expect.anything() } });
  });
});

describe('chips are hidden from containers that ask for none', () => {
  const env = [{ name: 'ASCEND_VISIBLE_DEVICES', value: '' }];
  const hiding = ascend({ overwriteEnv: true });

  it('once, whatever number of chips is configured, and not from one that has another chip', () => {
    const world = npuWorld([], { vendors: hiding });
    const containers = [{ limits: npus({}, 'Ascend310P') }, {}, { limits: npus({ count: 0 }) }];
    const pod = world.admit({ containers }) as { spec: { containers: readonly { env?: unknown }[] } };
    expect(pod.spec.containers.map((container) => container.env)).toEqual([undefined, env, env]);
  });

  it('not where nobody says so', () => {
    expect(npuWorld([]).admit({ containers: [{}] })).toMatchObject({
      spec: { containers: [{ resources: {} }] },
    });
    expect(ascend().map((vendor) => vendor.mutate(makeContainer(), {}).env)).toEqual(keys.map(() => ({})));
  });
});

describe('admission applied to its own result', () => {
  const amount = fc.constantFrom(
    undefined,
    '0',
    '1',
    '2',
    '3',
    '4',
    '100',
    '8738',
    '16384',
    '20000',
    '24576',
    '40000',
    '65536',
    'x',
  );
  const anyContainer = fc.record({
    key: fc.constantFrom(...keys),
    count: fc.constantFrom('0', '1', '2', '3', '4'),
    memory: amount,
    core: fc.constantFrom(undefined, '0', '10', '200'),
  });

  function apply(
    container: ContainerObject,
    vendors: readonly Vendor[],
    annotations: TextMap,
  ): ContainerObject {
    const limits = vendors.map((vendor) => vendor.mutate(container, annotations).limits);
    return { ...container, limits: Object.assign({}, container.limits, ...limits) as TextMap };
  }

  it('changes nothing, and the request is what it was but for a module of a single chip', () => {
    const chips = fc.record({
      memoryFactor: fc.constantFrom(0, 1, 7, 256, 1000),
      superPod: fc.boolean(),
      overwriteEnv: fc.boolean(),
    });
    fc.assert(
      fc.property(anyContainer, chips, fc.boolean(), ({ key, ...asked }, changes, isSoft) => {
        const vendors = ascend(changes);
        const vendor = vendorOf(vendors, key);
        const annotations = isSoft ? soft : {};
        const { count, memory, core } = asked;
        const amounts = {
          count,
          ...(memory === undefined ? {} : { memory }),
          ...(core === undefined ? {} : { core }),
        };
        const once = apply(makeContainer({ limits: npus(amounts, key) }), vendors, annotations);
        expect(apply(once, vendors, annotations)).toEqual(once);

        const before = vendor.request(makeContainer({ limits: npus(amounts, key) }), annotations);
        const after = vendor.request(once, annotations);
        expect(after.ok).toBe(before.ok);
        if (!before.ok || !after.ok || isSoft) return;
        expect(after.request?.memory).toEqual(before.request?.memory);
        const grows = key === 'Ascend910C' && changes.superPod && count === '1';
        expect(after.request?.count).toBe(grows ? 2 : before.request?.count);
      }),
    );
  });
});
