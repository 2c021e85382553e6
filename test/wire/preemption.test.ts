import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePreemptionArgs, preemptionResult } from '../../src/wire/preemption.ts';
import { expectGolden } from '../support/golden.ts';

/** As kube-scheduler v1.36 marshals it: Go's zero values included, the map that is not filled as null. */
const preemptor = {
  metadata: {
    name: 'urgent',
    namespace: 'default',
    uid: '0c2f6c3e-2f7e-4f0f-8a4e-6d1f0c7e9a01',
    resourceVersion: '4822',
    creationTimestamp: '2026-08-21T06:25:30Z',
  },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'cuda:12',
        resources: {
          limits: { cpu: '6', 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '12k' },
          requests: { cpu: '6', 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '12k' },
        },
        terminationMessagePath: '/dev/termination-log',
      },
    ],
    terminationGracePeriodSeconds: 30,
    schedulerName: 'tessera-scheduler',
    priorityClassName: 'high',
    priority: 1000,
    preemptionPolicy: 'PreemptLowerPriority',
  },
  status: { phase: 'Pending', qosClass: 'Burstable' },
};
const victim = (name: string, uid: string) => ({
  metadata: { name, namespace: 'default', uid, resourceVersion: '4700', creationTimestamp: null },
  spec: {
    containers: [{ name: 'main', image: 'train:1', resources: { requests: { cpu: '4' } } }],
    nodeName: 'node67',
    schedulerName: 'tessera-scheduler',
    priority: 100,
  },
  status: { phase: 'Running', startTime: '2026-08-21T05:00:00Z' },
});
const uids = ['8b3d1c0e-6a7c-4b0e-9d43-0f5a3c1f2b11', '5f0ad0b3-3f52-44a5-a64c-3a1f3c8f2d12'] as const;

describe('parsePreemptionArgs pins what kube-scheduler sends', () => {
  it.each([
    {
      golden: 'preemption-args-node-cache',
      body: {
        Pod: preemptor,
        NodeNameToVictims: null,
        NodeNameToMetaVictims: {
          node67: { Pods: uids.map((UID) => ({ UID })), NumPDBViolations: 1 },
          // Only from v1.38 on: the in-tree filters ask for nobody's eviction here.
          node68: { Pods: [], NumPDBViolations: 0 },
        },
      },
    },
    {
      golden: 'preemption-args-no-node-cache',
      body: {
        Pod: { ...preemptor, status: { ...preemptor.status, nominatedNodeName: 'node67' } },
        NodeNameToVictims: {
          node67: { Pods: [victim('a', uids[0]), victim('b', uids[1])], NumPDBViolations: 0 },
          node68: { Pods: null, NumPDBViolations: 0 },
        },
        NodeNameToMetaVictims: null,
      },
    },
  ])('$golden', ({ golden, body }) => {
    const args = parsePreemptionArgs(body);
    if (!args.ok) throw new Error(args.problem);
    const { victims } = args.value;
    const parsed = { ...args.value, victims: Object.fromEntries(victims) };
    expectGolden(golden, { received: body, parsed, answeredUnchanged: preemptionResult(victims) });
  });
});

