import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type JsonSchema, schemaParser, schemaParserWithDefaults } from '../../src/wire/validate.ts';

const schema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1 },
    level: { enum: ['low', 'high'], default: 'low' },
    ports: { type: 'array', items: { type: 'integer', maximum: 65535 } },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    limits: { type: 'object', default: {}, properties: { cpu: { type: 'integer', default: 4 } } },
  },
};

describe('schemaParser', () => {
  const parse = schemaParser<unknown>(schema);

  it('gives back the value itself, without defaults', () => {
    const value = { name: 'a' };
    const result = parse(value);
    expect(result.ok && result.value).toBe(value);
    expect(value).toEqual({ name: 'a' });
  });

  it.each([
    { name: 'the document itself', value: 7, wantProblem: 'document: must be object' },
    { name: 'a key', value: { name: '' }, wantProblem: 'name: must NOT have fewer than 1 characters' },
    { name: 'an element', value: { ports: [1, 65536] }, wantProblem: 'ports.1: must be <= 65535' },
    {
      name: 'a key with slashes',
      value: { labels: { 'a.b/c~d': 1 } },
      wantProblem: 'labels.a.b/c~d: must be string',
    },
    { name: 'an unknown key', value: { nane: 'a' }, wantProblem: 'document: unknown key "nane"' },
    {
      name: 'a word outside the list',
      value: { level: 'mid' },
      wantProblem: 'level: must be one of low, high',
    },
  ])('names the place: $name', ({ value, wantProblem }) => {
    expect(parse(value)).toEqual({ ok: false, problem: wantProblem });
  });

  it('does not convert types', () => {
    expect(parse({ ports: ['80'] }).ok).toBe(false);
    expect(parse({ name: 7 }).ok).toBe(false);
  });

  it('stops at the first fault, so that a hostile body cannot make it list thousands', () => {
    const result = parse({ ports: Array<string>(10_000).fill('x') });
    expect(result).toEqual({ ok: false, problem: 'ports.0: must be integer' });
  });

  it('answers every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = parse(value);
        if (!result.ok) expect(result.problem).toMatch(/^.+: ./s);
      }),
    );
  });
});

describe('schemaParserWithDefaults', () => {
  const parse = schemaParserWithDefaults<unknown>(schema);

  it('fills in defaults on a copy', () => {
    const value = { name: 'a', limits: {} };
    expect(parse(value)).toEqual({ ok: true, value: { name: 'a', level: 'low', limits: { cpu: 4 } } });
    expect(value).toEqual({ name: 'a', limits: {} });
  });

  it('shares no default between two results', () => {
    const [first, second] = [parse({}), parse({})];
    expect(first).toEqual(second);
    expect(first.ok && second.ok && first.value === second.value).toBe(false);
    const limitsOf = (result: typeof first) =>
      result.ok ? (result.value as { limits: object }).limits : undefined;
    expect(limitsOf(first)).not.toBe(limitsOf(second));
  });

  it('names every fault at once', () => {
    const result = parse({ name: '', level: 'mid', ports: ['a', 'b'], extra: 1 });
    const problem = result.ok ? '' : result.problem;
    for (const place of ['unknown key "extra"', 'name: ', 'level: ', 'ports.0: ', 'ports.1: ']) {
      expect(problem).toContain(place);
    }
  });
});
