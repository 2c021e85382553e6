import { describe, expect, it } from '@jest/globals';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { bindingMetadata } from '../../src/scheduler/binding-metadata.ts';
import type { BindCommand, BindOutcome } from '../../src/scheduler/cluster-writer.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { BindRig, nodePath, term } from './support/bind-rig.ts';
import { type Fault, testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const path = '/api/v1/namespaces/default/pods/pod-1';
const patchNode = `PATCH ${nodePath}`;
const postBinding = `POST ${path}/binding`;
const getPod = `GET ${path}`;
const patchPod = `PATCH ${path}`;
const share = { vendor: 'NVIDIA', deviceId: 'GPU-a', memoryMiB: 3000, corePercent: 30 };
const written = 'GPU-a,NVIDIA,3000,30:;';

/** A cluster with one node and one pod of one container. */
async function pendingPod(fields: PodFields = {}): Promise<{ rig: BindRig; pod: PodObject }> {
  const rig = new BindRig(await startCluster());
  rig.addNode();
  return { rig, pod: rig.addPod({ labels: { app: 'train' }, ...fields }) };
}

function commandOf(rig: BindRig, pod: PodObject, { node = 'n1', budgetMs = 25_000 } = {}): BindCommand {
  const nowMs = rig.clock.nowMs();
  const metadata = bindingMetadata({
    pod: { annotations: {}, containers: [] },
    allocation: [[share]],
    node,
    nowMs,
    vendors: nvidiaVendors,
    layoutOf: () => 'all',
  });
  return {
    pod,
    node,
    deadlineMs: nowMs + budgetMs,
    devices: { term, locks: [sharedNodeLock], metadata: () => metadata },
  };
}

function bind(
  rig: BindRig,
  pod: PodObject,
  options: { node?: string; budgetMs?: number; signal?: AbortSignal } = {},
): Promise<BindOutcome> {
  const { signal = new AbortController().signal } = options;
  return rig.cluster.drive(rig.writer.bind(commandOf(rig, pod, options), signal));
}

/** The command for a pod that asks for no devices. */
function withoutDevices({ pod, node, deadlineMs }: BindCommand): BindCommand {
  return { pod, node, deadlineMs };
}

/** The message of a rejection; fails the test for any other outcome. */
function rejection(outcome: BindOutcome): string {
  if (outcome.kind !== 'rejected') throw new Error(`outcome is ${outcome.kind}`);
  return outcome.message;
}

async function settle(rig: BindRig, outcome: BindOutcome): Promise<'bound' | 'rejected'> {
  if (outcome.kind !== 'unknown') throw new Error(`outcome is ${outcome.kind}`);
  return rig.cluster.drive(outcome.settled);
}

function nodeNameOf(rig: BindRig): string | undefined {
  return rig.stored({ namespace: 'default', name: 'pod-1' }).nodeName;
}

describe('a bind', () => {
  it('is two requests: the lock, and one Binding with everything the pod needs', async () => {
    const { rig, pod } = await pendingPod();
    expect(await bind(rig, pod)).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, postBinding]);
    expect(rig.cluster.bodies('POST')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: {
          name: 'pod-1',
          namespace: 'default',
          uid: 'uid-pod-1',
          resourceVersion: pod.resourceVersion,
          annotations: {
            'hami.io/vgpu-node': 'n1',
            'hami.io/vgpu-time': '1767225600',
            'hami.io/bind-phase': 'allocating',
            'hami.io/bind-time': '1767225600',
            'hami.io/vgpu-devices-allocated': written,
            'hami.io/vgpu-devices-to-allocate': written,
            'tessera.io/seal': expect.stringMatching(/^v1\.[\w-]{43}$/),
          },
          labels: { 'hami.io/vgpu-node': 'n1' },
        },
        target: { apiVersion: 'v1', kind: 'Node', name: 'n1' },
      },
    ]);
    expect(rig.lock).toBe('2026-01-01T00:00:00Z,default,pod-1');
    expect(rig.sealer.isSealed(rig.stored(pod))).toBe(true);
  });

  it('of a pod without devices takes no lock and writes no metadata', async () => {
    const { rig, pod } = await pendingPod();
    const command = withoutDevices(commandOf(rig, pod));
    const never = new AbortController().signal;
    expect(await rig.cluster.drive(rig.writer.bind(command, never))).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([postBinding]);
    expect(rig.cluster.bodies('POST')).toMatchObject([{ metadata: { annotations: {}, labels: {} } }]);
    expect(rig.lock).toBeUndefined();
  });

  it('of a pod without devices settles a time-out as any other does', async () => {
    const { rig, pod } = await pendingPod();
    const command = withoutDevices(commandOf(rig, pod));
    rig.cluster.fail(postBinding, { kind: 'silentAfterCommit' });
    const never = new AbortController().signal;
    expect(await rig.cluster.drive(rig.writer.bind(command, never))).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([postBinding, getPod]);
  });

  it('Q16: writes no label where the node’s name is too long for one', async () => {
    const node = `${'a'.repeat(60)}.example`;
    const { rig, pod } = await pendingPod();
    rig.addNode({ name: node });
    expect(await bind(rig, pod, { node })).toEqual({ kind: 'bound' });
    expect(rig.cluster.bodies('POST')).toMatchObject([{ metadata: { labels: {} } }]);
    expect(rig.stored(pod).annotations['hami.io/vgpu-node']).toBe(node);
    await rig.labels.see(rig.stored(pod));
    expect(rig.cluster.journal).toHaveLength(2);
  });

  it.each([
    { name: 'patches the label where the server does not copy it', copies: false, wantPatches: 1 },
    { name: 'leaves the label alone where the server copies it', copies: true, wantPatches: 0 },
  ])('$name', async ({ copies, wantPatches }) => {
    const { rig, pod } = await pendingPod();
    rig.cluster.model.copiesBindingLabels = copies;
    await bind(rig, pod);
    await rig.cluster.drive(rig.labels.see(rig.stored(pod)));
    expect(rig.cluster.bodies(patchPod)).toHaveLength(wantPatches);
    expect(rig.stored(pod).labels).toEqual({ app: 'train', 'hami.io/vgpu-node': 'n1' });
  });

  it('is refused without a request for a pod whose version nobody knows', async () => {
    const { rig, pod } = await pendingPod();
    expect(rejection(await bind(rig, { ...pod, resourceVersion: '' }))).toMatch('version is not known');
    expect(rig.cluster.bodies('POST')).toEqual([]);
    expect(rig.lock).toBeUndefined();
  });
});

