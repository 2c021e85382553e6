import { describe, expect, it } from '@jest/globals';
import { EventRecorder, type ObjectEvent } from '../../src/kubernetes/event-recorder.ts';
import type { PodEvent } from '../../src/scheduler/pod-events.ts';
import { type TestCluster, testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const post = 'POST /api/v1/namespaces/team-a/events';

function makeEvent({
  pod = {},
  ...fields
}: Partial<Omit<PodEvent, 'pod'>> & { pod?: Partial<PodEvent['pod']> } = {}): PodEvent {
  return {
    pod: { namespace: 'team-a', name: 'train-0', uid: 'uid-1', ...pod },
    type: 'Warning',
    reason: 'FilteringFailed',
    message: 'no available node',
    ...fields,
  };
}

function recorderOn(cluster: TestCluster) {
  const failures: string[] = [];
  let count = 0;
  const recorder = new EventRecorder({
    client: cluster.client,
    clock: cluster.clock,
    component: 'tessera-scheduler',
    uniqueName: () => {
      count += 1;
      return `name-${count}`;
    },
    onFailure: (message) => failures.push(message),
  });
  return { recorder, failures };
}

const makeNodeEvent = (fields: Partial<ObjectEvent> = {}): ObjectEvent => ({
  object: { kind: 'Node', name: 'n1', uid: 'n1' },
  type: 'Warning',
  reason: 'DeviceRegisterMalformed',
  message: 'not JSON',
  topic: 'NVIDIA',
  ...fields,
});

/** Emits, waits and answers what was written. */
async function written(events: readonly PodEvent[]) {
  const cluster = await startCluster();
  const { recorder, failures } = recorderOn(cluster);
  for (const event of events) recorder.emit(event);
  await cluster.drive(recorder.flush());
  const stored = cluster.model.under('/api/v1/namespaces/team-a/events/');
  return { cluster, failures, stored, messages: stored.map((event) => event['message']) };
}

describe('recording events', () => {
  it('writes one Event about the pod, as `kubectl describe` looks for it', async () => {
    const { cluster } = await written([makeEvent()]);
    expect(cluster.journal).toEqual([post]);
    expect(cluster.bodies('POST')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'train-0.name-1', namespace: 'team-a' },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'team-a', name: 'train-0', uid: 'uid-1' },
        type: 'Warning',
        reason: 'FilteringFailed',
        message: 'no available node',
        source: { component: 'tessera-scheduler' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        count: 1,
      },
    ]);
  });

  it('says the same of a pod once until it says something else', async () => {
    const other = makeEvent({ message: 'other' });
    const { messages } = await written([makeEvent(), makeEvent(), other, other, makeEvent()]);
    expect(messages).toEqual(['no available node', 'other', 'no available node']);
  });

  it('says the same of two pods twice, and one message for two reasons twice', async () => {
    const { messages } = await written([
      makeEvent(),
      makeEvent({ pod: { uid: 'uid-2', name: 'train-1' } }),
      makeEvent({ reason: 'BindingFailed' }),
    ]);
    expect(messages).toHaveLength(3);
  });

  it('tells no news by other numbers and names alone', async () => {
    const cause = 'CardInsufficientMemory';
    const { messages } = await written([
      makeEvent({ cause, message: '1 nodes 1/2 CardInsufficientMemory(a)' }),
      makeEvent({ cause, message: '1 nodes 2/2 CardInsufficientMemory(b)' }),
      makeEvent({ cause: 'CardCordoned', message: '1 nodes 2/2 CardCordoned(b)' }),
    ]);
    expect(messages).toEqual(['1 nodes 1/2 CardInsufficientMemory(a)', '1 nodes 2/2 CardCordoned(b)']);
  });

  it('tells of what keeps changing 25 times, then once in five minutes', async () => {
    const cluster = await startCluster();
    const { recorder } = recorderOn(cluster);
    const flap = (times: number) => {
      for (let time = 0; time < times; time += 1) recorder.emit(makeEvent({ message: `${time % 2}` }));
    };
    const countAfter = async (ms: number) => {
      cluster.clock.advance(ms);
      flap(10);
      await cluster.drive(recorder.flush());
      return cluster.calls.length;
    };
    flap(100);
    expect(await countAfter(0)).toBe(25);
    expect(await countAfter(299_000)).toBe(25);
    expect(await countAfter(1000)).toBe(26);
    expect(await countAfter(600_000)).toBe(28);
  });

  it('tells of a bind however often the pod was refused before', async () => {
    const refusals = Array.from({ length: 60 }, (_, time) => makeEvent({ message: `${time}` }));
    const bound = makeEvent({ type: 'Normal', reason: 'BindingSucceed', message: 'bound' });
    const { messages } = await written([...refusals, bound]);
    expect(messages).toHaveLength(26);
    expect(messages.at(-1)).toBe('bound');
  });

  it('writes one at a time, in order', async () => {
    const cluster = await startCluster();
    const { recorder } = recorderOn(cluster);
    const held = Promise.withResolvers<undefined>();
    cluster.fail(post, { kind: 'held', until: held.promise });
    for (const message of ['a', 'b', 'c']) recorder.emit(makeEvent({ message }));
    await cluster.idle();
    expect(cluster.calls).toHaveLength(1);
    held.resolve(undefined);
    await cluster.drive(recorder.flush());
    expect(cluster.bodies('POST')).toMatchObject([{ message: 'a' }, { message: 'b' }, { message: 'c' }]);
  });

  it('begins again after it was done', async () => {
    const cluster = await startCluster();
    const { recorder } = recorderOn(cluster);
    for (const message of ['a', 'b']) {
      recorder.emit(makeEvent({ message }));
      await cluster.drive(recorder.flush());
    }
    expect(cluster.calls).toHaveLength(2);
    expect(cluster.clock.pending).toBe(0);
  });

  it.each([
    { name: 'a message of exactly 1024 bytes', message: 'x'.repeat(1024), wantBytes: 1024, wantEnd: 'xxx' },
    { name: 'a long message', message: 'x'.repeat(1025), wantBytes: 1024, wantEnd: 'x…' },
    { name: 'a long message of wide characters', message: '卡'.repeat(400), wantBytes: 1023, wantEnd: '卡…' },
    { name: 'a long message of the widest', message: '🂡'.repeat(300), wantBytes: 1023, wantEnd: '🂡…' },
  ])('keeps whole characters within the bound: $name', async ({ message, wantBytes, wantEnd }) => {
    const { messages } = await written([makeEvent({ message })]);
    const text = String(messages[0]);
    expect(Buffer.byteLength(text)).toBe(wantBytes);
    expect(text.endsWith(wantEnd)).toBe(true);
    expect(text).not.toContain('\u{FFFD}');
  });

  it.each([
    { name: 'as long as can be', pod: 'p'.repeat(253) },
    { name: 'cut at a dash', pod: `${'p'.repeat(245)}-${'q'.repeat(7)}` },
    { name: 'cut at a dot', pod: `${'p'.repeat(245)}.${'q'.repeat(7)}` },
  ])('makes a name that the server takes for a pod whose name is $name', async ({ pod }) => {
    const { stored, failures } = await written([makeEvent({ pod: { name: pod } })]);
    expect(failures).toEqual([]);
    expect(stored).toHaveLength(1);
    expect(stored[0]?.['involvedObject']).toMatchObject({ name: pod });
  });
});

