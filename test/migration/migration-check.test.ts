/** What the migration check says of a cluster, code by code; and that it says nothing of a sound one. */
import { describe, expect, it } from '@jest/globals';
import { findingCodes } from '../../src/migration/finding.ts';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';
import { type CheckedCluster, checkCluster, toldOf } from './check-cluster.ts';
import {
  configMap,
  hamiPod,
  quotaObject,
  registerOf,
  schedulerPod,
  webhookConfiguration,
} from './hami-objects.ts';

const gpu = { 'nvidia.com/gpu': '10' };
const node = (annotations: Readonly<Record<string, string>> = {}, name = 'n1') =>
  makeNodeObject({ name, allocatable: gpu, annotations: { ...registerOf({ id: 'GPU-a' }), ...annotations } });
const share = gpuLimits({ count: 1, memoryMiB: 3000, corePercent: 30 });
const sharing = { containers: [{ limits: share }] };
const allocated = 'GPU-a,NVIDIA,3000,30:;';
const migRegister = registerOf({
  id: 'GPU-a',
  mode: 'mig',
  migProfiles: [
    {
      name: '2g.10gb',
      memoryMB: 9984,
      core: 29,
      sliceCount: 2,
      placements: [
        { start: 0, size: 2 },
        { start: 2, size: 2 },
      ],
    },
  ],
});
const reservation = (deviceId: string, deviceIndex = 0) => ({
  containerIndex: 0,
  deviceIndex,
  gpuUUID: deviceId,
  profile: '2g.10gb',
  placement: { start: 0, size: 2 },
});
const migShare = gpuLimits({ count: 1, memoryMiB: 9000 });

type Told = readonly [code: string, object: string, sentence: string];

interface Case extends CheckedCluster {
  readonly name: string;
  /** Findings that must be there; notes on versions and names, which nearly every cluster has, are left out. */
  readonly want: readonly Told[];
}

const noise: ReadonlySet<string> = new Set(['PluginVersion', 'SchedulerNameServed']);

