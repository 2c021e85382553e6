import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseBindingArgs, parseExtenderArgs } from '../../src/wire/extender.ts';
import { expectGolden } from '../support/golden.ts';

/** A pod as kube-scheduler marshals it: Go's zero values included. */
const pod = {
  metadata: {
    name: 'gpu-pod',
    namespace: 'default',
    uid: '8b3d1c0e-6a7c-4b0e-9d43-0f5a3c1f2b11',
    resourceVersion: '4711',
    creationTimestamp: '2026-08-21T06:20:30Z',
    annotations: { 'nvidia.com/use-gputype': 'A100' },
  },
  spec: {
    volumes: [{ name: 'kube-api-access', projected: { sources: null, defaultMode: 420 } }],
    initContainers: [{ name: 'proxy', image: 'proxy:1', restartPolicy: 'Always', resources: {} }],
    containers: [
      {
        name: 'main',
        image: 'cuda:12',
        resources: {
          limits: { 'nvidia.com/gpu': '1', 'nvidia.com/gpucores': '30', 'nvidia.com/gpumem': '3k' },
          requests: { 'nvidia.com/gpu': '1', 'nvidia.com/gpucores': '30', 'nvidia.com/gpumem': '3k' },
        },
        terminationMessagePath: '/dev/termination-log',
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    schedulerName: 'tessera-scheduler',
    tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', tolerationSeconds: 300 }],
  },
  status: { phase: 'Pending', qosClass: 'BestEffort' },
};
const node = {
  metadata: { name: 'node67', resourceVersion: '12', creationTimestamp: null, labels: { gpu: 'on' } },
  spec: { podCIDR: '10.244.0.0/24' },
  status: { allocatable: { cpu: '8', memory: '32Gi', 'nvidia.com/gpu': '10', pods: '110' }, nodeInfo: {} },
};
const list = { metadata: {}, items: [node] };

describe('parseExtenderArgs pins what kube-scheduler sends', () => {
  it.each([
    { golden: 'extender-args-node-names', body: { Pod: pod, Nodes: null, NodeNames: ['node67', 'node68'] } },
    { golden: 'extender-args-nodes', body: { Pod: pod, Nodes: list, NodeNames: null } },
  ])('$golden', ({ golden, body }) => {
    expectGolden(golden, { received: body, parsed: parseExtenderArgs(body) });
  });
});

describe('parseExtenderArgs finds the candidates', () => {
  const minimal = { metadata: { name: 'p' } };
  const names = (...list: string[]) => ({ form: 'names', names: list });
  const cases: { name: string; body: unknown; want: unknown }[] = [
    { name: 'by name', body: { Pod: minimal, NodeNames: ['n2', 'n1'] }, want: names('n2', 'n1') },
    { name: 'by no name at all', body: { Pod: minimal, NodeNames: [] }, want: names() },
    {
      name: 'with keys in lower case',
      body: { pod: minimal, nodenames: ['n1'], nodes: null },
      want: names('n1'),
    },
    { name: 'with keys in camel case', body: { pod: minimal, nodeNames: ['n1'] }, want: names('n1') },
    {
      name: 'with keys in upper case',
      body: { POD: minimal, NODENAMES: ['n1'], NODES: null },
      want: names('n1'),
    },
    {
      name: 'beside unknown keys',
      body: { Pod: minimal, NodeNames: ['n1'], Later: { x: 1 } },
      want: names('n1'),
    },
    {
      name: 'as objects, which come back as received',
      body: { Pod: minimal, Nodes: list },
      want: { form: 'objects', nodes: [expect.objectContaining({ name: 'node67' })], raw: [node] },
    },
    {
      name: 'as objects even where names are given too',
      body: { Pod: minimal, Nodes: list, NodeNames: ['n1'] },
      want: { form: 'objects', nodes: [expect.objectContaining({ name: 'node67' })], raw: [node] },
    },
    {
      name: 'as an empty list of objects',
      body: { Pod: minimal, Nodes: { items: [] } },
      want: { form: 'objects', nodes: [], raw: [] },
    },
    {
      name: 'as an empty list of objects, as Go writes one',
      body: { Pod: minimal, Nodes: { metadata: {}, items: null }, NodeNames: null },
      want: { form: 'objects', nodes: [], raw: [] },
    },
  ];
  it.each(cases)('$name', ({ body, want }) => {
    const args = parseExtenderArgs(body);
    expect(args.ok ? args.value.candidates : args.problem).toEqual(want);
  });
});

describe('parseExtenderArgs refuses', () => {
  const cases: { name: string; body: unknown; wantProblem: string | RegExp }[] = [
    { name: 'a call without pod', body: { NodeNames: ['n1'] }, wantProblem: 'extender args missing pod' },
    {
      name: 'a pod of null',
      body: { Pod: null, NodeNames: ['n1'] },
      wantProblem: 'extender args missing pod',
    },
    { name: 'an empty object', body: {}, wantProblem: 'extender args missing pod' },
    {
      name: 'no nodes in either form',
      body: { Pod: {}, Nodes: null, NodeNames: null },
      wantProblem: /NodeNames and Nodes/,
    },
    { name: 'nodes that nobody mentions', body: { Pod: {} }, wantProblem: /NodeNames and Nodes/ },
    { name: 'no body', body: undefined, wantProblem: /^document: / },
    { name: 'a list', body: [], wantProblem: /^document: / },
    { name: 'a pod in words', body: { Pod: 'p', NodeNames: ['n1'] }, wantProblem: /^pod: / },
    {
      name: 'a name that is a number',
      body: { Pod: {}, NodeNames: ['n1', 7] },
      wantProblem: /^nodenames\.1: /,
    },
    { name: 'names that are no list', body: { Pod: {}, NodeNames: 'n1' }, wantProblem: /^nodenames: / },
    {
      name: 'a node of null',
      body: { Pod: {}, Nodes: { items: [node, null] } },
      wantProblem: /^nodes\.items\.1: /,
    },
    {
      name: 'a broken field deep in the pod',
      body: { Pod: { spec: { containers: [{ resources: { limits: { cpu: [] } } }] } }, NodeNames: ['n1'] },
      wantProblem: /^pod\.spec\.containers\.0\.resources\.limits\.cpu: /,
    },
  ];
  it.each(cases)('$name', ({ body, wantProblem }) => {
    const args = parseExtenderArgs(body);
    expect(args.ok ? args : args.problem).toEqual(
      typeof wantProblem === 'string' ? wantProblem : expect.stringMatching(wantProblem),
    );
  });
});

describe('parseBindingArgs', () => {
  const body = { PodName: 'gpu-pod', PodNamespace: 'default', PodUID: 'u1', Node: 'node67' };
  const want = { namespace: 'default', name: 'gpu-pod', uid: 'u1', node: 'node67' };

  it.each([
    { name: 'as kube-scheduler writes it', body },
    {
      name: 'with keys in lower case',
      body: { podname: 'gpu-pod', podnamespace: 'default', poduid: 'u1', node: 'node67' },
    },
    {
      name: 'with keys in camel case',
      body: { podName: 'gpu-pod', podNamespace: 'default', podUid: 'u1', node: 'node67' },
    },
    { name: 'beside unknown keys', body: { ...body, Later: 1 } },
  ])('reads a binding $name', ({ body: received }) => {
    expect(parseBindingArgs(received)).toEqual({ ok: true, value: want });
  });

  it.each(Object.keys(body))('needs %s', (key) => {
    const place = key.toLowerCase();
    for (const value of [undefined, null, '', 7]) {
      const result = parseBindingArgs(JSON.parse(JSON.stringify({ ...body, [key]: value })));
      expect(result.ok ? result : result.problem).toEqual(expect.stringContaining(place));
    }
  });

  it.each([undefined, null, [], 'bind'])('refuses %p', (received) => {
    expect(parseBindingArgs(received)).toEqual({
      ok: false,
      problem: expect.stringMatching(/^document: ./) as unknown,
    });
  });
});

describe('no body makes the extender parsers throw', () => {
  const keys = [
    'Pod',
    'pod',
    'Nodes',
    'nodes',
    'NodeNames',
    'nodenames',
    'PodName',
    'PodUID',
    'Node',
    '__proto__',
  ];
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(null, pod, list, { items: [null] }, ['n1']),
  );
  const shaped = fc.dictionary(fc.constantFrom(...keys), value);

  it.each([
    { name: 'filter and prioritize', parse: parseExtenderArgs },
    { name: 'bind', parse: parseBindingArgs },
  ])('$name', ({ parse }) => {
    fc.assert(
      fc.property(fc.oneof(shaped, fc.jsonValue()), (body) => {
        const result = parse(JSON.parse(JSON.stringify(body)));
        if (!result.ok) expect(result.problem).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});
