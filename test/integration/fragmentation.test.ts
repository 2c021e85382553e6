/**
 * The policy `fragmentation` on the embedded cluster: pods that share cards fill one before the next is begun, and a
 * server that takes the place of another goes on with what that one learnt.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { EmbeddedCluster } from './embedded-cluster.ts';
import { podManifest, type PodState } from './scenarios/pods.ts';
import { machine } from './scenarios/scenario.ts';
import { ScenarioCluster } from './scenarios/scenario-cluster.ts';

jest.setTimeout(60_000);

const machines = [machine('n1', 2), machine('n2', 2), machine('n3', 2)];
const quarter = { count: 1, memoryMiB: 20_480, cores: 25 };
const workloadPath = '/api/v1/namespaces/tessera-system/configmaps/tessera-workload';

async function onCluster(
  settings: Readonly<Record<string, unknown>>,
  play: (parts: { embedded: EmbeddedCluster; cluster: ScenarioCluster }) => Promise<void>,
): Promise<void> {
  const embedded = await EmbeddedCluster.start(machines, { settings });
  const cluster = await ScenarioCluster.follow(embedded.client);
  try {
    await play({ embedded, cluster });
    await cluster.clear();
    expect(embedded.agent.book.faults).toEqual([]);
  } finally {
    await cluster.stop();
    await embedded.stop();
  }
}

/** The node and the card that each pod was given, one pod after the other. */
async function placed(cluster: ScenarioCluster, ...names: readonly string[]): Promise<readonly string[]> {
  const places: string[] = [];
  for (const name of names) {
    await cluster.create(podManifest(name, { containers: [quarter] }));
    places.push(placeOf(await cluster.running(name)));
  }
  return places;
}

function placeOf({ spec, metadata }: PodState): string {
  const [card = ''] = (metadata.annotations?.['hami.io/vgpu-devices-allocated'] ?? '').split(',');
  return `${spec.nodeName ?? ''}/${card}`;
}

/** How many pods the ConfigMap knows of, those of long ago counting less; undefined where there is none. */
async function podsKept({ client }: EmbeddedCluster): Promise<number | undefined> {
  const answer = await client.request({ method: 'GET', path: workloadPath, timeoutMs: 10_000 });
  if (answer.kind !== 'ok') return undefined;
  const { data } = answer.body as { readonly data: { readonly 'mix.json': string } };
  const { classes } = JSON.parse(data['mix.json']) as { readonly classes: readonly { weight: number }[] };
  return classes.reduce((sum, { weight }) => sum + weight, 0);
}

describe('a cluster with the policy `fragmentation`', () => {
  it('fills one card before the next, and remembers what came when the server is another', async () => {
    await onCluster({ nodePolicy: 'fragmentation' }, async ({ embedded, cluster }) => {
      const [first, ...others] = await placed(cluster, 'a', 'b', 'c');
      expect(others).toEqual([first, first]);
      await cluster.delete('c');
      expect(await podsKept(embedded)).toBeUndefined();
      await embedded.restartServer('stopped');
      expect(await podsKept(embedded)).toBeCloseTo(3, 1);
      expect(await placed(cluster, 'd', 'e')).toEqual([first, first]);
      const [elsewhere] = await placed(cluster, 'f');
      expect(elsewhere).not.toBe(first);
      await embedded.restartServer('stopped');
      expect(await podsKept(embedded)).toBeCloseTo(6, 1);
      expect((await embedded.metrics()).get('tessera_fragmentation_ratio{vendor="NVIDIA"}')).toBeLessThan(1);
    });
  });

  it('goes on after its server was killed', async () => {
    await onCluster({ nodePolicy: 'fragmentation' }, async ({ embedded, cluster }) => {
      const [first] = await placed(cluster, 'a');
      await embedded.restartServer();
      expect(await podsKept(embedded)).toBeUndefined();
      expect(await placed(cluster, 'b')).toEqual([first]);
    });
  });
});

describe('a cluster with another policy', () => {
  it('places by it the pods that ask for it, and keeps nothing', async () => {
    await onCluster({ nodePolicy: 'spread' }, async ({ embedded, cluster }) => {
      const [first] = await placed(cluster, 'a');
      const annotations = { 'hami.io/node-scheduler-policy': 'fragmentation' };
      await cluster.create(podManifest('b', { containers: [quarter], annotations }));
      expect(placeOf(await cluster.running('b'))).toBe(first);
      const [spread] = await placed(cluster, 'c');
      expect(spread?.split('/')[0]).not.toBe(first?.split('/')[0]);
      await embedded.restartServer('stopped');
      expect(await podsKept(embedded)).toBeUndefined();
    });
  });
});