const cases: readonly Case[] = [
  {
    name: 'a sound cluster whose pods are carried over as they are gives nothing to say',
    objects: [
      node(),
      hamiPod(allocated, sharing),
      makePod({ name: 'plain', phase: 'Running', nodeName: 'n1' }),
    ],
    want: [],
  },
  {
    name: 'a MIG pod of a scheduler up to v2.9 cannot be carried over, and its card is closed',
    objects: [
      node(migRegister),
      hamiPod('GPU-a[1-0],NVIDIA,9984,29:;', { containers: [{ limits: migShare }] }),
    ],
    want: [
      [
        'MigPodBeforeV210',
        'Pod default/pod-1',
        'holds a MIG instance in the form up to v2.9 (card[x-y]), whose slices nobody knows',
      ],
      ['MigCardClosed', 'Node n1', 'card GPU-a: nobody knows which slices of it are taken by default/pod-1'],
    ],
  },
  {
    name: 'a MIG pod of v2.10 with its reservation is carried over',
    objects: [
      node(migRegister),
      hamiPod('GPU-a,NVIDIA,9984,29:;', {
        containers: [{ limits: migShare }],
        annotations: { 'hami.io/vgpu-mig-allocations': JSON.stringify([reservation('GPU-a')]) },
      }),
    ],
    want: [],
  },
  {
    name: 'a MIG reservation that cannot be read closes its card',
    objects: [
      node(migRegister),
      hamiPod('GPU-a,NVIDIA,9984,29:;', {
        containers: [{ limits: migShare }],
        annotations: { 'hami.io/vgpu-mig-allocations': '{' },
      }),
    ],
    want: [
      ['MigCardClosed', 'Node n1', 'card GPU-a: nobody knows which slices of it are taken by default/pod-1'],
      [
        'MigReservationMalformed',
        'Pod default/pod-1',
        expect.stringContaining('not valid JSON') as unknown as string,
      ],
    ],
  },
  {
    name: 'Q11: a MIG reservation of another placement is stale and closes nothing',
    objects: [
      node(),
      hamiPod(allocated, {
        ...sharing,
        annotations: { 'hami.io/vgpu-mig-allocations': JSON.stringify([reservation('GPU-gone')]) },
      }),
    ],
    want: [
      ['MigReservationStale', 'Pod default/pod-1', expect.stringContaining('GPU-gone') as unknown as string],
    ],
  },
  {
    name: 'MIG cards without profiles take no pods until the plugin is updated',
    objects: [node(registerOf({ id: 'GPU-a', mode: 'mig', devicepairscore: {} }))],
    want: [
      [
        'MigProfilesMissing',
        'Node n1',
        '1 of 1 NVIDIA cards are in MIG mode and publish no migProfiles, as plugins up to v2.9 do',
      ],
    ],
  },
  {
    name: 'a register that cannot be read stands in the way',
    objects: [node({ 'hami.io/node-nvidia-register': '[null]' })],
    want: [
      [
        'RegisterMalformed',
        'Node n1',
        expect.stringContaining('hami.io/node-nvidia-register') as unknown as string,
      ],
    ],
  },
  {
    name: 'links that cannot be read cost the links alone',
    objects: [node({ 'hami.io/node-nvidia-score': '[{' })],
    want: [
      [
        'LinkScoresMalformed',
        'Node n1',
        expect.stringContaining('hami.io/node-nvidia-score') as unknown as string,
      ],
    ],
  },
  {
    name: 'Q2: a node whose plugin is down offers nothing',
    objects: [makeNodeObject({ annotations: registerOf({ id: 'GPU-a' }) })],
    want: [
      [
        'NodeWithoutPlugin',
        'Node n1',
        'allocatable nvidia.com/gpu is 0: the device plugin does not run or has no healthy card',
      ],
    ],
  },
  {
    name: 'a CSV register with a handshake of its plugin is one up to v2.7',
    objects: [
      node({
        'hami.io/node-nvidia-register': 'GPU-a,10,40960,100,NVIDIA-A100,0,true,0,hami-core:',
        'hami.io/node-handshake': 'Reported 2026-08-21 06:20:04.434037031 +0000 UTC m=+1104711.77',
      }),
    ],
    want: [['PluginBeforeV28', 'Node n1', 'device plugin v2.5 to v2.7 (CSV register of 9 fields)']],
  },
  {
    name: "a handshake of HAMi's scheduler is left over",
    objects: [node({ 'hami.io/node-handshake': 'Requesting_2026-08-21 06:20:39' })],
    want: [
      ['HandshakeLeftOver', 'Node n1', "hami.io/node-handshake is Requesting, written by HAMi's scheduler"],
    ],
  },
  {
    name: 'Q16: a node name longer than a label may be',
    objects: [node({}, 'n'.repeat(64))],
    want: [['NodeNameLong', `Node ${'n'.repeat(64)}`, 'its name has 64 characters, a label may have 63']],
  },
  {
    name: 'Q4: cordoned cards, and ids in the list that are no cards',
    objects: [node({ 'hami.io/device-cordon': 'GPU-gone, GPU-a,' })],
    want: [
      ['CardsCordoned', 'Node n1', 'cordoned cards: GPU-a'],
      ['CardOfNoNode', 'Node n1', 'hami.io/device-cordon names cards it has not: GPU-gone'],
    ],
  },
  {
    name: 'a node that the label selector leaves out',
    objects: [node()],
    settings: { nodeLabelSelector: 'gpu=on' },
    want: [['NodeNotSelected', 'Node n1', 'has devices and is left out by nodeLabelSelector']],
  },
  {
    name: 'a lock whose pod waits for its devices is held',
    objects: [
      node({ 'hami.io/mutex.lock': '2026-08-21T08:20:30+02:00,default,pod-1' }),
      hamiPod(allocated, {
        ...sharing,
        phase: 'Pending',
        annotations: { 'hami.io/bind-phase': 'allocating' },
      }),
    ],
    want: [['NodeLockHeld', 'Node n1', 'locked for default/pod-1, which waits for its devices']],
  },
  {
    name: 'a lock without a pod, of late',
    objects: [node({ 'hami.io/mutex.lock': '2026-08-21T06:20:30Z' })],
    want: [
      [
        'NodeLockHeld',
        'Node n1',
        'hami.io/mutex.lock names no pod and was set less than nodeLockExpirySeconds ago',
      ],
    ],
  },
  {
    name: 'a lock without a pod, of long ago',
    objects: [node({ 'hami.io/mutex.lock': '2026-08-21T06:10:30Z' })],
    want: [
      [
        'NodeLockLeftOver',
        'Node n1',
        'hami.io/mutex.lock names no pod and is older than nodeLockExpirySeconds',
      ],
    ],
  },
  {
    name: 'a lock whose pod is gone is left over, however young it is',
    objects: [node({ 'hami.io/mutex.lock': '2026-08-21T06:20:38Z,default,gone' })],
    want: [['NodeLockLeftOver', 'Node n1', 'locked for default/gone, which is gone']],
  },
  {
    name: 'a lock whose pod runs is left over',
    objects: [
      node({ 'hami.io/mutex.lock': '2026-08-21T06:20:38Z,default,pod-1' }),
      hamiPod(allocated, sharing),
    ],
    want: [['NodeLockLeftOver', 'Node n1', 'locked for default/pod-1, which has its devices already']],
  },
  {
    name: 'Q14: a lock that cannot be read',
    objects: [node({ 'hami.io/mutex.lock': 'yesterday,default,pod-1' })],
    want: [['NodeLockMalformed', 'Node n1', 'hami.io/mutex.lock is "yesterday,default,pod-1"']],
  },
  {
    name: 'Q1: an entry that lost its place is read as the container that asks for cards',
    objects: [
      node(),
      hamiPod(allocated, {
        containers: [
          { role: 'init', name: 'fetch' },
          { name: 'train', limits: share },
        ],
      }),
    ],
    want: [['AllocationMisaligned', 'Pod default/pod-1', '1 entry for 2 containers; read as "train": GPU-a']],
  },
  {
    name: 'an allocation that cannot be read is charged by the request, on cards nobody knows',
    objects: [node(), hamiPod('GPU-a,NVIDIA,-1,30:;', sharing)],
    want: [
      [
        'AllocationMalformed',
        'Pod default/pod-1',
        'hami.io/vgpu-devices-allocated: invalid memory field: "-1"',
      ],
    ],
  },
  {
    name: 'Q6: an annotated pod that is not bound counts nothing',
    objects: [
      node(),
      makePod({
        ...sharing,
        schedulerName: 'hami-scheduler',
        annotations: { 'hami.io/vgpu-node': 'n1', 'hami.io/vgpu-devices-allocated': allocated },
      }),
    ],
    want: [
      ['GhostReservation', 'Pod default/pod-1', 'not bound, and annotated with an allocation on node n1'],
    ],
  },
  {
    name: 'Q25: an allocation that names another node than the pod runs on',
    objects: [node(), hamiPod(allocated, { ...sharing, annotations: { 'hami.io/vgpu-node': 'n2' } })],
    want: [['AllocationForOtherNode', 'Pod default/pod-1', 'runs on n1, but its allocation names n2']],
  },
  {
    name: 'Q25: an allocation below the own request is charged by the request',
    objects: [node(), hamiPod('GPU-a,NVIDIA,1,1:;', sharing)],
    want: [
      [
        'ChargeRaised',
        'Pod default/pod-1',
        'charged 3000 MiB and 30 of compute instead of 1 MiB and 1 of compute, its own request being larger',
      ],
    ],
  },
  {
    name: 'a pod on a card that its node does not publish',
    objects: [node(), hamiPod('GPU-old,NVIDIA,3000,30:;', sharing)],
    want: [
      [
        'CardUnknown',
        'Pod default/pod-1',
        'asks for 1 more cards of n1 than that node publishes under the ids it holds',
      ],
    ],
  },
  {
    name: 'a pod that was bound around the scheduler, by spec.nodeName or another one',
    objects: [node(), hamiPod(undefined, { ...sharing, schedulerName: 'default-scheduler' })],
    want: [
      [
        'BoundAroundScheduler',
        'Pod default/pod-1',
        'runs with cards that no scheduler of shared cards gave it: it named its node itself, or default-scheduler does not share cards',
      ],
    ],
  },
  {
    name: 'Q12: a bound pod whose memory HAMi could not read',
    objects: [
      node(),
      hamiPod(undefined, { containers: [{ limits: gpuLimits({ count: 1, memoryMiB: '16Gi' }) }] }),
    ],
    want: [
      [
        'BoundWithoutAllocation',
        'Pod default/pod-1',
        'asks for cards and has no allocation; nvidia.com/gpumem: "16Gi" is read as "no cards" by HAMi',
      ],
      [
        'RequestInvalid',
        'Pod default/pod-1',
        expect.stringMatching(/^runs on n1; .*write 16384$/) as unknown as string,
      ],
    ],
  },
  {
    name: 'Q12: a waiting pod whose memory HAMi cannot read',
    objects: [
      node(),
      makePod({
        schedulerName: 'hami-scheduler',
        containers: [{ limits: gpuLimits({ count: 1, memoryMiB: '16Gi' }) }],
      }),
    ],
    want: [
      [
        'RequestInvalid',
        'Pod default/pod-1',
        expect.stringMatching(
          /^waits; container "c0": nvidia.com\/gpumem: "16Gi" .*write 16384$/,
        ) as unknown as string,
      ],
    ],
  },
  {
    name: 'a request that is taken otherwise than it is written',
    objects: [
      node(),
      makePod({
        schedulerName: 'hami-scheduler',
        containers: [{ limits: { ...share, 'nvidia.com/gpucores': '120' } }],
      }),
    ],
    want: [
      [
        'RequestWarned',
        'Pod default/pod-1',
        'container "c0": nvidia.com/gpucores is 120, taken as 100 (one whole card)',
      ],
    ],
  },
  {
    name: 'more given out on a card than it has',
    objects: [
      node(),
      ...['a', 'b'].map((name) =>
        hamiPod('GPU-a,NVIDIA,30000,10:;', {
          name,
          containers: [{ limits: gpuLimits({ count: 1, memoryMiB: 30000, corePercent: 10 }) }],
        }),
      ),
    ],
    want: [
      [
        'CardOvercommitted',
        'Node n1',
        'card GPU-a has given out 2 of 10 slots, 60000 of 40960 MiB, 20 of 100 units of compute (default/a, default/b)',
      ],
    ],
  },
  {
    name: 'a privileged container beside cards',
    objects: [
      node(),
      (() => {
        const pod = hamiPod(allocated, sharing);
        const [container] = pod.spec?.containers ?? [];
        return {
          ...pod,
          spec: { ...pod.spec, containers: [{ ...container, securityContext: { privileged: true } }] },
        };
      })(),
    ],
    want: [['PrivilegedPod', 'Pod default/pod-1', 'asks for cards beside privileged containers: c0']],
  },
  {
    name: 'a bare request of a scheduler up to v2.6 gets the whole compute next time',
    objects: [
      node(),
      hamiPod('GPU-a,NVIDIA,40960,0:;', { containers: [{ limits: gpuLimits({ count: 1 }) }] }),
    ],
    want: [
      [
        'AdmissionAddsLimits',
        'Pod default/pod-1',
        'the next copy of container "c0" is given nvidia.com/gpucores: 100',
      ],
    ],
  },
  {
    name: 'Q20, Q28: policies that choose otherwise',
    objects: [
      node(),
      hamiPod(allocated, {
        ...sharing,
        annotations: {
          'hami.io/gpu-scheduler-policy': 'topology-aware',
          'nvidia.com/numa-bind': 'true',
          'hami.io/device-scoring-weights': 'slot=1,core=1,memory=3',
          'nvidia.com/use-gpuuuid': 'GPU-a',
          'nvidia.com/nouse-gpuuuid': 'GPU-b',
        },
      }),
    ],
    want: [
      [
        'PolicyMeaning',
        'Pod default/pod-1',
        'hami.io/device-scoring-weights: cards are weighed with the request on them, by HAMi without it',
      ],
      [
        'PolicyMeaning',
        'Pod default/pod-1',
        'nvidia.com/use-gpuuuid and nvidia.com/nouse-gpuuuid both apply; HAMi up to v2.9 took the first alone',
      ],
      [
        'PolicyMeaning',
        'Pod default/pod-1',
        'topology-aware cards of one NUMA node: every NUMA node is tried, HAMi keeps the last it came to',
      ],
    ],
  },
  {
    name: 'Q9: two quota objects with one key',
    objects: [
      node(),
      quotaObject('a', { 'limits.nvidia.com/gpumem': '2k' }),
      quotaObject('b', { 'limits.nvidia.com/gpumem': '1000' }),
    ],
    want: [
      [
        'QuotaSeveralLimits',
        'Namespace team',
        'limits.nvidia.com/gpumem: a says 2000, b says 1000; b is in force, in HAMi the last that changed',
      ],
    ],
  },
  {
    name: 'a quota that is passed already',
    objects: [
      node(),
      hamiPod(allocated, { ...sharing, namespace: 'team' }),
      quotaObject('a', { 'limits.nvidia.com/gpumem': '2000' }),
    ],
    want: [['QuotaExceeded', 'Namespace team', 'limits.nvidia.com/gpumem: 3000 in use, a allows 2000']],
  },
  {
    name: 'keys of quotas that nobody keeps, and one that cannot be read',
    objects: [node(), quotaObject('a', { 'limits.nvidia.com/gpu': '4', 'limits.nvidia.com/gpucores': '-1' })],
    want: [
      ['QuotaMalformed', 'ResourceQuota team/a', 'limits.nvidia.com/gpucores: "-1" is negative'],
      ['QuotaKeyNotEnforced', 'ResourceQuota team/a', 'has limits.nvidia.com/gpu'],
    ],
  },
  {
    name: 'a scheduler name that is not among ours',
    objects: [
      node(),
      hamiPod(allocated, sharing),
      makePod({ ...sharing, name: 'pod-2', schedulerName: 'hami-scheduler' }),
    ],
    settings: { schedulerNames: ['tessera-scheduler'] },
    want: [
      [
        'SchedulerNameUnserved',
        'Scheduler hami-scheduler',
        'named by 1 bound and 1 waiting pods that ask for cards',
      ],
    ],
  },
  {
    name: "a profile of HAMi's kube-scheduler that no pod names now",
    objects: [
      node(),
      configMap(
        { 'config.yaml': 'kind: KubeSchedulerConfiguration\nprofiles:\n  - schedulerName: hami-batch\n' },
        'hami-scheduler-newversion',
      ),
    ],
    want: [
      [
        'SchedulerNameUnserved',
        'Scheduler hami-batch',
        'named by 0 bound and 0 waiting pods that ask for cards',
      ],
    ],
  },
  {
    name: "HAMi's scheduler runs",
    objects: [node(), schedulerPod('projecthami/hami:v2.10.0')],
    want: [
      [
        'HamiSchedulerRunning',
        'Pod kube-system/hami-scheduler-0',
        'a scheduler of HAMi (projecthami/hami:v2.10.0)',
      ],
    ],
  },
  {
    name: "our image in HAMi's chart is no scheduler of HAMi",
    objects: [node(), schedulerPod('registry.example.com:5000/infra/tessera:0.1.0')],
    want: [],
  },
  {
    name: "HAMi's scheduler runs beside ours",
    objects: [
      node(),
      schedulerPod('projecthami/hami:v2.10.0'),
      schedulerPod('tessera@sha256:00', 'tessera-0'),
    ],
    want: [
      [
        'MixedOperation',
        'Pod kube-system/hami-scheduler-0',
        'a scheduler of HAMi (projecthami/hami:v2.10.0) beside Tessera (kube-system/tessera-0)',
      ],
    ],
  },
  {
    name: "HAMi's webhook alone",
    objects: [node(), webhookConfiguration('hami-webhook', 'vgpu.hami.io', 'Ignore')],
    want: [
      [
        'HamiWebhookPresent',
        'MutatingWebhookConfiguration hami-webhook',
        "holds HAMi's webhook vgpu.hami.io",
      ],
      [
        'WebhookIgnoresFailures',
        'MutatingWebhookConfiguration hami-webhook',
        'vgpu.hami.io: failurePolicy Ignore',
      ],
    ],
  },
  {
    name: 'two webhooks',
    objects: [
      node(),
      webhookConfiguration('hami-webhook', 'vgpu.hami.io'),
      webhookConfiguration('tessera', 'pods.tessera.io'),
    ],
    want: [
      [
        'TwoWebhooks',
        'MutatingWebhookConfiguration hami-webhook',
        "holds HAMi's webhook beside ours in tessera; hami-webhook is called first",
      ],
    ],
  },
  {
    name: "the lease of HAMi's kube-scheduler is held; one that ran out is not told",
    objects: [
      node(),
      ...[
        { name: 'hami-scheduler', renewTime: '2026-08-21T06:20:30.000000Z' },
        { name: 'tessera-scheduler', renewTime: '2026-08-21T06:10:30.000000Z' },
      ].map(({ name, renewTime }) => ({
        kind: 'Lease',
        metadata: { namespace: 'kube-system', name },
        spec: { holderIdentity: 'host-1_abc', leaseDurationSeconds: 15, renewTime },
      })),
    ],
    settings: { schedulerNames: ['tessera-scheduler', 'hami-scheduler'] },
    want: [['LeaseHeld', 'Lease kube-system/hami-scheduler', 'held by host-1_abc']],
  },
  {
    name: "HAMi's device configuration says other names and values, and keys that are not read",
    objects: [
      node(),
      configMap({
        'device-config.yaml':
          'nvidia:\n  resourceCountName: example.com/gpu\n  defaultMemory: 5000\n  deviceSplitCount: 4\n  novelty: 1\n',
      }),
    ],
    want: [
      [
        'ResourceNameDiffers',
        'ConfigMap kube-system/hami-scheduler-device',
        'nvidia.resourceCountName is "example.com/gpu", in the configuration judged here "nvidia.com/gpu"',
      ],
      [
        'DeviceConfigDiffers',
        'ConfigMap kube-system/hami-scheduler-device',
        'nvidia.defaultMemory is 5000, in the configuration judged here 0',
      ],
      [
        'DeviceConfigKeyIgnored',
        'ConfigMap kube-system/hami-scheduler-device',
        'device-config.yaml: nvidia.novelty: unknown key, ignored',
      ],
    ],
  },
  {
    name: "other blocks of HAMi's device configuration: one that is judged, one that is off, one that is not ours",
    objects: [
      node(),
      configMap({
        'device-config.yaml':
          'nvidia: { defaultMemory: 0 }\nhygon: { resourceCountName: example.com/dcu, memoryFactor: 2 }\ncambricon: { resourceCountName: cambricon.com/vmlu }\nacme: { a: 1 }\n',
      }),
    ],
    settings: { vendors: { hygon: { enabled: true, resourceMemoryName: '', resourceCoreName: '' } } },
    want: [
      [
        'ResourceNameDiffers',
        'ConfigMap kube-system/hami-scheduler-device',
        'hygon.resourceCountName is "example.com/dcu", in the configuration judged here "hygon.com/dcunum"',
      ],
      [
        'DeviceConfigDiffers',
        'ConfigMap kube-system/hami-scheduler-device',
        'hygon.memoryFactor is 2, in the configuration judged here 1',
      ],
      [
        'VendorSwitchedOff',
        'ConfigMap kube-system/hami-scheduler-device',
        'has blocks that are switched off in the configuration judged here: cambricon',
      ],
      [
        'DeviceConfigKeyIgnored',
        'ConfigMap kube-system/hami-scheduler-device',
        'device-config.yaml: blocks that are not read: acme',
      ],
    ],
  },
  {
    name: 'lists of a device configuration, which are equal in any order of their keys',
    objects: [
      node(),
      configMap(
        {
          'device-config.yaml':
            'nvidia: { defaultMemory: 0 }\nvnpus: { configs: [{ memoryAllocatable: 1024, commonWord: Ascend910X }] }\n',
        },
        'same',
      ),
      configMap(
        {
          'device-config.yaml':
            'nvidia: { defaultMemory: 0 }\nvnpus: { configs: [{ commonWord: Ascend910Y, memoryAllocatable: 1024 }] }\n',
        },
        'other',
      ),
    ],
    settings: {
      vendors: { vnpus: { enabled: true, configs: [{ commonWord: 'Ascend910X', memoryAllocatable: 1024 }] } },
    },
    want: [
      [
        'DeviceConfigDiffers',
        'ConfigMap kube-system/other',
        'vnpus.configs is not that of the configuration judged here',
      ],
    ],
  },
  {
    name: 'a device configuration that cannot be read',
    objects: [node(), configMap({ 'device-config.yaml': 'nvidia: 1' })],
    want: [
      [
        'DeviceConfigMalformed',
        'ConfigMap kube-system/hami-scheduler-device',
        'device-config.yaml: nvidia: must be object',
      ],
    ],
  },
  {
    name: 'own resource names that differ from the usual ones, and keys of the own file that are not read',
    objects: [node()],
    settings: { vendors: { nvidia: { resourceMemoryName: 'example.com/mem' } } },
    deviceConfigWarnings: ['device-config.yaml: nvidia.novelty: unknown key, ignored'],
    want: [
      [
        'ResourceNameNotDefault',
        'Cluster configuration',
        'nvidia.resourceMemoryName is "example.com/mem" instead of "nvidia.com/gpumem"',
      ],
      [
        'DeviceConfigKeyIgnored',
        'Cluster configuration',
        'device-config.yaml: nvidia.novelty: unknown key, ignored',
      ],
    ],
  },
  {
    name: 'devices of other families, shared by HAMi',
    objects: [
      node({ 'hami.io/node-acme-register': 'x:', 'hami.io/node-handshake-acme': 'Requesting_x' }),
      hamiPod(allocated, { ...sharing, annotations: { 'hami.io/acme-devices-allocated': 'x' } }),
    ],
    want: [
      [
        'VendorNotManaged',
        'Node n1',
        'publishes devices that would not be managed: hami.io/node-acme-register',
      ],
      [
        'VendorNotManaged',
        'Pod default/pod-1',
        'holds devices that would not be managed: hami.io/acme-devices-allocated',
      ],
    ],
  },
  {
    name: "the lock of a family's own, which names nobody and has an expiry of its own",
    objects: [
      node({ 'cambricon.com/dsmlu.lock': '2026-08-21T06:18:00Z' }),
      makeNodeObject({
        name: 'n2',
        annotations: { 'cambricon.com/dsmlu.lock': '2026-08-21T06:20:00Z' },
        allocatable: {},
      }),
    ],
    settings: { vendors: { cambricon: { enabled: true } } },
    want: [
      ['NodeLockHeld', 'Node n2', 'cambricon.com/dsmlu.lock names no pod and was set less than 120 s ago'],
      ['NodeLockLeftOver', 'Node n1', 'cambricon.com/dsmlu.lock names no pod and is older than 120 s'],
    ],
  },
  {
    name: 'devices of a family that is switched on are managed',
    objects: [
      makeNodeObject({
        name: 'dcu-1',
        annotations: { 'hami.io/node-dcu-register': 'DCU-1,4,32752,100,DCU-K100_AI,0,true,0,hami:' },
        allocatable: { 'hygon.com/dcunum': '4' },
      }),
      makeNodeObject({
        name: 'dcu-2',
        annotations: { 'hami.io/node-dcu-register': 'DCU-2,4' },
        allocatable: { 'hygon.com/dcunum': '4' },
      }),
    ],
    settings: { vendors: { hygon: { enabled: true } } },
    want: [
      [
        'RegisterMalformed',
        'Node dcu-2',
        expect.stringContaining('hami.io/node-dcu-register') as unknown as string,
      ],
    ],
  },
  {
    name: 'devices of a family that is switched off are not',
    objects: [
      makeNodeObject({
        name: 'dcu-1',
        annotations: { 'hami.io/node-dcu-register': 'DCU-1,4,32752,100,DCU-K100_AI,0,true,0,hami:' },
        allocatable: { 'hygon.com/dcunum': '4' },
      }),
    ],
    want: [
      [
        'VendorNotManaged',
        'Node dcu-1',
        'publishes devices that would not be managed: hami.io/node-dcu-register',
      ],
    ],
  },
  {
    name: 'devices of other families, not shared by HAMi',
    objects: [makeNodeObject({ allocatable: { 'birentech.com/unit': '8', 'example.com/unit': '8' } })],
    want: [['ResourceNotManaged', 'Node n1', 'offers birentech.com/unit']],
  },
  {
    name: 'NVIDIA cards are of another family where they are switched off',
    objects: [node()],
    settings: { vendors: { nvidia: { enabled: false } } },
    want: [
      [
        'VendorNotManaged',
        'Node n1',
        'publishes devices that would not be managed: hami.io/node-nvidia-register',
      ],
    ],
  },
  {
    name: 'an object that cannot be read, and a kind that may not be listed',
    objects: [node(), { kind: 'Pod', metadata: { name: 'odd', namespace: 'team', labels: 3 } }],
    missing: new Map([['Lease', 'HTTP 403 Forbidden: no']] as const),
    want: [
      ['ObjectUnreadable', 'Pod team/odd', expect.stringContaining('metadata.labels') as unknown as string],
      ['NotLookedAt', 'Cluster Lease', 'HTTP 403 Forbidden: no'],
    ],
  },
];

