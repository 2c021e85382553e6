/** Which pods are ours, what becomes of the others, and what admission sets on the pod itself (spec §4.2). */
import { describe, expect, it } from '@jest/globals';
import { admit } from '../../src/admission/admit.ts';
import {
  type AdmissionFields,
  makeAdmissionDeps,
  makeRawContainer,
  makeRawPod,
  makeReview,
  mustAdmit,
  mustDeny,
} from './admission-fixture.ts';

const gpu = { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '1000' };
const untouched = { allowed: true, patch: [], warnings: [] };
const foreign = 'pod already has different scheduler assigned';

interface SchedulerCase {
  readonly name: string;
  readonly schedulerName?: string;
  readonly fields?: AdmissionFields;
  readonly wantSchedulerName: string | undefined;
  readonly wantMessage?: string;
}

const schedulerCases: readonly SchedulerCase[] = [
  { name: 'a pod without a scheduler becomes ours', wantSchedulerName: 'tessera-scheduler' },
  {
    name: 'an empty scheduler name is none',
    schedulerName: '',
    wantSchedulerName: 'tessera-scheduler',
  },
  {
    name: 'a pod of the default scheduler becomes ours',
    schedulerName: 'default-scheduler',
    wantSchedulerName: 'tessera-scheduler',
  },
  {
    name: 'a pod of the default scheduler stays with it when told so',
    schedulerName: 'default-scheduler',
    fields: { forceOverwriteDefaultScheduler: false },
    wantSchedulerName: 'default-scheduler',
    wantMessage: foreign,
  },
  {
    name: 'a pod without a scheduler becomes ours even so',
    fields: { forceOverwriteDefaultScheduler: false },
    wantSchedulerName: 'tessera-scheduler',
  },
  {
    name: 'a pod of another scheduler stays with it',
    schedulerName: 'volcano',
    wantSchedulerName: 'volcano',
    wantMessage: foreign,
  },
  {
    name: 'a further name of ours is kept',
    schedulerName: 'hami-scheduler',
    fields: { schedulerNames: ['tessera-scheduler', 'hami-scheduler'] },
    wantSchedulerName: 'hami-scheduler',
  },
  {
    name: 'the first name of ours is given',
    schedulerName: 'default-scheduler',
    fields: { schedulerNames: ['hami-scheduler', 'tessera-scheduler'] },
    wantSchedulerName: 'hami-scheduler',
  },
  {
    name: 'the default scheduler can be one of ours',
    schedulerName: 'default-scheduler',
    fields: { schedulerNames: ['tessera-scheduler', 'default-scheduler'] },
    wantSchedulerName: 'default-scheduler',
  },
];

describe('the scheduler of a pod with cards', () => {
  it.each(schedulerCases)('$name', ({ schedulerName, fields = {}, wantSchedulerName, wantMessage }) => {
    const named = (name: string | undefined) =>
      makeRawPod({
        containers: [makeRawContainer(gpu)],
        spec: name === undefined ? { schedulerName: null } : { schedulerName: name },
      });
    const answer = mustAdmit(named(schedulerName), makeAdmissionDeps(fields));
    expect(answer.patched).toEqual(named(wantSchedulerName));
    expect(answer.message).toBe(wantMessage);
  });

  it('changes nothing in a pod of another scheduler, not even what cannot be understood', () => {
    const pod = makeRawPod({
      containers: [
        makeRawContainer({ 'nvidia.com/gpumem': '16Gi' }, { securityContext: { privileged: true } }),
      ],
      spec: { schedulerName: 'volcano', nodeName: 'n1' },
    });
    expect(admit(makeReview(pod), makeAdmissionDeps())).toEqual({ ...untouched, message: foreign });
  });

  it('leaves the scheduler of a pod without cards alone', () => {
    const pod = makeRawPod({ spec: { schedulerName: 'default-scheduler' } });
    expect(admit(makeReview(pod), makeAdmissionDeps())).toEqual(untouched);
  });
});

describe('the runtime class', () => {
  const runtimeClassName = 'nvidia';
  const cases = [
    { name: 'is given to a pod with cards', limits: gpu, spec: {}, want: { runtimeClassName } },
    {
      name: 'is given where it is null',
      limits: gpu,
      spec: { runtimeClassName: null },
      want: { runtimeClassName },
    },
    {
      name: 'of the pod itself stays',
      limits: gpu,
      spec: { runtimeClassName: 'kata' },
      want: { runtimeClassName: 'kata' },
    },
    { name: 'is not for a pod without cards', limits: {}, spec: {}, want: {} },
  ];

  it.each(cases)('$name', ({ limits, spec, want }) => {
    const pod = makeRawPod({ containers: [makeRawContainer(limits)], spec });
    const { patched } = mustAdmit(pod, makeAdmissionDeps({ nvidia: { runtimeClassName } }));
    expect(patched).toEqual(makeRawPod({ containers: [makeRawContainer(limits)], spec: want }));
  });

  it('is given when only an init container has cards', () => {
    const pod = makeRawPod({ initContainers: [makeRawContainer(gpu, { name: 'init' })] });
    const { patched } = mustAdmit(pod, makeAdmissionDeps({ nvidia: { runtimeClassName } }));
    expect(patched.spec).toMatchObject({ runtimeClassName });
  });

  it('is left alone where none is configured', () => {
    const pod = makeRawPod({ containers: [makeRawContainer(gpu)] });
    expect(mustAdmit(pod, makeAdmissionDeps()).patched).toEqual(pod);
  });
});