describe('a bind that must not begin', () => {
  it('is rejected while another pod’s lock stays, and leaves that', async () => {
    const { rig, pod } = await pendingPod();
    const annotations = { 'hami.io/bind-phase': 'allocating' };
    rig.addPod({ name: 'other', nodeName: 'n1', annotations });
    rig.setLock('2026-01-01T00:00:00Z,default,other');
    expect(rejection(await bind(rig, pod))).toMatch('node lock contention');
    expect(rig.cluster.bodies('POST')).toEqual([]);
    expect(rig.lock).toMatch(/other$/);
  });

  it('is rejected when the lock came too late, and unlocks', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(patchNode, { kind: 'answer', status: 429, retryAfterSeconds: 2 });
    const limits = { budgetMs: 2000, signal: new AbortController().signal };
    expect(rejection(await bind(rig, pod, limits))).toMatch('HTTP 429');
    expect(rig.cluster.bodies('POST')).toEqual([]);
    expect(rig.lock).toBeUndefined();
  });

  it('is rejected when the caller goes while the node is being locked, and unlocks', async () => {
    const { rig, pod } = await pendingPod();
    const caller = new AbortController();
    const release = Promise.withResolvers<undefined>();
    rig.cluster.fail(patchNode, { kind: 'held', until: release.promise });
    const binding = rig.writer.bind(commandOf(rig, pod), caller.signal);
    await rig.cluster.arrived(1);
    caller.abort();
    release.resolve(undefined);
    expect(rejection(await rig.cluster.drive(binding))).toMatch('the caller has gone');
    expect(rig.cluster.journal).toEqual([patchNode, patchNode]);
    expect(rig.lock).toBeUndefined();
  });

  it('is rejected when time runs out while the node is being locked, and unlocks', async () => {
    const { rig, pod } = await pendingPod();
    const release = Promise.withResolvers<undefined>();
    rig.cluster.fail(patchNode, { kind: 'held', until: release.promise });
    const binding = rig.writer.bind(commandOf(rig, pod, { budgetMs: 1000 }), new AbortController().signal);
    await rig.cluster.arrived(1);
    rig.clock.advance(1001);
    release.resolve(undefined);
    expect(rejection(await rig.cluster.drive(binding))).toMatch('no time left');
    expect(rig.cluster.bodies('POST')).toEqual([]);
    expect(rig.lock).toBeUndefined();
  });

  it('goes on when the caller goes after the Binding was sent', async () => {
    const { rig, pod } = await pendingPod();
    const caller = new AbortController();
    const release = Promise.withResolvers<undefined>();
    rig.cluster.fail(postBinding, { kind: 'held', until: release.promise });
    const binding = rig.writer.bind(commandOf(rig, pod), caller.signal);
    await rig.cluster.arrived(2);
    caller.abort();
    release.resolve(undefined);
    expect(await rig.cluster.drive(binding)).toEqual({ kind: 'bound' });
  });
});

