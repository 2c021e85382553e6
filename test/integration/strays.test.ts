/**
 * A pod that is bound past us races a bind on the same node, on the embedded cluster: its device plugin gives the
 * devices of the lock's owner to whichever pod kubelet asks for, as the real one does, and its book tells of it.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { EmbeddedCluster } from './embedded-cluster.ts';
import { isOver, podManifest, refusalOf } from './scenarios/pods.ts';
import { machine } from './scenarios/scenario.ts';
import { ScenarioCluster } from './scenarios/scenario-cluster.ts';

jest.setTimeout(60_000);

const machines = [machine('n1', 4)] as const;
const gpu = { count: 1, memoryMiB: 3000 };
const ours = podManifest('ours', { containers: [gpu] });
const next = podManifest('next', { containers: [gpu] });
/** As another scheduler writes it, or somebody who chooses the node himself: admission leaves it alone. */
const stray = podManifest('stray', {
  containers: [gpu],
  spec: { nodeName: 'n1', schedulerName: 'somebody-else' },
});

async function onCluster(
  play: (parts: { embedded: EmbeddedCluster; cluster: ScenarioCluster }) => Promise<void>,
): Promise<void> {
  const embedded = await EmbeddedCluster.start(machines);
  const cluster = await ScenarioCluster.follow(embedded.client);
  try {
    await play({ embedded, cluster });
    embedded.agent.setBehaviour('n1', 'serve');
    await cluster.clear();
    expect(embedded.agent.book.faults).toEqual([]);
    expect((await embedded.metrics()).get('tessera_nodes_closed')).toBe(0);
  } finally {
    await cluster.stop();
    await embedded.stop();
  }
}

/** Until the server has seen the stray, too. */
async function untilClosed(embedded: EmbeddedCluster): Promise<void> {
  // Ends with the test at the latest.
  while ((await embedded.metrics()).get('tessera_nodes_closed') !== 1);
}

/** What kubelet would report of a pod whose containers it has started. */
async function reportRunning({ client }: EmbeddedCluster, name: string): Promise<void> {
  const running = { name: 'c0', ready: true, restartCount: 0, state: { running: {} } };
  const result = await client.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/default/pods/${name}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { phase: 'Running', containerStatuses: [running] } },
    timeoutMs: 10_000,
  });
  expect(result.kind).toBe('ok');
}

describe('a pod with nodeName', () => {
  it('that is first keeps the node from others, who follow once kubelet has rejected it', async () => {
    await onCluster(async ({ embedded, cluster }) => {
      // The plugin looks for the lock only when it goes on: a lock taken meanwhile would be the stray's.
      embedded.agent.setBehaviour('n1', 'hang');
      await cluster.create(stray);
      await untilClosed(embedded);
      await cluster.create(ours);
      const refused = await cluster.waitForPod('ours', 'is refused', (pod) => refusalOf(pod) !== undefined);
      expect(refusalOf(refused)?.message).toContain('NodeClosed');
      expect(await embedded.explain('ours')).toMatchObject({
        reasons: [{ reason: 'NodeClosed', nodes: 1 }],
        nodes: [{ sentence: expect.stringContaining('default/stray') }],
      });
      embedded.agent.setBehaviour('n1', 'serve');
      const over = await cluster.waitForPod('stray', 'is rejected', isOver);
      expect(over.status?.message).toContain('Allocate failed');
      await cluster.running('ours');
      expect((await embedded.metrics()).get('tessera_strays_total{outcome="settled"}')).toBe(1);
    });
  });

  it('that has started lets those follow who waited for it', async () => {
    await onCluster(async ({ embedded, cluster }) => {
      // Nobody serves the machine's pods for a while.
      embedded.agent.loseNode('n1');
      await cluster.create(stray);
      await untilClosed(embedded);
      await cluster.create(ours);
      await cluster.waitForPod('ours', 'is refused', (pod) => refusalOf(pod) !== undefined);
      await reportRunning(embedded, 'stray');
      await cluster.waitForPod('ours', 'is bound', ({ spec }) => spec.nodeName === 'n1');
      expect((await embedded.metrics()).get('tessera_strays_total{outcome="started"}')).toBe(1);
      await embedded.agent.addNode(machines[0]);
      await cluster.running('ours');
    });
  });

  it('that comes under the lock of another pod is rejected behind it, and the next one follows', async () => {
    await onCluster(async ({ embedded, cluster }) => {
      embedded.agent.setBehaviour('n1', 'hang');
      await cluster.create(ours);
      await cluster.waitForPod('ours', 'is bound', ({ spec }) => spec.nodeName === 'n1');
      await cluster.create(stray);
      await untilClosed(embedded);
      await cluster.create(next);
      await cluster.waitForPod('next', 'is refused', (pod) => refusalOf(pod) !== undefined);
      embedded.agent.setBehaviour('n1', 'serve');
      await cluster.running('ours');
      await cluster.waitForPod('stray', 'is rejected', isOver);
      await cluster.running('next');
    });
  });

  it('that starts under the lock of another pod makes that one suspect', async () => {
    await onCluster(async ({ embedded, cluster }) => {
      embedded.agent.setBehaviour('n1', 'hang');
      await cluster.create(ours);
      await cluster.waitForPod('ours', 'is bound', ({ spec }) => spec.nodeName === 'n1');
      await cluster.create(stray);
      await untilClosed(embedded);
      await cluster.create(next);
      await cluster.waitForPod('next', 'is refused', (pod) => refusalOf(pod) !== undefined);
      await reportRunning(embedded, 'stray');
      await cluster.untilEvent('ours', 'DevicesUncertain', 'default/stray');
      expect((await embedded.metrics()).get('tessera_strays_total{outcome="started_under_lock"}')).toBe(1);
      embedded.agent.setBehaviour('n1', 'serve');
      await cluster.running('next');
    });
  });
});