describe('checkMigration', () => {
  it.each(cases)('$name', ({ want, ...cluster }) => {
    const told = toldOf(checkCluster(cluster)).filter(([code]) => !noise.has(code));
    expect(told).toEqual(want);
  });

  it('has a case for every code', () => {
    const told = new Set([...cases.flatMap(({ want }) => want.map(([code]) => code)), ...noise]);
    expect(findingCodes.filter((code) => !told.has(code))).toEqual([]);
  });

  it('counts pods that have ended nowhere', () => {
    const ended = hamiPod('GPU-a[1-0],NVIDIA,9984,29:;', { ...sharing, phase: 'Succeeded' });
    expect(toldOf(checkCluster({ objects: [node(), ended] }))).toEqual([
      ['PluginVersion', 'Node n1', 'device plugin v2.10 or later (JSON register without devicepairscore)'],
    ]);
  });

  it('tells which scheduler names are ours and named', () => {
    const told = toldOf(checkCluster({ objects: [node(), hamiPod(allocated, sharing)] }));
    expect(told).toContainEqual([
      'SchedulerNameServed',
      'Scheduler hami-scheduler',
      'named by 1 bound and 0 waiting pods that ask for cards',
    ]);
  });

  it('says the same whatever the order of the objects', () => {
    for (const { objects, ...rest } of cases) {
      expect(checkCluster({ ...rest, objects: [...objects].reverse() })).toEqual(
        checkCluster({ ...rest, objects }),
      );
    }
  });
});