describe('a Binding that the server refuses', () => {
  it('is made again for the pod’s new version when nothing that counts has changed', async () => {
    const { rig, pod } = await pendingPod();
    const now = rig.cluster.model.change(path, { metadata: { labels: { more: 'yes' } } });
    expect(await bind(rig, pod)).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, postBinding, getPod, postBinding]);
    const versions = rig.cluster.bodies('POST').map((body) => (body as { metadata: object }).metadata);
    expect(versions).toMatchObject([
      { resourceVersion: pod.resourceVersion },
      { resourceVersion: now.metadata.resourceVersion },
    ]);
    expect(rig.stored(pod).labels).toMatchObject({ more: 'yes', 'hami.io/vgpu-node': 'n1' });
  });

  it.each([
    { name: 'changed', patch: { 'nvidia.com/use-gputype': 'A100' } },
    { name: 'removed', patch: { kept: null } },
    { name: 'written as a fence, which took the lock away', patch: { 'tessera.io/bind-fence': 'x' } },
  ])('ends the bind when an annotation was $name', async ({ patch }) => {
    const { rig, pod } = await pendingPod({ annotations: { kept: 'yes' } });
    rig.cluster.model.change(path, { metadata: { annotations: patch } });
    expect(rejection(await bind(rig, pod))).toMatch('the pod changed while it was being bound');
    expect(rig.cluster.journal).toEqual([patchNode, postBinding, getPod, patchNode]);
    expect(nodeNameOf(rig)).toBeUndefined();
    expect(rig.lock).toBeUndefined();
  });

  it.each<{ name: string; happens: (rig: BindRig) => void; wantMessage: string }>([
    {
      name: 'is being deleted',
      happens: ({ cluster }) =>
        cluster.model.change(path, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      wantMessage: 'the pod changed while it was being bound',
    },
    {
      name: 'is bound to another node',
      happens: ({ cluster }) => cluster.model.change(path, { spec: { nodeName: 'n2' } }),
      wantMessage: 'the pod is bound already',
    },
    {
      name: 'has come back with another UID',
      happens: (rig) => {
        rig.cluster.model.remove(path);
        rig.addPod({ uid: 'another' });
      },
      wantMessage: 'the pod is gone',
    },
    {
      name: 'is gone',
      happens: ({ cluster }) => {
        cluster.model.remove(path);
      },
      wantMessage: 'HTTP 404',
    },
  ])('ends the bind and the lock when the pod $name', async ({ happens, wantMessage }) => {
    const { rig, pod } = await pendingPod();
    happens(rig);
    expect(rejection(await bind(rig, pod))).toMatch(wantMessage);
    expect(rig.cluster.bodies('POST')).toHaveLength(1);
    expect(rig.lock).toBeUndefined();
  });

  it('ends the bind and leaves the lock when somebody has bound the pod to this very node', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.model.change(path, { spec: { nodeName: 'n1' } });
    expect(rejection(await bind(rig, pod))).toMatch('the pod is bound already');
    expect(rig.lock).toMatch(/pod-1$/);
  });

  it.each([400, 403, 404, 422])('ends the bind and the lock: HTTP %d', async (status) => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, { kind: 'answer', status });
    expect(rejection(await bind(rig, pod))).toMatch(`binding default/pod-1: HTTP ${status}`);
    expect(rig.cluster.journal).toEqual([patchNode, postBinding, patchNode]);
    expect(rig.lock).toBeUndefined();
  });

  it('ends the bind when the conflict is not about the version', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, { kind: 'answer', status: 409 });
    expect(rejection(await bind(rig, pod))).toMatch('HTTP 409');
    expect(rig.cluster.bodies('POST')).toHaveLength(1);
    expect(rig.lock).toBeUndefined();
  });

  it('is given up for after a few attempts when the pod keeps changing', async () => {
    const { rig, pod } = await pendingPod();
    let changes = 0;
    rig.cluster.faultOf = ({ method }) => {
      if (method !== 'POST') return undefined;
      changes += 1;
      rig.cluster.model.change(path, { metadata: { labels: { change: String(changes) } } });
      return undefined;
    };
    expect(rejection(await bind(rig, pod))).toMatch('no Binding after 4 attempts');
    expect(rig.lock).toBeUndefined();
  });
});

