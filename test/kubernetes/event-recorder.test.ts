import { describe, expect, it } from '@jest/globals';
import { EventRecorder } from '../../src/kubernetes/event-recorder.ts';
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
    expect(failures).toEqual([
      'event FilteringFailed of pod uid-1001 dropped: 1000 are waiting',
      'event FilteringFailed of pod uid-1002 dropped: 1000 are waiting',
    ]);
    held.resolve(undefined);
    while (cluster.calls.length < 1001) await cluster.idle();
    recorder.emit(event(1002));
    await cluster.drive(recorder.flush());
    const told = cluster.model.under('/api/v1/namespaces/team-a/events/');
    expect(told).toHaveLength(1002);
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
