import { afterEach, describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import { History } from './harness/history.ts';
import { startSharing } from './harness/installation.ts';
import { findHalfBound, findOverCommits } from './harness/judgements.ts';
import { findLockBreaks } from './harness/lock-judgement.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, listPods, podManifest, untilAllIn } from './harness/pods.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

const machines = Array.from({ length: 10 }, (_, index) => makeMachine(`gpu-${index}`, 4));
const memoriesMiB = [1000, 2000, 3000, 4000];

let agent: NodeAgent;
let tessera: Tessera;
let history: History;
let cluster: Cluster;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, machines);
  tessera = await startSharing(cluster);
  history = await History.start(cluster);
});

/** Sends so many pods at once that the API server sees them side by side. */
async function createAtOnce(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => createPod(index)));
}

async function createPod(index: number): Promise<void> {
  const limits = {
    'nvidia.com/gpu': 1,
    'nvidia.com/gpumem': memoriesMiB[index % memoriesMiB.length] ?? 0,
    'nvidia.com/gpucores': 5,
  };
  const result = await cluster.api.request({
    method: 'POST',
    path: '/api/v1/namespaces/default/pods',
    body: podManifest({ name: `p${index}`, containers: [{ limits }] }),
    timeoutMs: 30_000,
  });
  expect(result.kind).toBe('ok');
}

/** The node agent saw nothing wrong, nor does anything the API server has stored since the start. */
async function expectNoFault(): Promise<void> {
  const changes = await history.changes();
  expect(agent.book.faults).toEqual([]);
  expect(findOverCommits(changes, machines)).toEqual([]);
  expect(findHalfBound(changes)).toEqual([]);
  expect(findLockBreaks(changes)).toEqual([]);
}

/** Waits until some of the pods run, so that others are under way. */
async function untilInTheMiddle(total: number): Promise<void> {
  const running = await eventually('some pods run', async () => {
    const some = (await listPods(cluster)).filter(({ status }) => status.phase === 'Running').length;
    return some >= 10 ? { done: some } : { not: `${some} run` };
  });
  expect(running).toBeLessThan(total);
}

afterEach(() => clearPods(cluster));

describe('a burst of pods', () => {
  scenario('of 200 at once on 10 nodes runs completely, and no card is ever over-committed', async () => {
    const startMs = performance.now();
    await createAtOnce(200);
    await untilAllIn(cluster, 'Running', { timeoutMs: 90_000 });
    const seconds = (performance.now() - startMs) / 1000;
    console.info(`200 pods ran after ${seconds.toFixed(1)} s: ${(200 / seconds).toFixed(1)} pods/s`);
    await expectNoFault();
    expect(agent.book.records).toHaveLength(200);
  });

  scenario('loses nothing when the server is killed and restarted in the middle', async () => {
    await createAtOnce(60);
    await untilInTheMiddle(60);
    await tessera.end('SIGKILL');
    await tessera.startAgain();
    await untilAllIn(cluster, 'Running', { timeoutMs: 60_000 });
    await expectNoFault();
  });

  scenario('loses nothing when the API server is killed and restarted in the middle', async () => {
    await createAtOnce(60);
    await untilInTheMiddle(60);
    await cluster.killApiServer();
    await cluster.restartApiServer();
    await untilNonePending();
    await replaceRejected();
    await untilAllIn(cluster, 'Running', { timeoutMs: 60_000 });
    await expectNoFault();
  });
});

function untilNonePending(): Promise<true> {
  return eventually(
    'no pod is pending',
    async () => {
      const pending = (await listPods(cluster)).filter(({ status }) => status.phase === 'Pending');
      return pending.length === 0 ? { done: true as const } : { not: `${pending.length} are` };
    },
    60_000,
  );
}

/** A device plugin that cannot reach the API server fails its pod, and the pod's controller makes another. */
async function replaceRejected(): Promise<void> {
  for (const { metadata, status } of await listPods(cluster)) {
    if (status.phase === 'Running') continue;
    expect(status.reason).toBe('UnexpectedAdmissionError');
    await cluster.kubectl(['delete', 'pod', metadata.name]);
    await createPod(Number(metadata.name.slice(1)));
  }
}