describe('a server that has no time', () => {
  it.each([
    { name: 'as long as it asks', retryAfterSeconds: 3, wantWaitMs: 3000 },
    { name: 'a second when it does not say', retryAfterSeconds: undefined, wantWaitMs: 1000 },
  ])('is left alone $name', async ({ retryAfterSeconds, wantWaitMs }) => {
    const { rig, pod } = await pendingPod();
    const startMs = rig.clock.nowMs();
    const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    rig.cluster.fail(postBinding, { kind: 'answer', status: 429, ...retry });
    expect(await bind(rig, pod)).toEqual({ kind: 'bound' });
    expect(rig.clock.nowMs() - startMs).toBe(wantWaitMs);
    expect(rig.cluster.journal).toEqual([patchNode, postBinding, postBinding]);
  });

  it('does not hold the node when it asks for longer than there is', async () => {
    const { rig, pod } = await pendingPod();
    const startMs = rig.clock.nowMs();
    rig.cluster.fail(postBinding, { kind: 'answer', status: 429, retryAfterSeconds: 3600 });
    expect(rejection(await bind(rig, pod))).toMatch('HTTP 429');
    expect(rig.clock.nowMs()).toBe(startMs);
    expect(rig.lock).toBeUndefined();
  });
});

interface NamedFault {
  readonly name: string;
  readonly fault: Fault;
}

const committed: readonly NamedFault[] = [
  { name: 'a time-out', fault: { kind: 'silentAfterCommit' } },
  { name: 'a broken connection', fault: { kind: 'dropAfterCommit' } },
  { name: 'a gateway’s error', fault: { kind: 'answerAfterCommit', status: 504 } },
  { name: 'an answer that cannot be read', fault: { kind: 'text', text: '{"kind":"Sta' } },
];
const uncommitted: readonly NamedFault[] = [
  { name: 'a time-out', fault: { kind: 'silentBeforeCommit' } },
  { name: 'a broken connection', fault: { kind: 'dropBeforeCommit' } },
  { name: 'an error', fault: { kind: 'answer', status: 500 } },
];

