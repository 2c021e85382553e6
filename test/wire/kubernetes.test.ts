import { describe, expect, it } from '@jest/globals';
import type { NodeObject, PodObject } from '../../src/model/cluster-objects.ts';
import { parseNode, parsePod } from '../../src/wire/kubernetes.ts';

/** What is left of a pod that says nothing. */
const emptyPod: PodObject = {
  uid: '',
  namespace: '',
  name: '',
  resourceVersion: '',
  annotations: {},
  labels: {},
  creationTimestamp: '',
  deleting: false,
  gracePeriodSeconds: 30,
  schedulerName: '',
  priority: 0,
  phase: 'Pending',
  containers: [],
  running: false,
  initFinished: true,
};
const emptyNode: NodeObject = {
  name: '',
  resourceVersion: '',
  annotations: {},
  labels: {},
  capacity: {},
  allocatable: {},
};

const terminated = (exitCode: number) => ({ terminated: { exitCode } });
const running = { running: { startedAt: '2026-08-21T06:20:39Z' } };

describe('parsePod trims a pod', () => {
  const app = { name: 'main', role: 'app', limits: {}, requests: {} } as const;
  const cases: { name: string; pod: unknown; want: Partial<PodObject> }[] = [
    { name: 'that is empty', pod: {}, want: {} },
    {
      name: 'whose parts are null, as Go writes absent ones',
      pod: {
        metadata: {
          name: 'p',
          creationTimestamp: null,
          annotations: null,
          labels: null,
          deletionTimestamp: null,
        },
        spec: { containers: null, initContainers: null, nodeName: null, terminationGracePeriodSeconds: null },
        status: { containerStatuses: null, phase: null },
      },
      want: { name: 'p' },
    },
    { name: 'that is nothing but nulls', pod: { metadata: null, spec: null, status: null }, want: {} },
    {
      name: 'of its identity',
      pod: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'p',
          namespace: 'ns',
          uid: 'u1',
          resourceVersion: '7',
          creationTimestamp: '2026-08-21T06:20:39Z',
          annotations: { a: '1' },
          labels: { l: '2' },
          managedFields: [{ manager: 'kubectl' }],
        },
        spec: { schedulerName: 'tessera-scheduler', nodeName: 'n1', priority: 7 },
        status: { phase: 'Running' },
      },
      want: {
        name: 'p',
        namespace: 'ns',
        uid: 'u1',
        resourceVersion: '7',
        creationTimestamp: '2026-08-21T06:20:39Z',
        annotations: { a: '1' },
        labels: { l: '2' },
        priority: 7,
        schedulerName: 'tessera-scheduler',
        nodeName: 'n1',
        phase: 'Running',
      },
    },
    { name: 'without a node when its name is empty', pod: { spec: { nodeName: '' } }, want: {} },
    {
      name: 'of a phase that Kubernetes does not have',
      pod: { status: { phase: 'Paused' } },
      want: { phase: 'Pending' },
    },
    {
      name: 'that is being deleted',
      pod: { metadata: { deletionTimestamp: '2026-08-21T06:20:39Z' } },
      want: { deleting: true },
    },
    {
      name: 'with its own grace period',
      pod: { spec: { terminationGracePeriodSeconds: 600 } },
      want: { gracePeriodSeconds: 600 },
    },
    {
      name: 'with the longer grace period of its deletion',
      pod: { metadata: { deletionGracePeriodSeconds: 90 }, spec: { terminationGracePeriodSeconds: 60 } },
      want: { gracePeriodSeconds: 90 },
    },
    {
      name: 'whose deletion is to be quicker: its containers may still take their own period',
      pod: { metadata: { deletionGracePeriodSeconds: 0 }, spec: { terminationGracePeriodSeconds: 60 } },
      want: { gracePeriodSeconds: 60 },
    },
    {
      name: 'without any grace',
      pod: { spec: { terminationGracePeriodSeconds: 0 } },
      want: { gracePeriodSeconds: 0 },
    },
    {
      name: 'with containers in spec order, init containers first',
      pod: {
        spec: {
          containers: [{ name: 'main', image: 'i' }, { name: 'second' }],
          initContainers: [
            { name: 'prepare' },
            { name: 'proxy', restartPolicy: 'Always' },
            { name: 'migrate', restartPolicy: 'Never' },
          ],
        },
      },
      want: {
        containers: [
          { ...app, name: 'prepare', role: 'init' },
          { ...app, name: 'proxy', role: 'sidecar' },
          { ...app, name: 'migrate', role: 'init' },
          app,
          { ...app, name: 'second' },
        ],
        initFinished: false,
      },
    },
    {
      name: 'with quantities as text, whether written as text or as number',
      pod: {
        spec: {
          containers: [
            {
              name: 'main',
              resources: {
                limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': '3k', cpu: 0.5 },
                requests: { cpu: '500m', 'nvidia.com/gpucores': 1e21 },
              },
            },
          ],
        },
      },
      want: {
        containers: [
          {
            ...app,
            limits: { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '3k', cpu: '0.5' },
            requests: { cpu: '500m', 'nvidia.com/gpucores': '1e+21' },
          },
        ],
      },
    },
    {
      name: 'with resources of null',
      pod: {
        spec: {
          containers: [
            { name: 'main', resources: null },
            { name: 'main', resources: { limits: null } },
          ],
        },
      },
      want: { containers: [app, app] },
    },
  ];
  it.each(cases)('$name', ({ pod, want }) => {
    expect(parsePod(pod)).toEqual({ ok: true, value: { ...emptyPod, ...want } });
  });

  it('keeps nothing it does not use', () => {
    const pod = {
      metadata: { name: 'p', managedFields: [] },
      spec: { volumes: [], containers: [{ name: 'c', env: [] }] },
    };
    expect(JSON.stringify(parsePod(pod))).not.toMatch(/managedFields|volumes|env/);
  });
});

