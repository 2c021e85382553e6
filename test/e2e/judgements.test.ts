import { describe, expect, it } from '@jest/globals';
import type { Share } from '../../src/model/allocation.ts';
import type { Change } from './harness/history.ts';
import { findMisgiven } from './harness/gift-judgement.ts';
import { findHalfBound, findOverCommits } from './harness/judgements.ts';
import { findLockBreaks } from './harness/lock-judgement.ts';
import { makeMachine } from './harness/machines.ts';
import { devicesOf } from '../../src/emulator/node-agent/node-description.ts';

/** The judges of the other scenarios are worth something only if they find what they are there for. */
const machine = makeMachine('n1', 1, { slots: 2 });
const card = devicesOf(machine, 'NVIDIA')[0]!.id;

type Texts = Readonly<Record<string, string>>;

interface PodParts {
  /** A card of NVIDIA where left out. */
  readonly limits?: Texts;
  readonly node?: string;
  readonly phase?: string;
  readonly memoryMiB?: number;
  readonly annotations?: Texts;
  readonly labels?: Texts;
  readonly gone?: boolean;
}

function podChange(version: number, name: string, parts: PodParts = {}): Change {
  const { node, phase = 'Pending', memoryMiB = 1000, gone = false } = parts;
  const { limits = { 'nvidia.com/gpu': '1' } } = parts;
  const bound = {
    'hami.io/vgpu-node': 'n1',
    'hami.io/bind-phase': 'allocating',
    'hami.io/vgpu-devices-allocated': `${card},NVIDIA,${memoryMiB},10:;`,
    'tessera.io/seal': 'v1.x',
  };
  return {
    version,
    kind: 'pod',
    gone,
    pod: {
      metadata: {
        name,
        namespace: 'default',
        uid: name,
        annotations: parts.annotations ?? (node === undefined ? {} : bound),
        labels: parts.labels ?? (node === undefined ? {} : { 'hami.io/vgpu-node': node }),
      },
      spec: {
        ...(node === undefined ? {} : { nodeName: node }),
        containers: [{ name: 'c0', resources: { limits } }],
      },
      status: { phase },
    },
  };
}

function nodeChange(version: number, lockedFor?: string): Change {
  const lock = { 'hami.io/mutex.lock': `2026-01-01T00:00:00Z,default,${lockedFor ?? ''}` };
  return annotatedNode(version, lockedFor === undefined ? {} : lock);
}

function annotatedNode(version: number, annotations: Texts): Change {
  return { version, kind: 'node', node: { metadata: { name: 'n1', annotations } } };
}

const mluLimits = { 'cambricon.com/vmlu': '1' };
const mluLock = { 'cambricon.com/dsmlu.lock': '2026-01-01T00:00:00Z' };

/** Bound to the node, with its flag as the scheduler or the plugin has written it. */
function mluChange(version: number, name: string, isServed = false): Change {
  const annotations = { CAMBRICON_DSMLU_ASSIGHED: String(isServed) };
  return podChange(version, name, { node: 'n1', limits: mluLimits, annotations });
}

describe('the judge of over-commitment', () => {
  const cases: readonly { name: string; changes: readonly Change[]; wantFaults: number }[] = [
    {
      name: 'finds two pods with too much memory',
      changes: [
        podChange(1, 'a', { node: 'n1', memoryMiB: 10_000 }),
        podChange(2, 'b', { node: 'n1', memoryMiB: 10_000 }),
      ],
      wantFaults: 1,
    },
    {
      name: 'finds more pods than slots',
      changes: [1, 2, 3].map((version) => podChange(version, `p${version}`, { node: 'n1' })),
      wantFaults: 1,
    },
    {
      name: 'lets a pod follow one that is over',
      changes: [
        podChange(1, 'a', { node: 'n1', memoryMiB: 10_000 }),
        podChange(2, 'a', { node: 'n1', memoryMiB: 10_000, phase: 'Succeeded' }),
        podChange(3, 'b', { node: 'n1', memoryMiB: 10_000 }),
      ],
      wantFaults: 0,
    },
    {
      name: 'lets a pod follow one that is gone',
      changes: [
        podChange(1, 'a', { node: 'n1', memoryMiB: 10_000 }),
        podChange(2, 'a', { node: 'n1', memoryMiB: 10_000, gone: true }),
        podChange(3, 'b', { node: 'n1', memoryMiB: 10_000 }),
      ],
      wantFaults: 0,
    },
  ];

  it.each(cases)('$name', ({ changes, wantFaults }) => {
    expect(findOverCommits(changes, [machine])).toHaveLength(wantFaults);
  });
});

describe('the judge of half-bound pods', () => {
  const cases: readonly { name: string; change: Change; wantFaults: number }[] = [
    { name: 'has nothing against a waiting pod', change: podChange(1, 'a'), wantFaults: 0 },
    { name: 'has nothing against a bound pod', change: podChange(1, 'a', { node: 'n1' }), wantFaults: 0 },
    {
      name: 'finds an allocation without a node',
      change: podChange(1, 'a', { annotations: { 'hami.io/vgpu-devices-allocated': ';' } }),
      wantFaults: 1,
    },
    {
      name: 'finds a node without an allocation',
      change: podChange(1, 'a', { node: 'n1', annotations: {} }),
      wantFaults: 1,
    },
    {
      name: 'finds a bound pod without its label',
      change: podChange(1, 'a', { node: 'n1', labels: {} }),
      wantFaults: 1,
    },
    {
      name: 'finds an allocation of another family than the pod asks for',
      change: podChange(1, 'a', { node: 'n1', limits: { 'hygon.com/dcunum': '1' } }),
      wantFaults: 1,
    },
    {
      name: 'finds a pod of two families with the allocation of one',
      change: podChange(1, 'a', { node: 'n1', limits: { 'nvidia.com/gpu': '1', 'amd.com/gpu': '1' } }),
      wantFaults: 1,
    },
  ];

  it.each(cases)('$name', ({ change, wantFaults }) => {
    expect(findHalfBound([change])).toHaveLength(wantFaults);
  });
});

