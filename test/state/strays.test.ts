/** Pods that were bound past us and wait for devices: who is one, from when, until when. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import { gpuPod, type GpuPodFields, nvidiaVendors } from './support/device-states.ts';
import { dcuVendor } from './support/second-vendor.ts';

const allocated = 'gpu-0,NVIDIA,3000,0:;';
const stray: GpuPodFields = { nodeName: 'n1' };
const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
const withInit = { nodeName: 'n1', containers: [{ role: 'init', limits } as const, { limits }] };

function world({ sealed = true, vendors = nvidiaVendors } = {}) {
  const told: string[] = [];
  const state = new DeviceState({
    vendors,
    trustOf: () => (sealed ? 'as-written' : 'at-least-request'),
    onStray: ({ kind, stray: { name, node } }) => {
      told.push(`${name} ${kind}, ${state.strayOn(node) === undefined ? 'open' : 'closed'}`);
    },
  });
  const see = (...pods: readonly GpuPodFields[]) => {
    for (const fields of pods) state.applyPod(gpuPod(fields), 0);
  };
  return { state, told, see };
}

describe('a pod', () => {
  const cases: readonly { name: string; pod: GpuPodFields; want: boolean }[] = [
    { name: 'bound without an allocation is a stray', pod: stray, want: true },
    { name: 'is one whatever else it says of itself', pod: { ...stray, phase: '' }, want: true },
    {
      name: 'whose allocation cannot be read is one',
      pod: { ...stray, allocated: 'gpu-0,NVIDIA,x,30:;' },
      want: true,
    },
    { name: 'whose allocation is empty is one', pod: { ...stray, allocated: ';' }, want: true },
    {
      name: 'whose allocation is of another node is one',
      pod: { ...stray, annotations: { ...gpuPod({ nodeName: 'n2', allocated }).annotations } },
      want: true,
    },
    {
      name: 'given fewer cards than it asks for is one',
      pod: { ...stray, gpu: { count: 2, memoryMiB: 3000 }, allocated },
      want: true,
    },
    {
      name: 'given devices for one of two containers is one',
      pod: { nodeName: 'n1', containers: [{ limits }, { limits }], allocated: `${allocated};` },
      want: true,
    },
    {
      name: 'with a request that cannot be read is one',
      pod: { ...stray, gpu: { count: 1, memoryMiB: '16Gi' } },
      want: true,
    },
    {
      name: 'that is being deleted is one',
      pod: { ...stray, deletionTimestamp: '2026-01-01T00:00:00Z' },
      want: true,
    },
    { name: 'that is not bound is none', pod: {}, want: false },
    { name: 'that has its allocation is none', pod: { ...stray, allocated }, want: false },
    { name: 'that asks for no device is none', pod: { nodeName: 'n1', containers: [{}] }, want: false },
    { name: 'that runs is none', pod: { ...stray, phase: 'Running', running: true }, want: false },
    {
      name: 'whose container runs is none, whatever its phase',
      pod: { ...stray, running: true },
      want: false,
    },
    {
      name: 'whose init containers have ended is none',
      pod: {
        ...withInit,
        containers: [{ role: 'init', limits, state: { exitCode: 0 } }, { limits }],
      },
      want: false,
    },
    { name: 'that has failed is none', pod: { ...stray, phase: 'Failed' }, want: false },
    { name: 'that has succeeded is none', pod: { ...stray, phase: 'Succeeded' }, want: false },
  ];
  it.each(cases)('$name', ({ pod, want }) => {
    const { state, see } = world();
    see(pod);
    expect(state.strayOn('n1') !== undefined).toBe(want);
    expect(state.closedNodes).toBe(want ? 1 : 0);
    expect(state.strayOn('n2')).toBeUndefined();
  });

  it('with an allocation in due form is none even without a seal, for the plugin asks for none', () => {
    const { state, see } = world({ sealed: false });
    see({ ...stray, allocated });
    expect(state.strayOn('n1')).toBeUndefined();
  });

  it('is none for devices of a family whose plugin knows no lock', () => {
    const { state, see } = world({ vendors: [...nvidiaVendors, dcuVendor] });
    see({ nodeName: 'n1', containers: [{ limits: { 'hygon.com/dcunum': '1' } }] });
    expect(state.strayOn('n1')).toBeUndefined();
    see({ name: 'both', nodeName: 'n1', containers: [{ limits: { ...limits, 'hygon.com/dcunum': '1' } }] });
    expect(state.strayOn('n1')).toMatchObject({ name: 'both' });
  });

  it('that we have bound ourselves is none before nor after the watch shows it', () => {
    const { state, told, see } = world();
    see({});
    see({ nodeName: 'n1', allocated });
    state.confirm('uid-pod-1');
    expect(told).toEqual([]);
  });
});

describe('a stray', () => {
  const ways: readonly { name: string; next: GpuPodFields; want: string }[] = [
    { name: 'whose container runs has started', next: { ...stray, running: true }, want: 'started' },
    { name: 'whose phase is Running has started', next: { ...stray, phase: 'Running' }, want: 'started' },
    {
      name: 'whose phase is unknown may have started',
      next: { ...stray, phase: 'Unknown' },
      want: 'started',
    },
    { name: 'that has succeeded had started', next: { ...stray, phase: 'Succeeded' }, want: 'started' },
    {
      name: 'that fails with a container running has started',
      next: { ...stray, phase: 'Failed', running: true },
      want: 'started',
    },
    { name: 'that kubelet rejects settles', next: { ...stray, phase: 'Failed' }, want: 'settled' },
    { name: 'that gets an allocation settles', next: { ...stray, allocated }, want: 'settled' },
    { name: 'whose successor of the same name comes settles', next: { uid: 'next' }, want: 'settled' },
  ];
  it.each(ways)('$name, and opens its node', ({ next, want }) => {
    const { state, told, see } = world();
    see(stray, next);
    expect(told).toEqual(['pod-1 came, closed', `pod-1 ${want}, open`]);
    expect(state.strayOn('n1')).toBeUndefined();
  });

  it('that is gone settles, once', () => {
    const { state, told, see } = world();
    see(stray);
    state.removePod('uid-pod-1', 0);
    state.removePod('uid-pod-1', 0);
    expect(told).toEqual(['pod-1 came, closed', 'pod-1 settled, open']);
  });

  it('is told of once, however often it is seen', () => {
    const { told, see } = world();
    see(stray, { ...stray, resourceVersion: '2' }, { ...stray, deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(told).toEqual(['pod-1 came, closed']);
  });

  it('that has started is none again, even between two init containers', () => {
    const { state, told, see } = world();
    const running = {
      ...withInit,
      containers: [{ role: 'init', limits, state: 'running' } as const, { limits }],
    };
    see(withInit, running, withInit);
    expect(state.strayOn('n1')).toBeUndefined();
    expect(told).toEqual(['pod-1 came, closed', 'pod-1 started, open']);
  });

  it('keeps its node closed beside another one that leaves', () => {
    const { state, told, see } = world();
    see({ ...stray, name: 'b' }, { ...stray, name: 'a' });
    expect(state.strayOn('n1')).toMatchObject({ name: 'a' });
    see({ ...stray, name: 'a', phase: 'Failed' });
    expect(state.strayOn('n1')).toMatchObject({
      podUid: 'uid-b',
      namespace: 'default',
      name: 'b',
      node: 'n1',
    });
    expect(told.at(-1)).toBe('a settled, closed');
  });

  it('outlasts its node, for a machine that comes back would still have to start it', () => {
    const { state, see } = world();
    see(stray);
    state.removeNode('n1');
    expect(state.strayOn('n1')).toMatchObject({ name: 'pod-1' });
  });
});

// --- whatever happens

const names = ['a', 'b', 'c'];
const nodes = ['n1', 'n2'];
const operations = [
  'create',
  'bind',
  'bind',
  'allocate',
  'strip',
  'startInit',
  'startInit',
  'stopInit',
  'stopInit',
  'run',
  'fail',
  'delete',
  'replace',
  'removeNode',
] as const;
type Operation = (typeof operations)[number];

interface ModelPod {
  readonly uid: string;
  readonly name: string;
  node?: string;
  written: boolean;
  running: boolean;
  phase: 'Pending' | 'Running' | 'Failed';
  /** Ever seen to run while it was bound. */
  begun: boolean;
}

