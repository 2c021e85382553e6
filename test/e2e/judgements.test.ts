import { describe, expect, it } from '@jest/globals';
import type { Change } from './harness/history.ts';
import { findHalfBound, findLockBreaks, findOverCommits } from './harness/judgements.ts';
import { makeMachine } from './harness/machines.ts';
import { devicesOf } from '../../src/emulator/node-agent/node-description.ts';

/** The judges of the other scenarios are worth something only if they find what they are there for. */
const machine = makeMachine('n1', 1, { slots: 2 });
const card = devicesOf(machine, 'NVIDIA')[0]!.id;

interface PodParts {
  readonly node?: string;
  readonly phase?: string;
  readonly memoryMiB?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly gone?: boolean;
}

function podChange(version: number, name: string, parts: PodParts = {}): Change {
  const { node, phase = 'Pending', memoryMiB = 1000, gone = false } = parts;
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
        containers: [{ name: 'c0', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
      },
      status: { phase },
    },
  };
}

function nodeChange(version: number, lockedFor?: string): Change {
  const lock = { 'hami.io/mutex.lock': `2026-01-01T00:00:00Z,default,${lockedFor ?? ''}` };
  return {
    version,
    kind: 'node',
    node: { metadata: { name: 'n1', annotations: lockedFor === undefined ? {} : lock } },
  };
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
  ];

  it.each(cases)('$name', ({ changes, wantFaults }) => {
    expect(findLockBreaks(changes)).toHaveLength(wantFaults);
  });
});