describe('parsePod knows what runs', () => {
  const spec = {
    initContainers: [{ name: 'prepare' }, { name: 'proxy', restartPolicy: 'Always' }, { name: 'migrate' }],
    containers: [{ name: 'main' }],
  };
  const finished = [
    { name: 'prepare', state: terminated(0) },
    { name: 'proxy', state: running },
    { name: 'migrate', state: terminated(0) },
  ];
  const cases: { name: string; status: unknown; wantRunning: boolean; wantInitFinished: boolean }[] = [
    { name: 'nothing before any status', status: {}, wantRunning: false, wantInitFinished: false },
    {
      name: 'nothing while all wait',
      status: { containerStatuses: [{ name: 'main', state: { waiting: { reason: 'PodInitializing' } } }] },
      wantRunning: false,
      wantInitFinished: false,
    },
    {
      name: 'the first init container',
      status: { initContainerStatuses: [{ name: 'prepare', state: running }] },
      wantRunning: true,
      wantInitFinished: false,
    },
    {
      name: 'the second init container, after the first',
      status: { initContainerStatuses: [finished[0], finished[1], { name: 'migrate', state: running }] },
      wantRunning: true,
      wantInitFinished: false,
    },
    {
      name: 'an init container that failed is not finished',
      status: { initContainerStatuses: [finished[0], { name: 'migrate', state: terminated(1) }] },
      wantRunning: false,
      wantInitFinished: false,
    },
    {
      name: 'an init container that ended nobody knows how is not finished',
      status: { initContainerStatuses: [finished[0], { name: 'migrate', state: { terminated: {} } }] },
      wantRunning: false,
      wantInitFinished: false,
    },
    {
      name: 'the app after all init containers; the sidecar need not end',
      status: { initContainerStatuses: finished, containerStatuses: [{ name: 'main', state: running }] },
      wantRunning: true,
      wantInitFinished: true,
    },
    {
      name: 'the sidecar after the app',
      status: {
        initContainerStatuses: finished,
        containerStatuses: [{ name: 'main', state: terminated(0) }],
      },
      wantRunning: true,
      wantInitFinished: true,
    },
    {
      name: 'an ephemeral container alone',
      status: { ephemeralContainerStatuses: [{ name: 'debug', state: running }] },
      wantRunning: true,
      wantInitFinished: false,
    },
    {
      name: 'an app container is not an init container of the same name',
      status: {
        containerStatuses: [
          { name: 'prepare', state: terminated(0) },
          { name: 'migrate', state: terminated(0) },
        ],
      },
      wantRunning: false,
      wantInitFinished: false,
    },
    {
      name: 'states of null',
      status: {
        containerStatuses: [
          { name: 'main', state: null },
          { name: 'main', state: { running: null } },
        ],
      },
      wantRunning: false,
      wantInitFinished: false,
    },
  ];
  it.each(cases)('$name', ({ status, wantRunning, wantInitFinished }) => {
    const pod = parsePod({ spec, status });
    expect(pod.ok && { running: pod.value.running, initFinished: pod.value.initFinished }).toEqual({
      running: wantRunning,
      initFinished: wantInitFinished,
    });
  });
});

describe('parseNode trims a node', () => {
  const cases: { name: string; node: unknown; want: Partial<NodeObject> }[] = [
    { name: 'that is empty', node: {}, want: {} },
    {
      name: 'that is nothing but nulls',
      node: { metadata: null, status: { capacity: null, allocatable: null } },
      want: {},
    },
    {
      name: 'of everything but names and amounts',
      node: {
        kind: 'Node',
        metadata: { name: 'n1', resourceVersion: '7', annotations: { a: '1' }, labels: { gpu: 'on' } },
        spec: { podCIDR: '10.0.0.0/24' },
        status: { capacity: { cpu: 8 }, allocatable: { cpu: '7500m', 'nvidia.com/gpu': 10 }, images: [] },
      },
      want: {
        name: 'n1',
        resourceVersion: '7',
        annotations: { a: '1' },
        labels: { gpu: 'on' },
        capacity: { cpu: '8' },
        allocatable: { cpu: '7500m', 'nvidia.com/gpu': '10' },
      },
    },
  ];
  it.each(cases)('$name', ({ node, want }) => {
    expect(parseNode(node)).toEqual({ ok: true, value: { ...emptyNode, ...want } });
  });
});