describe('recording events about other objects', () => {
  async function told(...events: readonly ObjectEvent[]) {
    const cluster = await startCluster();
    const { recorder, failures } = recorderOn(cluster);
    for (const event of events) recorder.report(event);
    await cluster.drive(recorder.flush());
    expect(failures).toEqual([]);
    return cluster;
  }

  it('puts those of a node into the namespace `default`, as kubelet does', async () => {
    const cluster = await told(makeNodeEvent());
    expect(cluster.journal).toEqual(['POST /api/v1/namespaces/default/events']);
    expect(cluster.bodies('POST')).toMatchObject([
      {
        metadata: { name: 'n1.name-1', namespace: 'default' },
        involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n1' },
        reason: 'DeviceRegisterMalformed',
        message: 'not JSON',
      },
    ]);
    expect(cluster.bodies('POST')).not.toHaveProperty('0.involvedObject.namespace');
  });

  it('puts those of a quota into its namespace', async () => {
    const object = { kind: 'ResourceQuota', namespace: 'team-b', name: 'gpus' } as const;
    const cluster = await told(makeNodeEvent({ object, topic: 'limits.nvidia.com/gpumem' }));
    expect(cluster.journal).toEqual(['POST /api/v1/namespaces/team-b/events']);
    expect(cluster.bodies('POST')).toMatchObject([{ involvedObject: { apiVersion: 'v1', ...object } }]);
  });

  it.each([
    { name: 'the same value of the same node once', second: {}, want: 1 },
    { name: 'another value that reads no better', second: { cause: 'other' }, want: 2 },
    { name: 'the same of another node', second: { object: { kind: 'Node', name: 'n2' } as const }, want: 2 },
    { name: 'the same of another topic', second: { topic: 'other' }, want: 2 },
  ])('tells $name', async ({ second, want }) => {
    const first = makeNodeEvent();
    const cluster = await told(first, { ...first, ...second }, first, { ...first, ...second });
    const changes = second.cause === undefined ? want : 2 * want;
    expect(cluster.calls).toHaveLength(changes);
  });

  it('does not take what is said of a pod’s annotations for a decision about it', async () => {
    const cluster = await startCluster();
    const { recorder } = recorderOn(cluster);
    const object = { kind: 'Pod', namespace: 'team-a', name: 'train-0', uid: 'uid-1' } as const;
    const problem = makeNodeEvent({ object, topic: 'hami.io/vgpu-devices-allocated' });
    for (let time = 0; time < 3; time += 1) {
      recorder.emit(makeEvent());
      recorder.report(problem);
    }
    await cluster.drive(recorder.flush());
    expect(cluster.bodies('POST')).toMatchObject([
      { reason: 'FilteringFailed' },
      { reason: 'DeviceRegisterMalformed' },
    ]);
  });
});

