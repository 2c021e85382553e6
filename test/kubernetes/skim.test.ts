import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventShape, pageShape } from '../../src/kubernetes/list-watch-format.ts';
import { type Shape, shapeOf, shapeWith, Skimmer } from '../../src/kubernetes/skim.ts';
import {
  nodeSchema,
  parseNode,
  parsePod,
  parseQuota,
  podSchema,
  quotaSchema,
} from '../../src/wire/kubernetes.ts';
import { makeNodeObject, makePod } from '../support/kubernetes-objects.ts';

const skimmer = new Skimmer();

function skim(text: string, shape: Shape): string | undefined {
  return skimmer.skim(Buffer.from(text), shape);
}

const shape = shapeWith({ a: 'whole', b: shapeWith({ c: 'whole' }) });

describe('skimming', () => {
  it.each<{ name: string; text: string; want: string | undefined }>([
    { name: 'keeps what is named', text: '{"a":1,"b":{"c":[{"x":2}]}}', want: '{"a":1,"b":{"c":[{"x":2}]}}' },
    { name: 'drops the first member', text: '{"x":1,"a":2}', want: '{"a":2}' },
    { name: 'drops the last member', text: '{"a":2,"x":{"a":1}}', want: '{"a":2}' },
    { name: 'drops members in between', text: '{"a":1,"x":[],"y":{},"b":{}}', want: '{"a":1,"b":{}}' },
    { name: 'drops all members', text: '{"x":"}\\"{","y":null}', want: '{}' },
    { name: 'takes an empty object', text: '{}', want: '{}' },
    { name: 'drops what is named elsewhere', text: '{"c":1,"b":{"a":1,"c":2,"b":3}}', want: '{"b":{"c":2}}' },
    { name: 'cuts every object of a list', text: '[{"a":1,"x":2},{"x":3},4]', want: '[{"a":1},{},4]' },
    { name: 'keeps a list within a list', text: '[[{"x":1}]]', want: '[[{"x":1}]]' },
    { name: 'keeps a value of another kind', text: '{"b":"text"}', want: '{"b":"text"}' },
    { name: 'keeps a member named twice', text: '{"a":1,"x":0,"a":2}', want: '{"a":1,"a":2}' },
    { name: 'keeps a key that is spelt with escapes', text: '{"\\u0061":1}', want: '{"\\u0061":1}' },
    { name: 'takes a key that ends in an escape', text: '{"x\\\\":1,"a":2}', want: '{"x\\\\":1,"a":2}' },
    { name: 'takes characters of several bytes', text: '{"é":"🂡","a":"é🂡"}', want: '{"a":"é🂡"}' },
    { name: 'takes white space', text: ' { "x" : 1 ,\n "a" : 2 } ', want: '{"a" : 2 } ' },
    { name: 'leaves a document of one word', text: 'null', want: 'null' },
    { name: 'leaves what follows the document', text: '{"x":1} {', want: '{} {' },
    { name: 'refuses nothing at all', text: '', want: undefined },
    { name: 'refuses an object without its end', text: '{"a":1', want: undefined },
    { name: 'refuses a dropped value without its end', text: '{"x":{"y":[}', want: undefined },
    { name: 'refuses a dropped text without its end', text: '{"x":"y', want: undefined },
    { name: 'refuses a text that ends in half an escape', text: '{"x":["\\', want: undefined },
    { name: 'refuses a key that is no text', text: '{x:1}', want: undefined },
    { name: 'refuses a member without a value', text: '{"x":}', want: undefined },
    { name: 'refuses a list without its end', text: '[{"a":1},', want: undefined },
  ])('$name', ({ text, want }) => {
    expect(skim(text, shape)).toBe(want);
  });

  it('leaves a document without a shape as it is', () => {
    expect(skim('{"x":', 'whole')).toBe('{"x":');
  });

  it('forgets one document before the next, whatever became of it', () => {
    skim('{"a":"long enough to be seen","x":', shape);
    expect(skim('{"x":1}', shape)).toBe('{}');
  });

  it('keeps of any document, however it is laid out, what the shape names and nothing else', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'x', 'é', 'long key', 'a"');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(0, -1.5e3, true, null, '', '{', '"]', 'a\\', '\n'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, '\t'), (document, space) => {
        const text = skim(JSON.stringify(document, null, space), shape);
        expect(JSON.parse(text ?? 'refused')).toEqual(projected(document, wanted));
      }),
      { numRuns: 2000 },
    );
  });

  it('answers any text with a text or nothing', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      ' ',
      '"a"',
      '"x":',
      '1',
      'null',
      '{"b":',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const kept = skim(text, shape);
        if (isJson(text)) expect(kept).toBeDefined();
      }),
      { numRuns: 5000 },
    );
  });
});

