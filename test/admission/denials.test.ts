/** Requests that cannot be understood are denied with container, field, value and fix (spec Q12, §4.4 step 1). */
import { describe, expect, it } from '@jest/globals';
import {
  type AdmissionFields,
  makeAdmissionDeps,
  makeRawContainer,
  makeRawPod,
  mustAdmit,
  mustDeny,
} from './admission-fixture.ts';

interface DenialCase {
  readonly name: string;
  readonly field: string;
  readonly value: string | number;
  readonly fields?: AdmissionFields;
  /** What to write instead, as the message says it. */
  readonly wantFix: RegExp;
}

const cases: readonly DenialCase[] = [
  { name: 'memory in Gi', field: 'gpumem', value: '16Gi', wantFix: /binary suffix.* MiB; write 16384$/ },
  { name: 'memory in Mi', field: 'gpumem', value: '512Mi', wantFix: /write 512$/ },
  { name: 'memory in Ki, less than a MiB', field: 'gpumem', value: '1Ki', wantFix: /without a suffix$/ },
  { name: 'half a MiB', field: 'gpumem', value: '0.5', wantFix: /fraction.*whole number of MiB/ },
  { name: 'memory in milli-units', field: 'gpumem', value: '1500m', wantFix: /fraction/ },
  { name: 'negative memory', field: 'gpumem', value: '-1', wantFix: /negative.*between 0 and/ },
  { name: 'memory beyond the wire', field: 'gpumem', value: '3G', wantFix: /too large.*2147483647/ },
  {
    name: 'memory beyond the wire by its factor',
    field: 'gpumem',
    value: '1073741824',
    fields: { nvidia: { memoryFactor: 2 } },
    wantFix: /too large.*1073741823/,
  },
  { name: 'memory that is no number', field: 'gpumem', value: 'all', wantFix: /not a number/ },
  { name: 'empty memory', field: 'gpumem', value: '', wantFix: /not a number/ },
  { name: 'percent 130', field: 'gpumem-percentage', value: '130', wantFix: /percent between 0 and 100$/ },
  { name: 'percent 130 as a number', field: 'gpumem-percentage', value: 130, wantFix: /between 0 and 100$/ },
  { name: 'percent 101', field: 'gpumem-percentage', value: '101', wantFix: /between 0 and 100$/ },
  { name: 'percent 12.5', field: 'gpumem-percentage', value: '12.5', wantFix: /fraction/ },
  { name: 'percent -1', field: 'gpumem-percentage', value: '-1', wantFix: /negative/ },
  { name: 'a percent sign', field: 'gpumem-percentage', value: '50%', wantFix: /not a number/ },
  { name: 'half a card', field: 'gpu', value: '0.5', wantFix: /fraction.*whole number of cards/ },
  { name: 'a negative count', field: 'gpu', value: '-1', wantFix: /negative/ },
  { name: 'a count with a binary suffix', field: 'gpu', value: '1Ki', wantFix: /without a suffix$/ },
  { name: 'cores with a fraction', field: 'gpucores', value: '33.3', wantFix: /fraction/ },
  { name: 'negative cores', field: 'gpucores', value: '-10', wantFix: /negative/ },
  { name: 'a priority with a fraction', field: 'priority', value: '0.5', wantFix: /fraction/ },
];

describe('requests that cannot be understood', () => {
  it.each(cases)('$name are denied with the place and the fix', ({ field, value, fields = {}, wantFix }) => {
    const resource = `nvidia.com/${field}`;
    const limits = { 'nvidia.com/gpu': '1', 'nvidia.com/gpucores': '10', [resource]: value };
    const pod = makeRawPod({
      containers: [makeRawContainer({}, { name: 'a' }), makeRawContainer(limits, { name: 'b' })],
    });
    const { code, message } = mustDeny(pod, makeAdmissionDeps(fields));
    expect(code).toBe(403);
    expect(message.startsWith(`container "b": ${resource}: ${JSON.stringify(String(value))} `)).toBe(true);
    expect(message).toMatch(wantFix);
  });

  it('are denied in requests as in limits', () => {
    const resources = { requests: { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '16Gi' } };
    const { message } = mustDeny(
      makeRawPod({ containers: [{ name: 'main', resources }] }),
      makeAdmissionDeps(),
    );
    expect(message).toContain('"16Gi"');
  });

  it('are all named at once, in every container', () => {
    const pod = makeRawPod({
      initContainers: [makeRawContainer({ 'nvidia.com/gpumem': '1Gi' }, { name: 'init' })],
      containers: [makeRawContainer({ 'nvidia.com/gpu': '-1', 'nvidia.com/gpumem-percentage': '130' })],
    });
    const { message } = mustDeny(pod, makeAdmissionDeps());
    expect(message.split('; ').filter((part) => part.startsWith('container'))).toEqual([
      expect.stringMatching(/^container "init": nvidia.com\/gpumem: "1Gi"/),
      expect.stringMatching(/^container "main": nvidia.com\/gpu: "-1"/),
      expect.stringMatching(/^container "main": nvidia.com\/gpumem-percentage: "130"/),
    ]);
  });

  it('do not become good by a count that admission would add', () => {
    const pod = makeRawPod({ containers: [makeRawContainer({ 'nvidia.com/gpumem': '16Gi' })] });
    expect(mustDeny(pod, makeAdmissionDeps()).message).toContain('"16Gi"');
  });
});

describe('spellings that the API server makes of whole numbers', () => {
  it.each([
    { field: 'gpumem', value: '3k' },
    { field: 'gpumem', value: '30k' },
    { field: 'gpumem', value: '2M' },
    { field: 'gpumem', value: '1e3' },
    { field: 'gpumem', value: '1E3' },
    { field: 'gpumem', value: '8192000m' },
    { field: 'gpumem', value: '2147483647' },
    { field: 'gpumem', value: 8192 },
    { field: 'gpumem-percentage', value: '0.1k' },
    { field: 'gpucores', value: '1e2' },
    { field: 'gpu', value: '+2' },
  ])('$value of $field is taken', ({ field, value }) => {
    const limits = { 'nvidia.com/gpu': '1', 'nvidia.com/gpucores': '10', [`nvidia.com/${field}`]: value };
    const pod = makeRawPod({ containers: [makeRawContainer(limits)] });
    const { patch, warnings } = mustAdmit(pod, makeAdmissionDeps());
    expect({ patch, warnings }).toEqual({ patch: [], warnings: [] });
  });
});
