/** What is admitted and probably not meant, or can never run on the cluster as it is. */
import { describe, expect, it } from '@jest/globals';
import { admit } from '../../src/admission/admit.ts';
import { gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import {
  makeAdmissionDeps,
  makeRawContainer,
  makeRawPod,
  makeReview,
  mustAdmit,
} from './admission-fixture.ts';

describe('warnings about a container', () => {
  it.each([
    {
      name: 'percent 0 means "not given"',
      limits: gpuLimits({ count: 1, memoryPercent: 0, corePercent: 10 }),
      want: 'nvidia.com/gpumem-percentage is 0, which means "not given"',
    },
    {
      name: 'memory 0 means "not given"',
      limits: gpuLimits({ count: 1, memoryMiB: 0, corePercent: 10 }),
      want: 'nvidia.com/gpumem is 0, which means "not given"',
    },
    {
      name: 'percent beside memory has no effect',
      limits: gpuLimits({ count: 1, memoryMiB: 100, memoryPercent: 50 }),
      want: 'nvidia.com/gpumem-percentage has no effect beside nvidia.com/gpumem',
    },
    {
      name: 'more than a card of compute is one card',
      limits: gpuLimits({ count: 1, memoryMiB: 100, corePercent: 200 }),
      want: 'nvidia.com/gpucores is 200, taken as 100 (one whole card)',
    },
    {
      name: 'amounts beside a count of 0 have no effect',
      limits: gpuLimits({ count: 0, memoryMiB: 100 }),
      want: 'nvidia.com/gpu is 0, so its other device resources have no effect',
    },
  ])('$name', ({ limits, want }) => {
    const pod = makeRawPod({ containers: [makeRawContainer(limits)] });
    expect(mustAdmit(pod, makeAdmissionDeps()).warnings).toEqual([
      expect.stringContaining(`container "main": ${want}`),
    ]);
  });

  it('are given once, also when the API server asks again', () => {
    const pod = makeRawPod({
      containers: [makeRawContainer(gpuLimits({ memoryPercent: 0, corePercent: 5 }))],
    });
    const first = mustAdmit(pod, makeAdmissionDeps());
    expect(first.warnings).toHaveLength(1);
    expect(mustAdmit(first.patched, makeAdmissionDeps()).warnings).toEqual(first.warnings);
  });
});

describe('a request that no card could ever serve', () => {
  const t4 = { type: 'NVIDIA-Tesla T4', memoryMiB: 15360 };
  const nodes = [
    makeNodeObject({ name: 'n1', devices: [t4, t4] }),
    makeNodeObject({ name: 'n2', devices: [{ ...t4, memoryMiB: 40960 }] }),
    makeNodeObject({ name: 'n3' }),
  ];

  it.each([
    {
      name: 'too much memory',
      limits: gpuLimits({ count: 1, memoryMiB: 50_000 }),
      want: 'no node could serve this pod even if it were idle (CardInsufficientMemory on 2; NodeUnregistered on 1); it will wait',
    },
    {
      name: 'too many cards',
      limits: gpuLimits({ count: 3, memoryMiB: 10 }),
      want: 'no node could serve this pod even if it were idle (NodeInsufficientDevice on 2; NodeUnregistered on 1); it will wait',
    },
    {
      name: 'a card type that nobody has',
      limits: gpuLimits({ count: 1, memoryMiB: 10 }),
      annotations: { 'nvidia.com/use-gputype': 'H100' },
      want: 'no node could serve this pod even if it were idle (CardTypeMismatch on 2; NodeUnregistered on 1); it will wait',
    },
    {
      name: 'amounts that only different cards have',
      limits: gpuLimits({ count: 2, memoryMiB: 20_000 }),
      want: 'no node could serve this pod even if it were idle (CardInsufficientMemory on 1; NodeInsufficientDevice on 1; NodeUnregistered on 1); it will wait',
    },
  ])('is admitted with a warning: $name', ({ limits, annotations = {}, want }) => {
    const pod = makeRawPod({ metadata: { annotations }, containers: [makeRawContainer(limits)] });
    const { patched, warnings } = mustAdmit(pod, makeAdmissionDeps({ nodes, synced: true }));
    expect(warnings).toEqual([want]);
    expect(patched).toEqual(pod);
  });

  it.each([
    { name: 'one node could serve', limits: gpuLimits({ count: 1, memoryMiB: 40_960 }) },
    { name: 'only two like cards can serve', limits: gpuLimits({ count: 2, memoryMiB: 15_360 }) },
    { name: 'asks for no card', limits: {} },
  ])('is another than one that $name', ({ limits }) => {
    const pod = makeRawPod({ containers: [makeRawContainer(limits)] });
    expect(mustAdmit(pod, makeAdmissionDeps({ nodes, synced: true })).warnings).toEqual([]);
  });

  it('is told by the added defaults, not by the pod as it was sent', () => {
    const dull = makeNodeObject({ devices: [{ corePercent: 50 }] });
    const pod = makeRawPod({ containers: [makeRawContainer(gpuLimits({ count: 1 }))] });
    const { warnings } = mustAdmit(pod, makeAdmissionDeps({ nodes: [dull], synced: true }));
    expect(warnings).toEqual([expect.stringContaining('CardInsufficientCore on 1')]);
  });

  it('is not told from a cluster that nobody has seen whole', () => {
    const pod = makeRawPod({ containers: [makeRawContainer(gpuLimits({ count: 99, memoryMiB: 1 }))] });
    const { warnings } = mustAdmit(pod, makeAdmissionDeps({ nodes, synced: false }));
    expect(warnings).toEqual([]);
  });

  it('is told from an empty cluster, too', () => {
    const pod = makeRawPod({ containers: [makeRawContainer(gpuLimits({ count: 1, memoryMiB: 1 }))] });
    const { warnings } = mustAdmit(pod, makeAdmissionDeps({ synced: true }));
    expect(warnings).toEqual(['the cluster has no node with such devices now; the pod will wait for one']);
  });

  it('comes after the other warnings and stays an admission', () => {
    const pod = makeRawPod({
      metadata: { annotations: { 'hami.io/vgpu-node': 'n1' } },
      containers: [makeRawContainer(gpuLimits({ count: 1, memoryPercent: 0, corePercent: 1 }))],
      spec: { schedulerName: 'default-scheduler' },
    });
    const answer = admit(makeReview(pod), makeAdmissionDeps({ synced: true }));
    expect(answer).toMatchObject({
      allowed: true,
      warnings: [/reserved/, /percentage is 0/, /has no node/].map(
        (pattern) => expect.stringMatching(pattern) as unknown,
      ),
    });
  });
});
