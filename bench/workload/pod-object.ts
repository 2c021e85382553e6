/**
 * Whole Pod objects, as large as the API server stores them and kube-scheduler sends them on: owner, defaults, service
 * account, environment, conditions and field owners. What only fills bytes is shared by all of them.
 */
import type { ApiObject } from '../../src/emulator/api/api-object.ts';
import { recordAt, without } from '../../src/emulator/api/json.ts';
import type { PodWish } from './pod-mix.ts';

export interface PodIdentity {
  /** Names and UIDs are made from it, so no two pods may share one. */
  readonly number: number;
  readonly wish: PodWish;
}

export const podNamespace = 'team-a';
const created = '2026-01-01T00:00:00Z';

/** A pod that waits to be scheduled, as admission has left it. */
export function pendingPod({ number, wish }: PodIdentity): ApiObject {
  const set = `${wish.kind}-${String(number % 997).padStart(3, '0')}`;
  return {
    metadata: {
      name: `${set}-${number.toString(36).padStart(6, '0')}`,
      generateName: `${set}-`,
      namespace: podNamespace,
      uid: uidOf(number),
      generation: 1,
      creationTimestamp: created,
      labels: { app: set, team: 'a', 'batch.kubernetes.io/job-name': set, 'pod-template-hash': '6d5f7c8b9' },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9400', ...wish.annotations },
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: set,
          uid: uidOf(number % 997),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields,
    },
    spec: specOf(wish),
    status: { phase: 'Pending', qosClass: 'Burstable' },
  };
}

/** The same pod once it runs on a node with these annotations of its Binding. */
export function runningPod(
  pod: ApiObject,
  binding: {
    readonly node: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
  },
): ApiObject {
  const { node, annotations, labels } = binding;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: { ...pod.metadata.annotations, ...annotations },
      labels: { ...pod.metadata.labels, ...labels },
    },
    spec: { ...recordAt(pod, 'spec'), nodeName: node },
    status: runningStatus,
  };
}

/** The pod as kube-scheduler sends it: its cache drops the field owners. */
export function asSentToExtenders(pod: ApiObject): object {
  return { ...pod, metadata: without(pod.metadata, 'managedFields') };
}

/** A pod or a node as its owner sends it to an API server, without what the server adds. */
export function asCreated(object: ApiObject): ApiObject {
  const { name, namespace, labels = {}, annotations = {}, ownerReferences = [] } = object.metadata;
  const place = namespace === undefined ? {} : { namespace };
  return { ...object, metadata: { name, ...place, labels, annotations, ownerReferences } };
}

function uidOf(number: number): string {
  const hex = number.toString(16).padStart(12, '0');
  return `b0000000-0000-4000-8000-${hex}`;
}

const environment = Array.from({ length: 12 }, (_, index) => ({
  name: `SETTING_${index}`,
  value: `value-of-setting-${index}`,
}));
const mounts = [
  { name: 'data', mountPath: '/data' },
  { name: 'shm', mountPath: '/dev/shm' },
  {
    name: 'kube-api-access',
    readOnly: true,
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  },
];
const volumes = [
  { name: 'data', nfs: { server: 'files.example.com', path: '/datasets', readOnly: true } },
  { name: 'shm', emptyDir: { medium: 'Memory' } },
  {
    name: 'kube-api-access',
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  },
];
const policies = {
  restartPolicy: 'Never',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  serviceAccountName: 'default',
  serviceAccount: 'default',
  securityContext: {},
  schedulerName: 'tessera-scheduler',
  tolerations: [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    },
  ],
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
};

function specOf({ limits, host = { cpu: '4', memory: '16Gi' } }: PodWish): object {
  return {
    volumes,
    containers: [
      {
        name: 'main',
        image: 'registry.example.com/team-a/training:2026.1',
        command: ['python', '-m', 'train'],
        args: ['--config', '/data/config.yaml'],
        env: environment,
        resources: { limits: { ...host, ...limits }, requests: { ...host, ...limits } },
        volumeMounts: mounts,
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
      {
        name: 'log-shipper',
        image: 'registry.example.com/platform/log-shipper:1.4',
        resources: { limits: { cpu: '100m', memory: '128Mi' }, requests: { cpu: '50m', memory: '64Mi' } },
        volumeMounts: mounts,
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
    ...policies,
  };
}

const containerStatuses = ['main', 'log-shipper'].map((name) => ({
  name,
  state: { running: { startedAt: created } },
  lastState: {},
  ready: true,
  restartCount: 0,
  image: `registry.example.com/${name}:1`,
  imageID: `registry.example.com/${name}@sha256:${'0'.repeat(64)}`,
  containerID: `containerd://${'1'.repeat(64)}`,
  started: true,
}));

export const runningStatus = {
  phase: 'Running',
  qosClass: 'Burstable',
  conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: created,
  })),
  hostIP: '10.0.0.1',
  podIP: '10.1.0.1',
  startTime: created,
  containerStatuses,
};

export const endedStatus = {
  ...runningStatus,
  phase: 'Succeeded',
  containerStatuses: containerStatuses.map((status) => ({
    ...status,
    state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: created, finishedAt: created } },
    ready: false,
    started: false,
  })),
};

/** Empty where the pod is not bound. */
export function nodeNameOf(pod: ApiObject): string {
  const { nodeName = '' } = pod['spec'] as { readonly nodeName?: string };
  return nodeName;
}

const managedFields = ['kube-controller-manager', 'kubelet'].map((manager) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: created,
  fieldsType: 'FieldsV1',
  fieldsV1: Object.fromEntries(
    ['f:metadata', 'f:spec', 'f:status'].map((part) => [
      part,
      Object.fromEntries(
        Array.from({ length: 14 }, (_, index) => [`f:field${index}`, { '.': {}, 'f:value': {} }]),
      ),
    ]),
  ),
}));