/** What the cluster has, changed step by step; a step that makes no sense changes nothing. */
class Model {
  readonly pods = new Map<string, ModelPod>();
  #created = 0;

  step(operation: Exclude<Operation, 'removeNode'>, name: string, node: string): void {
    const pod = this.pods.get(name);
    if (operation === 'create' || operation === 'replace') {
      if ((operation === 'create') !== (pod === undefined)) return;
      this.#created += 1;
      const fresh = { written: false, running: false, phase: 'Pending', begun: false } as const;
      this.pods.set(name, { uid: `uid-${this.#created}`, name, ...fresh });
    } else if (operation === 'delete') this.pods.delete(name);
    else if (pod !== undefined) change(pod, operation, node);
  }
}

function change(
  pod: ModelPod,
  operation: Exclude<Operation, 'create' | 'replace' | 'delete' | 'removeNode'>,
  node: string,
): void {
  if (operation === 'bind') pod.node ??= node;
  if (pod.node === undefined) return;
  if (operation === 'allocate' || operation === 'strip') pod.written = operation === 'allocate';
  if (operation === 'startInit' || operation === 'stopInit') pod.running = operation === 'startInit';
  if (operation === 'run' && pod.phase === 'Pending') pod.phase = 'Running';
  if (operation === 'fail') pod.phase = 'Failed';
  pod.begun ||= pod.running || pod.phase !== 'Pending';
}