describe('a Binding that was carried out and not acknowledged', () => {
  it.each(committed)('is found by reading the pod: $name', async ({ fault }) => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, fault);
    expect(await bind(rig, pod)).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, postBinding, getPod]);
    expect(rig.lock).toMatch(/pod-1$/);
  });

  it.each(committed)('is found by the fence when the pod cannot be read: $name', async ({ fault }) => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, fault);
    rig.cluster.fail(getPod, { kind: 'answer', status: 500 });
    const outcome = await bind(rig, pod);
    expect(await settle(rig, outcome)).toBe('bound');
    expect(rig.lock).toMatch(/pod-1$/);
  });

  it('is not taken for ours when the allocation is another', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, { kind: 'silentBeforeCommit' });
    const binding = rig.writer.bind(commandOf(rig, pod), new AbortController().signal);
    await rig.cluster.arrived(2);
    rig.cluster.model.change(path, {
      metadata: { annotations: { 'tessera.io/seal': 'v1.forged' } },
      spec: { nodeName: 'n1' },
    });
    expect(rejection(await rig.cluster.drive(binding))).toMatch('the pod is bound already');
    expect(rig.lock).toMatch(/pod-1$/);
  });
});

describe('a Binding of which nobody knows whether it was carried out', () => {
  it.each(uncommitted)('leaves the outcome open and is then fenced off: $name', async ({ fault }) => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, fault);
    const outcome = await bind(rig, pod);
    expect(outcome).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('the outcome is being looked up'),
    });
    expect(await settle(rig, outcome)).toBe('rejected');
    expect(rig.cluster.journal).toEqual([patchNode, postBinding, getPod, patchPod, patchNode]);
    expect(rig.cluster.bodies(patchPod)).toEqual([
      { metadata: { uid: pod.uid, annotations: { 'tessera.io/bind-fence': expect.any(String) } } },
    ]);
    expect(rig.lock).toBeUndefined();
  });

  it('fails when it comes after the fence', async () => {
    const { rig, pod } = await pendingPod();
    const late = Promise.withResolvers<undefined>();
    rig.cluster.fail(postBinding, { kind: 'late', until: late.promise });
    const outcome = await bind(rig, pod);
    expect(await settle(rig, outcome)).toBe('rejected');
    late.resolve(undefined);
    await rig.cluster.idle();
    expect(nodeNameOf(rig)).toBeUndefined();
  });

  it('counts when it comes before the fence', async () => {
    const { rig, pod } = await pendingPod();
    const [late, fence] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    rig.cluster.fail(postBinding, { kind: 'late', until: late.promise });
    rig.cluster.fail(patchPod, { kind: 'held', until: fence.promise });
    const outcome = await bind(rig, pod);
    late.resolve(undefined);
    await rig.cluster.idle();
    fence.resolve(undefined);
    expect(await settle(rig, outcome)).toBe('bound');
    expect(nodeNameOf(rig)).toBe('n1');
    expect(rig.lock).toMatch(/pod-1$/);
  });

  it('stays open for as long as the server is away, and leaves nothing behind in the end', async () => {
    const { rig, pod } = await pendingPod();
    const outcome = await bindWhileDown(rig, pod);
    let settled = false;
    if (outcome.kind !== 'unknown') throw new Error(`outcome is ${outcome.kind}`);
    void outcome.settled.then(() => {
      settled = true;
    });
    const calls = rig.cluster.calls.length;
    await advance(rig, 60_000);
    expect(settled).toBe(false);
    expect(rig.cluster.calls.length - calls).toBeLessThan(40);
    rig.cluster.faultOf = () => undefined;
    expect(await settle(rig, outcome)).toBe('rejected');
    expect(rig.lock).toBeUndefined();
    expect(nodeNameOf(rig)).toBeUndefined();
  });

  it('stays open while the fence meets a conflict that is not about the pod', async () => {
    const { rig, pod } = await pendingPod();
    const late = Promise.withResolvers<undefined>();
    rig.cluster.fail(postBinding, { kind: 'late', until: late.promise });
    rig.cluster.fail(patchPod, { kind: 'answer', status: 409 });
    const outcome = await bind(rig, pod);
    await rig.cluster.idle();
    late.resolve(undefined);
    expect(await settle(rig, outcome)).toBe('bound');
    expect(rig.lock).toMatch(/pod-1$/);
  });

  it('needs no fence that is allowed when the pod changes by itself', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, { kind: 'silentBeforeCommit' });
    rig.cluster.fail(patchPod, { kind: 'answer', status: 403 }, Infinity);
    const outcome = await bind(rig, pod);
    await advance(rig, 2000);
    rig.cluster.model.change(path, { metadata: { labels: { more: 'yes' } } });
    expect(await settle(rig, outcome)).toBe('rejected');
    expect(rig.lock).toBeUndefined();
  });

  it.each<{ name: string; happens: (rig: BindRig) => void }>([
    {
      name: 'is gone',
      happens: ({ cluster }) => {
        cluster.model.remove(path);
      },
    },
    {
      name: 'has come back with another UID',
      happens: (rig) => {
        rig.cluster.model.remove(path);
        rig.addPod({ uid: 'another' });
      },
    },
    {
      name: 'is bound elsewhere',
      happens: ({ cluster }) => cluster.model.change(path, { spec: { nodeName: 'n2' } }),
    },
  ])('is rejected when the pod $name meanwhile', async ({ happens }) => {
    const { rig, pod } = await pendingPod();
    const outcome = await bindWhileDown(rig, pod);
    happens(rig);
    rig.cluster.faultOf = () => undefined;
    expect(await settle(rig, outcome)).toBe('rejected');
    expect(rig.lock).toBeUndefined();
  });

  it('never meets another pod’s lock: the next bind of the node waits for its end', async () => {
    const { rig, pod } = await pendingPod();
    const next = rig.addPod({ name: 'next' });
    const late = Promise.withResolvers<undefined>();
    rig.cluster.fail(postBinding, { kind: 'late', until: late.promise });
    rig.cluster.fail(patchPod, { kind: 'silentBeforeCommit' });
    expect(await bind(rig, pod)).toMatchObject({ kind: 'unknown' });
    expect(await bind(rig, next)).toEqual({ kind: 'bound' });
    late.resolve(undefined);
    await rig.cluster.idle();
    expect(nodeNameOf(rig)).toBeUndefined();
    expect(rig.lock).toMatch(/next$/);
    expect(rig.stored(next).nodeName).toBe('n1');
  });
});

describe('cleaning up', () => {
  it('asks for no label of a pod that was not bound', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, { kind: 'answer', status: 403 });
    await bind(rig, pod);
    const bound = rig.cluster.model.change(path, { spec: { nodeName: 'n1' } });
    const calls = rig.cluster.calls.length;
    await rig.labels.see(rig.podOf(bound));
    expect(rig.cluster.calls).toHaveLength(calls);
  });

  it('leaves no timer behind', async () => {
    const { rig, pod } = await pendingPod();
    rig.cluster.fail(postBinding, { kind: 'silentBeforeCommit' });
    await settle(rig, await bind(rig, pod));
    expect(rig.clock.pending).toBe(0);
  });
});

/** A bind whose Binding breaks off and after which the server is down. */
async function bindWhileDown(rig: BindRig, pod: PodObject): Promise<BindOutcome> {
  let down = false;
  rig.cluster.faultOf = ({ method }) => {
    down ||= method === 'POST';
    return down ? { kind: 'dropBeforeCommit' } : undefined;
  };
  return bind(rig, pod);
}

/** Lets the clock run, and everything with it. */
async function advance(rig: BindRig, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    rig.clock.advance(250);
    await rig.cluster.idle();
  }
}
