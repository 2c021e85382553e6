import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { asksForDevices } from '../../src/model/request.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { problemSentence, type Vendor } from '../../src/vendors/vendor.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { podFrom } from '../../src/wire/kubernetes.ts';
import { type ContainerObjectFields, makePod } from '../support/kubernetes-objects.ts';
import { defaultVendorsConfig } from './default-config.ts';
import { gpu, makeNvidiaConfig, mem, nvidia as makeVendor } from './nvidia-config.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

const nvidia = makeVendor();

/** A second family: one whole card for every container that names its count. */
const tpu: Vendor = {
  ...nvidia,
  key: 'TPU',
  resources: { count: 'example.com/tpu' },
  annotations: {
    allocated: 'example.com/allocated',
    toAllocate: 'example.com/to-allocate',
    useTypes: 'example.com/use-types',
    avoidTypes: 'example.com/avoid-types',
    useIds: 'example.com/use-ids',
    avoidIds: 'example.com/avoid-ids',
  },
  request: ({ limits }) => ({
    ok: true,
    warnings: [],
    ...(limits['example.com/tpu'] === undefined
      ? {}
      : {
          request: {
            vendor: 'TPU',
            count: 1,
            memory: { kind: 'percent', percent: 100 },
            corePercent: 100,
          } as const,
        }),
  }),
};

/** A pod `team-a/train` with these containers, named `c0`, `c1` and so on. */
function makeTrimmedPod(containers: readonly ContainerObjectFields[], annotations: TextMap = {}) {
  return podFrom(makePod({ namespace: 'team-a', name: 'train', uid: 'u1', containers, annotations }));
}

const init = (limits: TextMap = {}): ContainerObjectFields => ({ role: 'init', limits });
const sidecar = (limits: TextMap = {}): ContainerObjectFields => ({ role: 'sidecar', limits });
const app = (limits: TextMap = {}): ContainerObjectFields => ({ role: 'app', limits });

