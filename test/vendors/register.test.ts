import { describe, expect, it } from '@jest/globals';
import type { Device } from '../../src/model/device.ts';
import { parseRegister } from '../../src/vendors/register.ts';
import { a100Profiles, makeMigDevice } from '../support/mig-devices.ts';
import { makeDevice } from '../support/views.ts';
import { migCard, nineFields, sevenFields, twoV100s, withPairScore } from './register-examples.ts';

const v100 = makeDevice({
  id: 'GPU-0fc3eda5-e98b-a25b-5b0d-cf5c855d1448',
  type: 'NVIDIA-Tesla V100-PCIE-32GB',
  memoryMiB: 32768,
});
const secondV100 = { ...v100, id: 'GPU-00552014-5c87-89ac-b1a6-7b53aa24b0ec', index: 1, numa: 1 };
const p4 = {
  ...v100,
  id: 'GPU-ebe7c3f7-303d-558d-435e-99a160631fe4',
  type: 'NVIDIA-Tesla P4',
  memoryMiB: 7680,
};
/** What a record that names nothing but its id decodes to. */
const bare = {
  ...v100,
  id: 'GPU-a',
  type: '',
  slots: 0,
  memoryMiB: 0,
  corePercent: 0,
  healthy: false,
};

describe('parseRegister reads what plugins write (spec §1.2, §1.3)', () => {
  const cases: { name: string; annotation: string; want: readonly Device[] }[] = [
    { name: 'v2.10: two cards', annotation: twoV100s, want: [v100, secondV100] },
    { name: 'v2.8: a pair score beside the fields', annotation: withPairScore, want: [v100] },
    {
      name: 'a missing health is an unhealthy card',
      annotation:
        '[{"id":"GPU-a","count":10,"devmem":8192,"devcore":100,"type":"NVIDIA A10","mode":"hami-core"}]',
      want: [{ ...v100, id: 'GPU-a', memoryMiB: 8192, type: 'NVIDIA A10', healthy: false }],
    },
    {
      name: 'a MIG card',
      annotation: migCard,
      want: [makeMigDevice({ id: 'GPU-a', migProfiles: a100Profiles.slice(0, 2) })],
    },
    { name: 'v2.4: seven fields imply index 0 and hami-core', annotation: sevenFields, want: [p4] },
    { name: 'v2.5 to v2.7: nine fields', annotation: nineFields, want: [{ ...p4, index: 1 }] },
    {
      name: 'empty records between devices are nothing',
      annotation: `:${sevenFields}::`,
      want: [p4],
    },
    {
      name: 'two records, without the last separator',
      annotation: `${nineFields}GPU-a,1,2,3,T,-1,f`,
      want: [
        { ...bare, type: 'T', slots: 1, memoryMiB: 2, corePercent: 3, numa: -1 },
        { ...p4, index: 1 },
      ],
    },
    { name: 'all keys but the id omitted', annotation: '[{"id":"GPU-a"}]', want: [bare] },
    {
      name: 'null is the zero value, as in Go',
      annotation:
        '[{"id":"GPU-a","index":null,"count":null,"devmem":null,"devcore":null,"type":null,"numa":null,"mode":null,"health":null}]',
      want: [bare],
    },
    {
      name: 'unknown and retired keys are passed over',
      annotation:
        '[{"id":"GPU-a","devicevendor":"NVIDIA","custominfo":{"a":[1]},"migtemplate":null,"later":{"x":1}}]',
      want: [bare],
    },
    { name: 'white space before the bracket is JSON', annotation: ' \n\t[{"id":"GPU-a"}]', want: [bare] },
    { name: 'an unknown NUMA node', annotation: '[{"id":"GPU-a","numa":-1}]', want: [{ ...bare, numa: -1 }] },
    {
      name: 'the largest numbers of 32 bits',
      annotation: '[{"id":"GPU-a","count":2147483647,"devmem":2147483647,"devcore":2147483647}]',
      want: [{ ...bare, slots: 2147483647, memoryMiB: 2147483647, corePercent: 2147483647 }],
    },
    {
      name: 'devices come by index, then id, however they were written',
      annotation: '[{"id":"GPU-c","index":1},{"id":"GPU-b"},{"id":"GPU-a","index":1},{"id":"GPU-d"}]',
      want: [
        { ...bare, id: 'GPU-b' },
        { ...bare, id: 'GPU-d' },
        { ...bare, id: 'GPU-a', index: 1 },
        { ...bare, id: 'GPU-c', index: 1 },
      ],
    },
  ];
  it.each(cases)('$name', ({ annotation, want }) => {
    expect(parseRegister(annotation, 'NVIDIA')).toEqual({ ok: true, value: want });
  });

  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('CSV health %s is healthy', (health) => {
    const device = { ...bare, healthy: true };
    expect(parseRegister(`GPU-a,0,0,0,,0,${health}:`, 'NVIDIA')).toEqual({ ok: true, value: [device] });
  });
  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('CSV health %s is unhealthy', (health) => {
    expect(parseRegister(`GPU-a,0,0,0,,0,${health}:`, 'NVIDIA')).toEqual({ ok: true, value: [bare] });
  });
});

