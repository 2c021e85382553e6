import { describe, expect, it } from '@jest/globals';
import {
  labelSelectorOf,
  parseFieldSelector,
  parseLabelSelector,
} from '../../../src/emulator/api/selectors.ts';

const labels = { app: 'x', tier: 'front', size: '7', 'example.com/kind': 'a-b.c', empty: '' };

describe('parseLabelSelector', () => {
  it.each([
    { text: '', want: true },
    { text: 'app', want: true },
    { text: '!app', want: false },
    { text: ' app = x , tier == front ', want: true },
    { text: 'app=', want: false },
    { text: 'empty=', want: true },
    { text: 'absent=', want: false },
    { text: 'absent!=x', want: true },
    { text: 'example.com/kind=a-b.c', want: true },
    { text: 'tier in (back,front)', want: true },
    { text: 'tier notin (back, front)', want: false },
    { text: 'absent notin (x)', want: true },
    { text: 'empty in (,x)', want: true },
    { text: 'size>6,size<8', want: true },
    { text: 'size>7', want: false },
    { text: 'tier>1', want: false },
    { text: 'app=x,absent', want: false },
    // The words of set expressions are also labels.
    { text: 'in', want: false },
  ])('$text is $want of the labels', ({ text, want }) => {
    const selector = parseLabelSelector(text);
    expect(selector.ok && selector.value(labels)).toBe(want);
  });

  it.each(['app in x', 'app in (x', 'app in x)', '=x', 'app=x y', ',', 'app,', '!', 'app~x', 'app in'])(
    'refuses %s',
    (text) => {
      expect(parseLabelSelector(text)).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/^unable to parse requirement: /),
      });
    },
  );
});

describe('labelSelectorOf', () => {
  it.each([
    { name: 'nothing', selector: undefined, want: true },
    { name: 'an empty selector', selector: {}, want: true },
    { name: 'equal labels', selector: { matchLabels: { app: 'x', tier: 'front' } }, want: true },
    { name: 'another value', selector: { matchLabels: { app: 'y' } }, want: false },
    {
      name: 'In',
      selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['x'] }] },
      want: true,
    },
    {
      name: 'NotIn of an absent key',
      selector: { matchExpressions: [{ key: 'absent', operator: 'NotIn', values: ['x'] }] },
      want: true,
    },
    { name: 'Exists', selector: { matchExpressions: [{ key: 'absent', operator: 'Exists' }] }, want: false },
    {
      name: 'DoesNotExist',
      selector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] },
      want: false,
    },
    {
      name: 'both forms, which must both hold',
      selector: {
        matchLabels: { app: 'x' },
        matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }],
      },
      want: false,
    },
    {
      name: 'an unknown operator, which selects nothing',
      selector: { matchExpressions: [{ key: 'app', operator: 'Like' }] },
      want: false,
    },
  ])('$name', ({ selector, want }) => {
    expect(labelSelectorOf(selector)(labels)).toBe(want);
  });
});

describe('parseFieldSelector', () => {
  const fields = {
    'metadata.name': ({ metadata }: { readonly metadata: { readonly name: string } }) => metadata.name,
  };
  it.each([
    { text: '', name: 'a', want: true },
    { text: 'metadata.name=a', name: 'a', want: true },
    { text: 'metadata.name==b', name: 'a', want: false },
    { text: 'metadata.name!=b', name: 'a', want: true },
    { text: 'metadata.name=', name: 'a', want: false },
    { text: String.raw`metadata.name=a\,b\=c`, name: 'a,b=c', want: true },
    { text: 'metadata.name!=b,metadata.name!=a', name: 'a', want: false },
  ])('$text is $want of $name', ({ text, name, want }) => {
    const selector = parseFieldSelector(text, fields);
    expect(selector.ok && selector.value({ metadata: { name } })).toBe(want);
  });

  it.each([
    { text: 'spec.other=a', wantProblem: 'field label not supported: spec.other' },
    { text: 'constructor=a', wantProblem: 'field label not supported: constructor' },
    {
      text: 'metadata.name',
      wantProblem: "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
    },
  ])('refuses $text', ({ text, wantProblem }) => {
    expect(parseFieldSelector(text, fields)).toEqual({ ok: false, problem: wantProblem });
  });
});