describe('a pod with cards that no scheduler or device plugin could handle', () => {
  const privileged = { securityContext: { privileged: true } };
  const cases = [
    {
      name: 'is denied when its own container is privileged',
      pod: makeRawPod({ containers: [makeRawContainer(gpu, privileged)] }),
      want: 'container main is privileged',
    },
    {
      name: 'is denied when another container is privileged',
      pod: makeRawPod({
        containers: [makeRawContainer(gpu), makeRawContainer({}, { name: 'other', ...privileged })],
      }),
      want: 'container other is privileged',
    },
    {
      name: 'is denied by the first privileged container, init containers before others',
      pod: makeRawPod({
        initContainers: [makeRawContainer({}, { name: 'init', ...privileged })],
        containers: [makeRawContainer(gpu, privileged)],
      }),
      want: 'container init is privileged',
    },
    {
      name: 'is denied when it names its node',
      pod: makeRawPod({ containers: [makeRawContainer(gpu)], spec: { nodeName: 'n1' } }),
      want: 'pod has node assigned',
    },
    {
      name: 'is denied when only the added count makes it one with cards',
      pod: makeRawPod({
        containers: [makeRawContainer({ 'nvidia.com/gpumem': '1000' })],
        spec: { nodeName: 'n1' },
      }),
      want: 'pod has node assigned',
    },
  ];

  it.each(cases)('$name', ({ pod, want }) => {
    const { code, message } = mustDeny(pod, makeAdmissionDeps());
    expect(code).toBe(403);
    expect(message.startsWith(want)).toBe(true);
  });

  it.each([
    { name: 'privileged', containers: [makeRawContainer({}, privileged)], spec: {} },
    { name: 'placed by its owner', containers: [makeRawContainer({})], spec: { nodeName: 'n1' } },
    {
      name: 'without a security context',
      containers: [makeRawContainer(gpu, { securityContext: null })],
      spec: {},
    },
    {
      name: 'expressly not privileged',
      containers: [makeRawContainer(gpu, { securityContext: { privileged: false } })],
      spec: {},
    },
    { name: 'with an empty node name', containers: [makeRawContainer(gpu)], spec: { nodeName: '' } },
  ])('is another one than a pod $name', ({ containers, spec }) => {
    expect(admit(makeReview(makeRawPod({ containers, spec })), makeAdmissionDeps())).toEqual(untouched);
  });
});

describe('reviews that are not about a new pod of ours', () => {
  const broken = makeRawPod({
    metadata: { annotations: { 'hami.io/vgpu-node': 'n1' } },
    containers: [makeRawContainer({ 'nvidia.com/gpumem': '16Gi' })],
  });
  it.each([
    { name: 'an update', changes: { operation: 'UPDATE' } },
    { name: 'a deletion, which carries no object', changes: { operation: 'DELETE', object: null } },
    { name: 'another resource', changes: { resource: 'deployments' } },
    { name: 'a subresource', changes: { subResource: 'ephemeralcontainers' } },
  ])('leave $name untouched', ({ changes }) => {
    expect(admit(makeReview(broken, changes), makeAdmissionDeps())).toEqual(untouched);
  });

  const mirror = makeRawPod({
    metadata: { annotations: { 'kubernetes.io/config.mirror': 'hash', 'hami.io/vgpu-node': 'n1' } },
    containers: [makeRawContainer(gpu)],
    spec: { nodeName: 'n1' },
  });
  it('leave a mirror pod untouched, since kubelet runs it already', () => {
    const byKubelet = { userGroups: ['system:nodes', 'system:authenticated'] };
    expect(admit(makeReview(mirror, byKubelet), makeAdmissionDeps())).toEqual(untouched);
  });

  it('believe nobody but kubelet that a pod is a mirror', () => {
    const byTenant = { userGroups: ['system:authenticated'] };
    expect(admit(makeReview(mirror, byTenant), makeAdmissionDeps())).toMatchObject({
      allowed: false,
      message: expect.stringContaining('pod has node assigned') as unknown,
    });
  });

  it.each([
    { name: 'has none', spec: { containers: [] } },
    { name: 'has null', spec: { containers: null } },
    { name: 'has only init containers', spec: { containers: [], initContainers: [makeRawContainer(gpu)] } },
  ])('deny a pod whose list of containers $name', ({ spec }) => {
    expect(mustDeny(makeRawPod({ spec }), makeAdmissionDeps())).toEqual({
      allowed: false,
      code: 403,
      message: 'pod has no containers',
    });
  });

  it.each([
    { name: 'nothing', object: null },
    { name: 'a text', object: 'pod' },
    { name: 'a list', object: [] },
    { name: 'containers of a wrong type', object: { spec: { containers: { main: {} } } } },
    {
      name: 'an amount of a wrong type',
      object: makeRawPod({ containers: [{ resources: { limits: { a: {} } } }] }),
    },
    { name: 'a variable without a name', object: makeRawPod({ containers: [{ env: [{ value: 'x' }] }] }) },
  ])('call $name no pod, with code 400', ({ object }) => {
    const { code, message } = mustDeny(object, makeAdmissionDeps());
    expect(code).toBe(400);
    expect(message).toMatch(/^not a pod: ./);
  });
});