describe('parseRegister refuses the rest whole and says where', () => {
  const csv = (
    fields: Partial<Record<'id' | 'count' | 'mem' | 'core' | 'numa' | 'health' | 'index', string>>,
  ) => {
    const {
      id = 'GPU-a',
      count = '1',
      mem = '1',
      core = '1',
      numa = '0',
      health = 'true',
      index = '0',
    } = fields;
    return `${id},${count},${mem},${core},T,${numa},${health},${index},hami-core:`;
  };
  const cases: { name: string; annotation: string; wantProblem: string | RegExp }[] = [
    { name: 'the empty text', annotation: '', wantProblem: 'node annotation missing device separator' },
    {
      name: 'CSV without any separator',
      annotation: 'GPU-a,1,1,1,T,0,true',
      wantProblem: 'node annotation missing device separator',
    },
    {
      name: 'a record that is one word',
      annotation: 'garbage:',
      wantProblem: 'malformed node annotation segment: "garbage"',
    },
    ...[5, 6, 8, 10].map((count) => ({
      name: `a record of ${count} fields`,
      annotation: `${Array<string>(count).fill('1').join(',')}:`,
      wantProblem: `unexpected field count ${count} in node annotation`,
    })),
    {
      name: 'a count that is no number',
      annotation: csv({ count: 'x' }),
      wantProblem: /^invalid count field: /,
    },
    { name: 'an empty count', annotation: csv({ count: '' }), wantProblem: /^invalid count field: / },
    { name: 'a fractional memory', annotation: csv({ mem: '1.5' }), wantProblem: /^invalid memory field: / },
    {
      name: 'a memory beyond 32 bits',
      annotation: csv({ mem: '2147483648' }),
      wantProblem: /^invalid memory field: /,
    },
    { name: 'hexadecimal cores', annotation: csv({ core: '0x64' }), wantProblem: /^invalid core field: / },
    { name: 'a NUMA node in words', annotation: csv({ numa: 'one' }), wantProblem: /^invalid numa field: / },
    {
      name: 'a health that Go would not take',
      annotation: csv({ health: 'yes' }),
      wantProblem: /^invalid health field: /,
    },
    { name: 'an empty health', annotation: csv({ health: '' }), wantProblem: /^invalid health field: / },
    { name: 'an index in words', annotation: csv({ index: 'first' }), wantProblem: /^invalid index field: / },
    {
      name: 'a negative index',
      annotation: csv({ index: '-1' }),
      wantProblem: 'index field must not be negative: -1',
    },
    { name: 'a negative count', annotation: csv({ count: '-1' }), wantProblem: /negative/ },
    { name: 'a negative memory', annotation: csv({ mem: '-8192' }), wantProblem: /negative/ },
    { name: 'negative cores', annotation: csv({ core: '-100' }), wantProblem: /negative/ },
    { name: 'a CSV record without id', annotation: csv({ id: '' }), wantProblem: /id/ },
    {
      name: 'a CSV id that would break an allocation string',
      annotation: csv({ id: 'GPU;a' }),
      wantProblem: /id/,
    },
    { name: 'a CSV id with white space inside', annotation: csv({ id: 'GPU a' }), wantProblem: /id/ },
    { name: 'one bad record among good ones', annotation: `${csv({})}garbage:`, wantProblem: /garbage/ },
    { name: 'only separators', annotation: '::', wantProblem: /no device/ },
    { name: 'an empty JSON list', annotation: '[]', wantProblem: /no device/ },
    { name: 'JSON cut short', annotation: '[{"id":"GPU-a"}', wantProblem: /not valid JSON/ },
    { name: 'text after the JSON', annotation: '[{"id":"GPU-a"}]:', wantProblem: /not valid JSON/ },
    { name: 'a JSON object instead of a list', annotation: '{"id":"GPU-a"}', wantProblem: /malformed/ },
    { name: 'a null element', annotation: '[null]', wantProblem: /^0: / },
    { name: 'a null element behind a good one', annotation: '[{"id":"GPU-a"},null]', wantProblem: /^1: / },
    { name: 'an element that is a number', annotation: '[7]', wantProblem: /^0: / },
    { name: 'a nested list', annotation: '[[{"id":"GPU-a"}]]', wantProblem: /^0: / },
    { name: 'an element without id', annotation: '[{"count":1}]', wantProblem: /"?id"?/ },
    { name: 'an empty id', annotation: '[{"id":""}]', wantProblem: /^0\.id: / },
    { name: 'a null id', annotation: '[{"id":null}]', wantProblem: /^0\.id: / },
    {
      name: 'an id that would break an allocation string',
      annotation: '[{"id":"GPU,a"}]',
      wantProblem: /^0\.id: /,
    },
    {
      name: 'a number written as text',
      annotation: '[{"id":"GPU-a","count":"10"}]',
      wantProblem: /^0\.count: /,
    },
    { name: 'a fraction', annotation: '[{"id":"GPU-a","devmem":8192.5}]', wantProblem: /^0\.devmem: / },
    {
      name: 'a number beyond 32 bits',
      annotation: '[{"id":"GPU-a","devmem":2147483648}]',
      wantProblem: /^0\.devmem: /,
    },
    {
      name: 'a number beyond all',
      annotation: '[{"id":"GPU-a","devcore":1e400}]',
      wantProblem: /^0\.devcore: /,
    },
    { name: 'a negative number', annotation: '[{"id":"GPU-a","devmem":-1}]', wantProblem: /^0\.devmem: / },
    {
      name: 'a negative index in JSON',
      annotation: '[{"id":"GPU-a","index":-1}]',
      wantProblem: /^0\.index: /,
    },
    {
      name: 'a health in words',
      annotation: '[{"id":"GPU-a","health":"true"}]',
      wantProblem: /^0\.health: /,
    },
    { name: 'a type that is no text', annotation: '[{"id":"GPU-a","type":7}]', wantProblem: /^0\.type: / },
    {
      name: 'one id twice in JSON',
      annotation: '[{"id":"GPU-a"},{"id":"GPU-b"},{"id":"GPU-a","index":1}]',
      wantProblem: 'device "GPU-a" is listed twice',
    },
    {
      name: 'one id twice in CSV',
      annotation: `${csv({})}${csv({ index: '1' })}`,
      wantProblem: 'device "GPU-a" is listed twice',
    },
  ];
  it.each(cases)('$name', ({ annotation, wantProblem }) => {
    const result = parseRegister(annotation, 'NVIDIA');
    expect(result.ok ? result : result.problem).toEqual(
      typeof wantProblem === 'string' ? wantProblem : expect.stringMatching(wantProblem),
    );
  });
});
