/** Quotas at admission, from the objects of a cluster to the denial (spec §4.2 step 8, §8.4, Q9). */
import { describe, expect, it } from '@jest/globals';
import { admit } from '../../src/admission/admit.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { type GpuAmounts, gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import { gpuPod } from '../state/support/device-states.ts';
import {
  type AdmissionFields,
  makeAdmissionDeps,
  makeRawContainer,
  makeRawPod,
  makeReview,
} from './admission-fixture.ts';

const mem = 'limits.nvidia.com/gpumem';
const cores = 'limits.nvidia.com/gpucores';

interface QuotaFields extends AdmissionFields {
  /** Keys and values by object name, in namespace `team-a`. */
  readonly quotas?: Readonly<Record<string, TextMap>>;
}

/** A cluster in which a pod of `team-a` holds 1000 MiB and 100 percent. */
function makeDeps({ quotas = { gpu: { [mem]: '2000', [cores]: '200' } }, ...fields }: QuotaFields = {}) {
  const deps = makeAdmissionDeps({ nodes: [makeNodeObject({ devices: [{}, {}] })], synced: true, ...fields });
  const holder = {
    name: 'holder',
    namespace: 'team-a',
    nodeName: 'n1',
    gpu: { count: 1, memoryMiB: 1000, corePercent: 100 },
    allocated: 'gpu-0,NVIDIA,1000,100:;',
  };
  deps.state.applyPod(gpuPod(holder), 0);
  for (const [name, hard] of Object.entries(quotas)) {
    deps.state.applyQuota({ namespace: 'team-a', name, resourceVersion: '1', hard });
  }
  return deps;
}

/** A new pod with one container; `namespace` undefined: it is not written in the pod. */
function makePod(gpu: GpuAmounts, namespace?: string, spec: object = {}) {
  return makeRawPod({
    metadata: { namespace },
    containers: [makeRawContainer(gpuLimits(gpu))],
    spec,
  });
}

const denied = (text: string) => ({
  allowed: false,
  code: 403,
  message: `exceeding resource quota: pod asks for ${text}`,
});

describe('a pod beyond its quota', () => {
  const big = { count: 1, memoryMiB: 1001, corePercent: 1 };
  const cases: {
    name: string;
    fields?: QuotaFields;
    gpu?: GpuAmounts;
    spec?: object;
    want: string | undefined;
  }[] = [
    {
      name: 'is denied with all numbers and the name of the quota',
      want: `${mem} 1001, namespace team-a has used 1000 of 2000 (ResourceQuota "gpu")`,
    },
    {
      name: 'is one whose added compute goes beyond (§4.4 step 5)',
      fields: { quotas: { gpu: { [cores]: '150' } } },
      gpu: { count: 1 },
      want: `${cores} 100, namespace team-a has used 100 of 150 (ResourceQuota "gpu")`,
    },
    {
      name: 'is one whose configured default memory goes beyond',
      fields: { nvidia: { defaultMemory: 1500 } },
      gpu: { count: 1, corePercent: 1 },
      want: `${mem} 1500, namespace team-a has used 1000 of 2000 (ResourceQuota "gpu")`,
    },
    {
      name: 'is one beyond the smallest of several quotas (Q9)',
      fields: { quotas: { large: { [mem]: '9000' }, small: { [mem]: '1500' }, other: { pods: '1' } } },
      gpu: { count: 1, memoryMiB: 501, corePercent: 1 },
      want: `${mem} 501, namespace team-a has used 1000 of 1500 (ResourceQuota "small")`,
    },
    {
      name: 'is one of the default scheduler that becomes ours',
      spec: { schedulerName: 'default-scheduler' },
      want: `${mem} 1001, namespace team-a has used 1000 of 2000 (ResourceQuota "gpu")`,
    },
    {
      name: 'is counted in units of memoryFactor',
      fields: { nvidia: { memoryFactor: 2 }, quotas: { gpu: { [mem]: '1000' } } },
      gpu: { count: 1, memoryMiB: 501, corePercent: 1 },
      want: `${mem} 501, namespace team-a has used 500 of 1000 (ResourceQuota "gpu")`,
    },
    {
      name: 'is any at all with an explicit 0',
      fields: { quotas: { none: { [mem]: '0' } } },
      gpu: { count: 1, memoryMiB: 1, corePercent: 1 },
      want: `${mem} 1, namespace team-a has used 1000 of 0 (ResourceQuota "none")`,
    },
    {
      name: 'is not one within it',
      gpu: { count: 1, memoryMiB: 1000, corePercent: 100 },
      want: undefined,
    },
    {
      name: 'is not one of a scheduler that is not ours',
      spec: { schedulerName: 'another' },
      want: undefined,
    },
    {
      name: 'is not told from a value that cannot be read',
      fields: { quotas: { gpu: { [mem]: 'plenty' } } },
      want: undefined,
    },
    {
      name: 'is not told from a cluster that nobody has seen whole',
      fields: { synced: false },
      want: undefined,
    },
    {
      name: 'is not one without devices',
      fields: { quotas: { none: { [mem]: '0', [cores]: '0' } } },
      gpu: {},
      want: undefined,
    },
  ];
  it.each(cases)('$name', ({ fields, gpu = big, spec, want }) => {
    const answer = admit(makeReview(makePod(gpu, 'team-a', spec)), makeDeps(fields));
    expect(answer).toMatchObject(want === undefined ? { allowed: true } : denied(want));
  });
});

describe('the namespace', () => {
  const gpu = { count: 1, memoryMiB: 1001, corePercent: 1 };

  it.each([
    { name: "is the pod's own", inPod: 'team-a', inReview: 'team-b', want: false },
    {
      name: "is the pod's own also where the review's has a quota",
      inPod: 'team-b',
      inReview: 'team-a',
      want: true,
    },
    { name: "is the review's where the pod names none", inPod: undefined, inReview: 'team-a', want: false },
    {
      name: 'is without a quota where neither names the limited one',
      inPod: undefined,
      inReview: '',
      want: true,
    },
  ])('$name', ({ inPod, inReview, want }) => {
    const answer = admit(makeReview(makePod(gpu, inPod), { namespace: inReview }), makeDeps());
    expect(answer.allowed).toBe(want);
  });
});

describe('what else is wrong with a pod', () => {
  it.each([
    {
      name: 'a field that cannot be read',
      gpu: { count: 1, memoryMiB: '16Gi' },
      spec: {},
      want: /binary suffix/,
    },
    {
      name: 'a node assigned',
      gpu: { count: 1, memoryMiB: 5000 },
      spec: { nodeName: 'n1' },
      want: /node assigned/,
    },
  ])('is said before its quota: $name', ({ gpu, spec, want }) => {
    const answer = admit(makeReview(makePod(gpu, 'team-a', spec)), makeDeps());
    expect(answer).toMatchObject({ allowed: false, message: expect.stringMatching(want) as unknown });
  });
});