type Wanted = 'whole' | { readonly [key: string]: Wanted };
const wanted: Wanted = { a: 'whole', b: { c: 'whole' } };

/** What skimming means, on values. A key of which the text needs an escape is kept. */
function projected(value: unknown, of: Wanted, inList = false): unknown {
  if (of === 'whole' || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return inList ? value : value.map((item) => projected(item, of, true));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const inner = key.includes('"') ? 'whole' : of[key];
      return inner === undefined ? [] : [[key, projected(member, inner)]];
    }),
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the shape of a schema', () => {
  const amounts = { requests: { cpu: '1', memory: '1Gi' }, limits: { 'nvidia.com/gpu': '1' } };
  const pod = makePod({
    name: 'train',
    nodeName: 'n1',
    annotations: { 'hami.io/vgpu-node': 'n1', note: 'x' },
    phase: 'Running',
  });
  const cases = [
    { name: 'pods', schema: podSchema, parse: parsePod, object: pod },
    { name: 'nodes', schema: nodeSchema, parse: parseNode, object: makeNodeObject({ name: 'n1' }) },
    {
      name: 'quotas',
      schema: quotaSchema,
      parse: parseQuota,
      object: {
        metadata: { namespace: 'a', name: 'q', resourceVersion: '7' },
        spec: { hard: { 'limits.nvidia.com/gpumem': '3k' } },
      },
    },
  ];

  it.each(cases)('holds all that is read of $name', ({ schema, parse, object }) => {
    // Anything may stand anywhere: beside the fields that are read, and in their place.
    const member = fc.constantFrom(
      ...[
        'metadata',
        'spec',
        'status',
        'containers',
        'initContainers',
        'containerStatuses',
        'state',
        'running',
      ],
      ...[
        'terminated',
        'exitCode',
        'name',
        'resources',
        'limits',
        'requests',
        'labels',
        'hard',
        'allocatable',
        'capacity',
      ],
      ...[
        'phase',
        'nodeName',
        'uid',
        'env',
        'managedFields',
        'volumes',
        'images',
        'restartPolicy',
        'priority',
      ],
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, 1, 1.5, 'Always', 'Running', '2', amounts),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(member, tie('value'), { maxKeys: 4 }),
      ),
    }));
    let read = 0;
    fc.assert(
      fc.property(fc.dictionary(member, value, { maxKeys: 3 }), fc.boolean(), (extra, merged) => {
        const whole = merged ? mergedDeep(object, extra) : { ...object, ...extra };
        const text = skim(JSON.stringify(whole), shapeOf(schema)) ?? 'refused';
        expect(parse(JSON.parse(text))).toEqual(parse(whole));
        if (parse(whole).ok) read += 1;
      }),
      { numRuns: 1000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it('leaves out what is not read', () => {
    const large = mergedDeep(pod, {
      metadata: { managedFields: [{ manager: 'kubelet' }], ownerReferences: [{}] },
      spec: { volumes: [{ name: 'data' }], containers: [{ name: 'main', image: 'i', env: [{ name: 'A' }] }] },
      status: { conditions: [{ type: 'Ready' }] },
    });
    const text = skim(JSON.stringify(large), shapeOf(podSchema));
    expect(text).toContain('"name":"main"');
    expect(text).not.toMatch(/managedFields|ownerReferences|volumes|env|image|conditions/);
  });

  it('is found again in pages and in events, with what these say themselves', () => {
    const object = shapeOf(podSchema);
    const page = {
      kind: 'PodList',
      metadata: { resourceVersion: '9', continue: 'c' },
      items: [{ extra: 1 }],
    };
    expect(skim(JSON.stringify(page), pageShape(object))).toBe(
      '{"metadata":{"resourceVersion":"9","continue":"c"},"items":[{}]}',
    );
    const events = [
      { type: 'ADDED', object: { metadata: { name: 'a' } } },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      { type: 'ERROR', object: { code: 410, message: 'too old' } },
    ];
    for (const event of events) {
      expect(skim(JSON.stringify(event), eventShape(object))).toBe(JSON.stringify(event));
    }
    expect(eventShape('whole')).toBe('whole');
  });
});

function mergedDeep(a: unknown, b: unknown): object {
  const merged: Record<string, unknown> = { ...(a as object) };
  for (const [key, value] of Object.entries(b as object)) {
    const before = merged[key];
    merged[key] = isPlain(before) && isPlain(value) ? mergedDeep(before, value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