describe('the judge of node locks', () => {
  const served = { 'hami.io/bind-phase': 'success' };
  const cases: readonly { name: string; changes: readonly Change[]; wantFaults: number }[] = [
    {
      name: 'has nothing against a lock from before the bind until the pod is served',
      changes: [
        podChange(1, 'a'),
        nodeChange(2, 'a'),
        podChange(3, 'a', { node: 'n1' }),
        podChange(4, 'a', { node: 'n1', annotations: served }),
        nodeChange(5),
      ],
      wantFaults: 0,
    },
    {
      name: 'finds a bind on a node that is not locked',
      changes: [nodeChange(1), podChange(2, 'a'), podChange(3, 'a', { node: 'n1' })],
      wantFaults: 1,
    },
    {
      name: 'finds a bind on a node that is locked for another pod',
      changes: [podChange(1, 'a'), nodeChange(2, 'b'), podChange(3, 'a', { node: 'n1' })],
      wantFaults: 1,
    },
    {
      name: 'finds a lock that is given up too early',
      changes: [podChange(1, 'a'), nodeChange(2, 'a'), podChange(3, 'a', { node: 'n1' }), nodeChange(4)],
      wantFaults: 1,
    },
    {
      name: 'finds a lock that is taken from a pod that is not served yet',
      changes: [podChange(1, 'a'), nodeChange(2, 'a'), podChange(3, 'a', { node: 'n1' }), nodeChange(4, 'b')],
      wantFaults: 1,
    },
    {
      name: 'does not judge what it may have missed',
      changes: [
        podChange(1, 'a'),
        nodeChange(2, 'b'),
        { version: 3, kind: 'gap', of: 'node' },
        podChange(4, 'a', { node: 'n1' }),
      ],
      wantFaults: 0,
    },
    {
      name: 'has nothing against MLUs that are given to one pod after the other',
      changes: [
        podChange(1, 'a', { limits: mluLimits }),
        podChange(2, 'b', { limits: mluLimits }),
        annotatedNode(3, mluLock),
        mluChange(4, 'a'),
        mluChange(5, 'a', true),
        annotatedNode(6, {}),
        annotatedNode(7, mluLock),
        mluChange(8, 'b'),
      ],
      wantFaults: 0,
    },
    {
      name: 'finds a pod with MLUs that is bound under the lock of the other families',
      changes: [podChange(1, 'a', { limits: mluLimits }), nodeChange(2, 'a'), mluChange(3, 'a')],
      wantFaults: 1,
    },
    {
      name: 'finds a pod with MLUs that is bound while another waits',
      changes: [
        podChange(1, 'b', { limits: mluLimits }),
        annotatedNode(2, mluLock),
        mluChange(3, 'a'),
        mluChange(4, 'b'),
      ],
      wantFaults: 1,
    },
    {
      name: 'finds a lock of MLUs that is given up too early',
      changes: [annotatedNode(1, mluLock), mluChange(2, 'a'), annotatedNode(3, {})],
      wantFaults: 1,
    },
  ];

  it.each(cases)('$name', ({ changes, wantFaults }) => {
    expect(findLockBreaks(changes)).toHaveLength(wantFaults);
  });
});

describe('the judge of what was handed out', () => {
  const key = 'hami.io/dcu-devices-allocated';
  const share = { vendor: 'DCU', deviceId: 'DCU-1', memoryMiB: 8000, corePercent: 30 };
  const cases: readonly { name: string; written: string; shares?: readonly Share[]; wantFaults: number }[] = [
    { name: 'has nothing against what is written', written: 'DCU-1,DCU,8000,30:;', wantFaults: 0 },
    { name: 'finds another card', written: 'DCU-2,DCU,8000,30:;', wantFaults: 1 },
    { name: 'finds another amount of memory', written: 'DCU-1,DCU,4000,30:;', wantFaults: 1 },
    { name: 'finds another amount of compute', written: 'DCU-1,DCU,8000,10:;', wantFaults: 1 },
    { name: 'finds what is written for another container', written: ';DCU-1,DCU,8000,30:;', wantFaults: 1 },
    { name: 'finds one card of two', written: 'DCU-1,DCU,8000,30:DCU-2,DCU,8000,30:;', wantFaults: 1 },
    { name: 'finds a container that was given nothing', written: ';', shares: [], wantFaults: 1 },
  ];

  it.each(cases)('$name', ({ written, shares = [share], wantFaults }) => {
    const pod = podChange(1, 'a', { node: 'n1', annotations: { [key]: written } });
    const record = { podUid: 'a', podName: 'default/a', container: 'c0', shares };
    expect(findMisgiven([pod], [record])).toHaveLength(wantFaults);
  });
});
