/** The people of the demo: how often they come, when they hold back, what they take away, and what they leave alone. */
import { describe, expect, it } from '@jest/globals';
import type { BoardPod } from '../../../src/commands/demo/pod-board.ts';
import { PodStream } from '../../../src/commands/demo/pod-stream.ts';
import { streamLabel } from '../../../src/emulator/demo-cluster-pods.ts';
import type { RestRequest } from '../../../src/kubernetes/rest-client.ts';
import { makeLogger } from '../../../src/telemetry/logger.ts';
import { parsePod } from '../../../src/wire/kubernetes.ts';
import { makePod, type PodFields } from '../../support/kubernetes-objects.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function makeStream({ podsPerSecond = 2, opening = 0 } = {}) {
  const clock = new ManualClock();
  const requests: RestRequest[] = [];
  const board = { pods: [] as BoardPod[], counts: { running: 0, waiting: 0, finished: 0, failed: 0 } };
  const manifests = (function* () {
    for (let number = 1; ; number += 1) yield { metadata: { name: `p${number}` } };
  })();
  const stream = new PodStream({
    client: {
      request: (request) => {
        requests.push(request);
        return Promise.resolve({ kind: 'ok', status: 200, body: {} });
      },
    },
    board,
    manifests: manifests as Iterator<object, never>,
    namespace: 'default',
    podsPerSecond,
    opening,
    clock,
    log: makeLogger({ level: 'silent' }),
  });
  const sent = (method: string) => requests.filter((request) => request.method === method);
  return { clock, board, stream, requests, sent };
}

function entry(fields: PodFields, times: { sinceMs: number; endedMs?: number }): BoardPod {
  const pod = parsePod(makePod({ labels: { [streamLabel]: 'true' }, ...fields }));
  if (!pod.ok) throw new Error(pod.problem);
  return { pod: pod.value, asks: '', cards: '', reason: '', ...times };
}

describe('PodStream', () => {
  it('opens with some pods, then creates them at its pace, each with its own manifest', () => {
    const { clock, stream, sent } = makeStream({ opening: 3 });
    stream.start();
    expect(sent('POST')).toHaveLength(3);
    clock.advance(5000);
    expect(sent('POST').map(({ path, body }) => [path, body])).toEqual(
      Array.from({ length: 13 }, (_, index) => [
        '/api/v1/namespaces/default/pods',
        { metadata: { name: `p${index + 1}` } },
      ]),
    );
  });

  it('creates nothing at no pace', () => {
    const { clock, stream, sent } = makeStream({ podsPerSecond: 0, opening: 3 });
    stream.start();
    clock.advance(60_000);
    expect(sent('POST')).toEqual([]);
  });

  it('holds back while many wait, and goes on when they have gone', () => {
    const { clock, board, stream, sent } = makeStream();
    stream.start();
    board.counts = { ...board.counts, waiting: 16 };
    clock.advance(3000);
    expect(sent('POST')).toEqual([]);
    board.counts = { ...board.counts, waiting: 15 };
    clock.advance(500);
    expect(sent('POST')).toHaveLength(1);
  });

  const cases: readonly {
    readonly name: string;
    readonly pod: (nowMs: number) => BoardPod;
    readonly want: boolean;
  }[] = [
    {
      name: 'one that ended a while ago: taken away',
      pod: (now) => entry({}, { sinceMs: 0, endedMs: now - 21_000 }),
      want: true,
    },
    {
      name: 'one that has just ended: left to be seen',
      pod: (now) => entry({}, { sinceMs: 0, endedMs: now - 5000 }),
      want: false,
    },
    {
      name: 'one that waits in vain: given up',
      pod: (now) => entry({}, { sinceMs: now - 61_000 }),
      want: true,
    },
    { name: 'one that waits: waited for', pod: (now) => entry({}, { sinceMs: now - 30_000 }), want: false },
    {
      name: 'one that runs, however long: left alone',
      pod: () => entry({ nodeName: 'n1' }, { sinceMs: 0 }),
      want: false,
    },
    {
      name: "somebody else's: left alone",
      pod: () => entry({ labels: {} }, { sinceMs: 0, endedMs: 0 }),
      want: false,
    },
  ];
  it.each(cases)('$name', async ({ pod, want }) => {
    const { clock, board, stream, requests } = makeStream({ podsPerSecond: 0 });
    board.pods.push(pod(clock.nowMs()));
    stream.start();
    clock.advance(1000);
    await stream.stop();
    const wanted = [
      { path: '/api/v1/namespaces/default/pods/pod-1', body: { preconditions: { uid: 'uid-pod-1' } } },
      {
        path: '/api/v1/namespaces/default/events',
        query: { fieldSelector: 'involvedObject.uid=uid-pod-1' },
      },
    ];
    expect(requests).toMatchObject(want ? wanted : []);
    expect(requests).toHaveLength(want ? 2 : 0);
  });

  it('does nothing once it is stopped', async () => {
    const { clock, stream, requests } = makeStream();
    stream.start();
    await stream.stop();
    clock.advance(60_000);
    expect(requests).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
