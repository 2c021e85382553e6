/** The board follows pods through the embedded API and tells each turn of their lives once. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type BoardChange, PodBoard } from '../../../src/commands/demo/pod-board.ts';
import { type Emulator, startEmulator } from '../../../src/emulator/api/server.ts';
import { seededRandom } from '../../../src/emulator/demo-cluster-random.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { openAccess } from '../../../src/kubernetes/api-access.ts';
import { RestClient } from '../../../src/kubernetes/rest-client.ts';
import { makeLogger } from '../../../src/telemetry/logger.ts';
import { gpuLimits } from '../../support/kubernetes-objects.ts';
import { makeNvidiaConfig } from '../../vendors/nvidia-config.ts';

const podsPath = '/api/v1/namespaces/default/pods';

let emulator: Emulator;
let client: RestClient;
let board: PodBoard;
let changes: BoardChange[];
let wake: () => void;

beforeEach(async () => {
  emulator = await startEmulator({ clock: systemClock, random: seededRandom(1) });
  client = new RestClient({ access: openAccess(emulator.url), clock: systemClock, version: 'test' });
  changes = [];
  wake = () => undefined;
  board = new PodBoard({
    client,
    config: makeNvidiaConfig(),
    indexOf: (id) => ({ 'GPU-a': 0, 'GPU-b': 1 })[id],
    clock: systemClock,
    random: Math.random,
    log: makeLogger({ level: 'silent' }),
  });
  await board.start((change) => {
    changes.push(change);
    wake();
  });
});

afterEach(async () => {
  await board.stop();
  client.close();
  await emulator.close();
});

async function call(method: 'POST' | 'PATCH' | 'DELETE', path: string, body: object): Promise<void> {
  const request = { path: `${podsPath}${path}`, body, timeoutMs: 5000 };
  const result = await client.request(
    method === 'PATCH'
      ? { ...request, method, contentType: 'application/strategic-merge-patch+json' }
      : { ...request, method },
  );
  if (result.kind !== 'ok') throw new Error(result.message);
}

async function told(count: number): Promise<readonly BoardChange[]> {
  while (changes.length < count) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return changes;
}

const create = (name: string) =>
  call('POST', '', {
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'x', resources: { limits: gpuLimits({ count: 2 }) } }] },
  });
const refuse = (name: string, message: string) =>
  call('PATCH', `/${name}/status`, {
    status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] },
  });
const bind = (name: string) =>
  call('POST', `/${name}/binding`, {
    metadata: {
      name,
      annotations: { 'hami.io/vgpu-devices-allocated': 'GPU-b,NVIDIA,1,100:GPU-a,NVIDIA,1,100:;' },
    },
    target: { kind: 'Node', name: 'n1' },
  });
const end = (name: string, status: object) => call('PATCH', `/${name}/status`, { status });

it('tells that a pod waits and why, where it went, and that it is over', async () => {
  await create('p');
  await refuse('p', 'no room');
  await refuse('p', 'still no room');
  await bind('p');
  await end('p', { phase: 'Running' });
  await end('p', { phase: 'Succeeded' });
  await create('q');
  await refuse('q', 'no room');
  const seen = await told(5);
  expect(
    seen.map(({ change, entry: { pod, asks, cards, reason } }) => [pod.name, change, asks, cards, reason]),
  ).toEqual([
    ['p', 'waits', '2 whole cards', '', 'no room'],
    ['p', 'waits', '2 whole cards', '', 'still no room'],
    ['p', 'placed', '2 whole cards', 'cards 0, 1', ''],
    ['p', 'finished', '2 whole cards', 'cards 0, 1', ''],
    ['q', 'waits', '2 whole cards', '', 'no room'],
  ]);
  expect(board.counts).toEqual({ running: 0, waiting: 1, finished: 1, failed: 0 });
  expect(board.waiting.map(({ pod }) => pod.name)).toEqual(['q']);
});

it('tells a failure from an end, and a deletion from both', async () => {
  for (const name of ['broken', 'deleted']) {
    await create(name);
    await bind(name);
  }
  await create('unplaced');
  await end('broken', { phase: 'Failed', message: 'device number not matched' });
  await call('DELETE', '/unplaced', {});
  await call('DELETE', '/deleted', { gracePeriodSeconds: 30 });
  await end('deleted', { phase: 'Failed' });
  const seen = await told(5);
  expect(seen.slice(2).map(({ change, entry: { pod, reason } }) => [pod.name, change, reason])).toEqual([
    ['broken', 'failed', 'device number not matched'],
    ['unplaced', 'removed', ''],
    ['deleted', 'removed', ''],
  ]);
  expect(board.counts).toMatchObject({ finished: 0, failed: 1 });
});