function objectOf({ uid, name, node, written, running, phase }: ModelPod): PodObject {
  return gpuPod({
    uid,
    name,
    phase,
    containers: [
      { role: 'init', ...(running && phase === 'Pending' ? { state: 'running' } : {}) },
      { limits, ...(phase === 'Running' ? { state: 'running' } : {}) },
    ],
    ...(node === undefined ? {} : { nodeName: node }),
    ...(written ? { allocated: `;${allocated}` } : {}),
  });
}

describe('the strays of a state', () => {
  it('after any history are those pods that wait for devices nobody wrote down', () => {
    let closed = 0;
    let begun = 0;
    const history = fc.array(fc.tuple(fc.constantFrom(...operations), fc.nat(2), fc.nat(1)), {
      minLength: 20,
      maxLength: 80,
      size: 'max',
    });
    fc.assert(
      fc.property(history, (steps) => {
        const { state, told } = world();
        const model = new Model();
        const got: string[] = [];
        const want: string[] = [];
        for (const [operation, which, where] of steps) {
          const name = names[which] ?? '';
          const before = model.pods.get(name)?.uid;
          if (operation === 'removeNode') state.removeNode(nodes[where] ?? '');
          else model.step(operation, name, nodes[where] ?? '');
          const pod = model.pods.get(name);
          if (pod !== undefined) state.applyPod(objectOf(pod), 0);
          else if (before !== undefined) state.removePod(before, 0);
          const pods = [...model.pods.values()];
          // One matcher at the end: one for each of the many steps would take most of the time.
          got.push(closedIn(state));
          want.push(closedBy(pods));
          if (pods.some(isStray)) closed += 1;
          if (pods.some((pod) => pod.phase === 'Pending' && pod.begun && !pod.running)) begun += 1;
        }
        expect(got).toEqual(want);
        const pods = [...model.pods.values()];
        const came = told.filter((line) => line.includes(' came')).length;
        expect(told.length).toBe(2 * came - pods.filter(isStray).length);
      }),
      { numRuns: 400 },
    );
    expect(Math.min(closed, begun)).toBeGreaterThan(50);
  });
});

function isStray({ node, phase, begun, written }: ModelPod): boolean {
  return node !== undefined && phase === 'Pending' && !begun && !written;
}

/** Every node with the stray that is named for it, and how many are closed. */
function closedIn(state: DeviceState): string {
  return `${nodes.map((node) => state.strayOn(node)?.name ?? '-').join()} ${state.closedNodes}`;
}

function closedBy(pods: readonly ModelPod[]): string {
  const firsts = nodes.map((node) => {
    const onNode = pods.filter((pod) => isStray(pod) && pod.node === node).map(({ name }) => name);
    return onNode.sort()[0];
  });
  return `${firsts.map((name) => name ?? '-').join()} ${firsts.filter((name) => name !== undefined).length}`;
}