describe('readPodRequest', () => {
  it('has one entry per container, init containers first, each with what it asks', () => {
    const pod = makeTrimmedPod([
      init({ [gpu]: '1', [mem]: '100' }),
      sidecar(),
      app(),
      app({ [gpu]: '2', [mem]: '200' }),
    ]);
    const { request, problems, warnings } = readPodRequest(pod, [nvidia]);
    const device = (count: number, memoryMiB: number) => ({
      vendor: 'NVIDIA',
      count,
      memory: { kind: 'mib', memoryMiB },
      corePercent: 0,
    });
    expect(request).toEqual({
      podUid: 'u1',
      priority: 0,
      namespace: 'team-a',
      name: 'train',
      containers: [
        { name: 'c0', role: 'init', devices: [device(1, 100)] },
        { name: 'c1', role: 'sidecar', devices: [] },
        { name: 'c2', role: 'app', devices: [] },
        { name: 'c3', role: 'app', devices: [device(2, 200)] },
      ],
      selectors: new Map(),
      counts: new Map([[gpu, 2]]),
      host: { cpuMilli: 0, memoryMiB: 0, pods: 1 },
    });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(asksForDevices(request)).toBe(true);
  });

  it('of a pod without devices asks for nothing', () => {
    const { request } = readPodRequest(makeTrimmedPod([init(), app({ cpu: '4' })]), [nvidia, tpu]);
    expect(request.counts).toEqual(new Map());
    expect(asksForDevices(request)).toBe(false);
  });

  const counts: { name: string; containers: readonly ContainerObjectFields[]; want: number }[] = [
    { name: 'app containers add up', containers: [app({ [gpu]: '1' }), app({ [gpu]: '2' })], want: 3 },
    {
      name: 'init containers count with their peak',
      containers: [init({ [gpu]: '1' }), init({ [gpu]: '4' }), app({ [gpu]: '2' })],
      want: 4,
    },
    {
      name: 'a smaller init container is free',
      containers: [init({ [gpu]: '2' }), app({ [gpu]: '1' }), app({ [gpu]: '1' })],
      want: 2,
    },
    {
      name: 'a sidecar adds to the app containers',
      containers: [sidecar({ [gpu]: '1' }), app({ [gpu]: '2' })],
      want: 3,
    },
    {
      name: 'a sidecar adds to the init containers after it, not to those before it',
      containers: [init({ [gpu]: '4' }), sidecar({ [gpu]: '1' }), init({ [gpu]: '4' }), app()],
      want: 5,
    },
    {
      name: 'other spellings are read by value',
      containers: [app({ [gpu]: '1k' }), app({ [gpu]: '1e0' })],
      want: 1001,
    },
  ];
  it.each(counts)('counts: $name', ({ containers, want }) => {
    expect(readPodRequest(makeTrimmedPod(containers), [nvidia]).request.counts).toEqual(
      new Map([[gpu, want]]),
    );
  });

  it('asks every vendor, in the order of the list, and keeps their counts apart', () => {
    const pod = makeTrimmedPod([app({ [gpu]: '1', 'example.com/tpu': '4' })]);
    for (const vendors of [
      [nvidia, tpu],
      [tpu, nvidia],
    ]) {
      const { request } = readPodRequest(pod, vendors);
      expect(request.containers[0]?.devices.map(({ vendor }) => vendor)).toEqual(
        vendors.map(({ key }) => key),
      );
      expect(request.counts).toEqual(
        new Map([
          [gpu, 1],
          ['example.com/tpu', 4],
        ]),
      );
    }
  });

  it('collects the problems of all containers and reckons with whole cards where they are', () => {
    const pod = makeTrimmedPod([
      init({ [gpu]: '1', [mem]: '16Gi' }),
      app({ [gpu]: '2', [mem]: '1000' }),
      app({ [gpu]: '3', 'nvidia.com/gpucores': '-1' }),
    ]);
    const { request, problems } = readPodRequest(pod, [nvidia]);
    expect(problems.map(problemSentence)).toEqual([
      'container "c0": nvidia.com/gpumem: "16Gi" has a binary suffix, but the value counts MiB; write 16384',
      'container "c2": nvidia.com/gpucores: "-1" is negative; it must be a whole number of percent between 0 and 2147483647',
    ]);
    expect(
      request.containers.map(({ devices }) => devices.map(({ count, memory }) => ({ count, memory }))),
    ).toEqual([
      [{ count: 1, memory: { kind: 'percent', percent: 100 } }],
      [{ count: 2, memory: { kind: 'mib', memoryMiB: 1000 } }],
      [{ count: 3, memory: { kind: 'percent', percent: 100 } }],
    ]);
    expect(asksForDevices(request)).toBe(true);
  });

  it('collects the warnings of all containers in their order', () => {
    const zero = { [gpu]: '1', 'nvidia.com/gpumem-percentage': '0' };
    const { warnings } = readPodRequest(makeTrimmedPod([init(zero), app(), app(zero)]), [nvidia]);
    expect(warnings.map((warning) => warning.split(':')[0])).toEqual(['container "c0"', 'container "c2"']);
  });

  it('carries the selectors by vendor and the policies', () => {
    const pod = makeTrimmedPod([app({ [gpu]: '1' })], {
      'nvidia.com/use-gputype': 'A100',
      'example.com/avoid-ids': 'tpu-7',
      'hami.io/node-scheduler-policy': 'spread',
      'hami.io/gpu-scheduler-policy': 'mutex',
    });
    const { request } = readPodRequest(pod, [nvidia, tpu]);
    expect([...request.selectors]).toEqual([
      ['NVIDIA', { useTypes: ['a100'], avoidTypes: [], useIds: [], avoidIds: [], numaBound: false }],
      ['TPU', { useTypes: [], avoidTypes: [], useIds: [], avoidIds: ['tpu-7'], numaBound: false }],
    ]);
    expect(request.nodePolicy).toBe('spread');
    expect(request.devicePolicy).toEqual(parseDevicePolicy('mutex'));
  });
});

describe('makeVendors', () => {
  it.each([
    { enabled: true, want: ['NVIDIA'] },
    { enabled: false, want: [] },
  ])('with NVIDIA enabled $enabled: $want', ({ enabled, want }) => {
    const vendors = makeVendors({
      vendors: { ...defaultVendorsConfig(), nvidia: makeNvidiaConfig({ enabled }) },
    });
    expect(vendors.map(({ key }) => key)).toEqual(want);
  });
});