describe('parsePreemptionArgs finds the victims', () => {
  const pod = { metadata: { name: 'p' } };
  const of = (uid: string, pdbViolations = 0) => ({ n1: { podUids: [uid], pdbViolations } });
  it.each([
    { name: 'of no node at all', body: { Pod: pod, NodeNameToMetaVictims: {} }, want: {} },
    {
      name: 'with keys in lower case',
      body: {
        pod,
        nodenametometavictims: { n1: { pods: [{ uid: 'u1' }], numpdbviolations: 2 } },
      },
      want: of('u1', 2),
    },
    {
      name: 'with keys in camel case',
      body: { pod, nodeNameToMetaVictims: { n1: { pods: [{ uid: 'u1' }], numPDBViolations: 2 } } },
      want: of('u1', 2),
    },
    {
      name: 'with keys in upper case',
      body: { POD: pod, NODENAMETOVICTIMS: { n1: { PODS: [{ metadata: { uid: 'u1' } }] } } },
      want: of('u1'),
    },
    {
      name: 'of nodes whose names are in upper case or mean something to JavaScript',
      body: JSON.parse(
        '{"Pod":{},"NodeNameToMetaVictims":{"N1":{},"__proto__":{"Pods":[{"UID":"u1"}]}}}',
      ) as object,
      want: JSON.parse(
        '{"N1":{"podUids":[],"pdbViolations":0},"__proto__":{"podUids":["u1"],"pdbViolations":0}}',
      ) as object,
    },
    {
      name: 'where a node has null for its victims',
      body: { Pod: pod, NodeNameToMetaVictims: { n1: null } },
      want: { n1: { podUids: [], pdbViolations: 0 } },
    },
    {
      name: 'as identifiers where whole pods are given, too',
      body: {
        Pod: pod,
        NodeNameToVictims: { n1: { Pods: [{ metadata: { uid: 'whole' } }] } },
        NodeNameToMetaVictims: { n1: { Pods: [{ UID: 'u1' }] } },
      },
      want: of('u1'),
    },
  ])('$name', ({ body, want }) => {
    const args = parsePreemptionArgs(body);
    expect(args.ok ? Object.fromEntries(args.value.victims) : args.problem).toEqual(want);
  });

  it('and takes a nomination that makes no sense for none', () => {
    for (const status of [undefined, null, {}, { nominatedNodeName: '' }, { nominatedNodeName: 7 }]) {
      const args = parsePreemptionArgs({ Pod: { ...pod, status }, NodeNameToMetaVictims: {} });
      expect(args.ok && args.value).not.toHaveProperty('nominatedNode');
    }
  });
});

describe('parsePreemptionArgs refuses', () => {
  const byUid = (Pods: unknown) => ({ Pod: {}, NodeNameToMetaVictims: { n1: { Pods } } });
  it.each([
    { name: 'a call without pod', body: { NodeNameToMetaVictims: {} }, wantProblem: /missing pod/ },
    { name: 'no victims in either form', body: { Pod: {} }, wantProblem: /both null/ },
    { name: 'no body', body: undefined, wantProblem: /^document: / },
    { name: 'a list', body: [], wantProblem: /^document: / },
    {
      name: 'nodes as a list',
      body: { Pod: {}, NodeNameToMetaVictims: [] },
      wantProblem: /^nodenametometavictims: /,
    },
    { name: 'victims in words', body: byUid('u1'), wantProblem: /^nodenametometavictims\.n1\.pods: / },
    { name: 'a victim of null', body: byUid([null]), wantProblem: /\.pods\.0: / },
    { name: 'a victim without UID', body: byUid([{}]), wantProblem: /\.pods\.0: .*uid/ },
    { name: 'an empty UID', body: byUid([{ UID: '' }]), wantProblem: /\.pods\.0\.uid: / },
    {
      name: 'a whole pod without UID',
      body: { Pod: {}, NodeNameToVictims: { n1: { Pods: [{ metadata: { name: 'x' } }] } } },
      wantProblem: /\.pods\.0\.metadata: .*uid/,
    },
    {
      name: 'a fractional count',
      body: { Pod: {}, NodeNameToMetaVictims: { n1: { NumPDBViolations: 0.5 } } },
      wantProblem: /\.n1\.numpdbviolations: /,
    },
    {
      name: 'a pod whose containers cannot be read',
      body: { Pod: { spec: { containers: {} } }, NodeNameToMetaVictims: {} },
      wantProblem: /^pod\.spec\.containers: /,
    },
  ])('$name', ({ body, wantProblem }) => {
    const args = parsePreemptionArgs(body);
    expect(args.ok ? args : args.problem).toEqual(expect.stringMatching(wantProblem));
  });
});

it('no body makes parsePreemptionArgs throw', () => {
  const key = fc.constantFrom('Pod', 'NodeNameToVictims', 'nodeNameToMetaVictims', '__proto__');
  const victims = fc.dictionary(
    fc.constantFrom('n1', '__proto__'),
    fc.oneof(fc.jsonValue(), fc.record({ Pods: fc.array(fc.jsonValue()), NumPDBViolations: fc.jsonValue() })),
  );
  const body = fc.oneof(fc.jsonValue(), fc.dictionary(key, fc.oneof(fc.jsonValue(), victims)));
  fc.assert(
    fc.property(body, (written) => {
      const result = parsePreemptionArgs(JSON.parse(JSON.stringify(written)));
      if (!result.ok) expect(result.problem).not.toBe('');
    }),
    { numRuns: 1000 },
  );
});