describe('events that cannot be written', () => {
  it('are reported with the server’s word, and do not hold up the next one', async () => {
    const cluster = await startCluster();
    const { recorder, failures } = recorderOn(cluster);
    cluster.fail(post, { kind: 'answer', status: 403 });
    cluster.fail(post, { kind: 'silentBeforeCommit' });
    for (const message of ['a', 'b', 'c']) recorder.emit(makeEvent({ message }));
    await cluster.idle();
    await cluster.drive(recorder.flush());
    expect(failures).toEqual([
      'event FilteringFailed of pod uid-1: HTTP 403 Fault: asked for by the test',
      expect.stringContaining('no answer within 4000 ms'),
    ]);
    expect(cluster.model.under('/api/v1/namespaces/team-a/events/')).toMatchObject([{ message: 'c' }]);
  });

  it('are dropped and reported once a thousand wait, and can be told later', async () => {
    const cluster = await startCluster();
    const { recorder, failures } = recorderOn(cluster);
    const held = Promise.withResolvers<undefined>();
    cluster.fail(post, { kind: 'held', until: held.promise });
    const event = (place: number) => makeEvent({ pod: { uid: `uid-${place}` } });
    for (let place = 0; place < 1003; place += 1) recorder.emit(event(place));
    // Whoever makes many events makes no more of our log.
    expect(failures).toEqual(['event FilteringFailed of pod uid-1000 dropped: 1000 are waiting']);
    held.resolve(undefined);
    while (cluster.calls.length < 1000) await cluster.idle();
    await cluster.drive(recorder.flush());
    expect(failures.slice(1)).toEqual(['3 events dropped until all others were written']);
    recorder.emit(event(1002));
    await cluster.drive(recorder.flush());
    const told = cluster.model.under('/api/v1/namespaces/team-a/events/');
    expect(told).toHaveLength(1001);
    expect(told.at(-1)?.['involvedObject']).toMatchObject({ uid: 'uid-1002' });
  });

  it('do not keep the process from ending', async () => {
    const cluster = await startCluster();
    const { recorder, failures } = recorderOn(cluster);
    cluster.fail(post, { kind: 'silentBeforeCommit' }, Infinity);
    for (let place = 0; place < 100; place += 1) recorder.emit(makeEvent({ pod: { uid: `uid-${place}` } }));
    const startMs = cluster.clock.nowMs();
    await cluster.drive(recorder.flush());
    expect(cluster.clock.nowMs() - startMs).toBe(5000);
    expect(failures).toContain('98 events dropped: the process is ending');
    expect(cluster.calls).toHaveLength(2);
    expect(cluster.clock.pending).toBe(0);
  });
});
