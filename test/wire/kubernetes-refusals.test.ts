import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseNode, parsePod } from '../../src/wire/kubernetes.ts';

describe('a used field of the wrong type refuses the object with its place', () => {
  const cases: {
    name: string;
    parse: typeof parsePod | typeof parseNode;
    value: unknown;
    wantProblem: RegExp;
  }[] = [
    { name: 'no object', parse: parsePod, value: 'pod', wantProblem: /^document: / },
    { name: 'null', parse: parsePod, value: null, wantProblem: /^document: / },
    { name: 'nothing', parse: parsePod, value: undefined, wantProblem: /^document: / },
    { name: 'a list', parse: parsePod, value: [], wantProblem: /^document: / },
    {
      name: 'a name that is a number',
      parse: parsePod,
      value: { metadata: { name: 7 } },
      wantProblem: /^metadata\.name: .*string/,
    },
    {
      name: 'an annotation that is a number',
      parse: parsePod,
      value: { metadata: { annotations: { 'hami.io/vgpu-time': 7 } } },
      wantProblem: /^metadata\.annotations\.hami\.io\/vgpu-time: .*string/,
    },
    {
      name: 'an annotation that is null',
      parse: parseNode,
      value: { metadata: { annotations: { a: null } } },
      wantProblem: /^metadata\.annotations\.a: /,
    },
    {
      name: 'containers that are no list',
      parse: parsePod,
      value: { spec: { containers: {} } },
      wantProblem: /^spec\.containers: .*array/,
    },
    {
      name: 'a container of null, whose place in allocations nobody would know',
      parse: parsePod,
      value: { spec: { containers: [{ name: 'main' }, null] } },
      wantProblem: /^spec\.containers\.1: /,
    },
    {
      name: 'a status of null',
      parse: parsePod,
      value: { status: { containerStatuses: [null] } },
      wantProblem: /^status\.containerStatuses\.0: /,
    },
    {
      name: 'a quantity that is true',
      parse: parsePod,
      value: { spec: { containers: [{}, { resources: { limits: { cpu: true } } }] } },
      wantProblem: /^spec\.containers\.1\.resources\.limits\.cpu: /,
    },
    {
      name: 'a quantity that is infinite',
      parse: parseNode,
      value: { status: { allocatable: { cpu: Infinity } } },
      wantProblem: /^status\.allocatable\.cpu: /,
    },
    {
      name: 'limits in the init containers',
      parse: parsePod,
      value: { spec: { initContainers: [{ resources: { limits: ['1'] } }] } },
      wantProblem: /^spec\.initContainers\.0\.resources\.limits: .*object/,
    },
    {
      name: 'a grace period in words',
      parse: parsePod,
      value: { spec: { terminationGracePeriodSeconds: '30' } },
      wantProblem: /^spec\.terminationGracePeriodSeconds: .*integer/,
    },
    {
      name: 'an exit code in words',
      parse: parsePod,
      value: { status: { containerStatuses: [{ state: { terminated: { exitCode: '0' } } }] } },
      wantProblem: /^status\.containerStatuses\.0\.state\.terminated\.exitCode: /,
    },
    {
      name: 'allocatable that is a list',
      parse: parseNode,
      value: { status: { allocatable: [] } },
      wantProblem: /^status\.allocatable: /,
    },
  ];
  it.each(cases)('$name', ({ parse, value, wantProblem }) => {
    const result = parse(value);
    expect(result.ok ? result : result.problem).toEqual(expect.stringMatching(wantProblem));
  });

  it('and no JSON at all makes it throw', () => {
    const part = fc.oneof(fc.jsonValue(), fc.constant(null));
    const shaped = fc.record(
      {
        metadata: fc.oneof(part, fc.record({ annotations: part, labels: part, name: part })),
        spec: fc.oneof(part, fc.record({ containers: fc.oneof(part, fc.array(part)), initContainers: part })),
        status: fc.oneof(part, fc.record({ allocatable: part, containerStatuses: fc.array(part) })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(shaped, part), (value) => {
        for (const result of [parsePod(value), parseNode(value)]) {
          if (!result.ok) expect(result.problem).toMatch(/^.+: ./s);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
