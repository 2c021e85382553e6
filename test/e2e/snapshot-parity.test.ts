import { beforeAll, describe, expect } from '@jest/globals';
import type { ExtenderFilterResult } from '../../src/wire/extender.ts';
import { gpu, machines, on, running, startBusyCluster, waiting } from './harness/busy-cluster.ts';
import type { Cluster } from './harness/cluster.ts';
import { hamiSamples } from './harness/metrics-page.ts';
import { podManifest, type PodManifestFields } from './harness/pods.ts';
import { ask } from './harness/questions.ts';
import { serveSnapshotOf } from './harness/snapshot-server.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

/** Pods that nobody has created: what would become of them? */
const asked: readonly (PodManifestFields & { readonly wantFit: boolean })[] = [
  { name: 'small', containers: [gpu({ gpumem: 1000 })], wantFit: true },
  { name: 'a-whole-card', containers: [gpu({ gpucores: 100 })], wantFit: true },
  { name: 'half', containers: [gpu({ 'gpumem-percentage': 50 })], wantFit: true },
  { name: 'three-cards', containers: [gpu({ gpu: 3, gpumem: 1000 })], wantFit: true },
  { name: 'five-cards', containers: [gpu({ gpu: 5, gpumem: 1000 })], wantFit: false },
  {
    name: 'several',
    initContainers: [gpu({ gpumem: 8000 })],
    containers: [gpu({ gpumem: 2000 }), {}, gpu({ gpu: 2, gpumem: 100 })],
    wantFit: true,
  },
  {
    name: 'mig',
    containers: [gpu({ gpumem: 9000 })],
    annotations: { 'nvidia.com/vgpu-mode': 'mig' },
    wantFit: true,
  },
  {
    name: 'mig-too-many',
    containers: [gpu({ gpu: 3, gpumem: 9000 })],
    annotations: { 'nvidia.com/vgpu-mode': 'mig' },
    wantFit: false,
  },
  {
    name: 'numa',
    containers: [gpu({ gpu: 2, gpumem: 1000 })],
    annotations: { 'nvidia.com/numa-bind': 'true' },
    wantFit: true,
  },
  {
    name: 'linked',
    containers: [gpu({ gpu: 2, gpumem: 1000 })],
    annotations: { 'hami.io/gpu-scheduler-policy': 'topology-aware' },
    wantFit: true,
  },
  {
    name: 'alone',
    containers: [gpu({ gpumem: 1000 })],
    annotations: { 'hami.io/gpu-scheduler-policy': 'mutex' },
    wantFit: true,
  },
  {
    name: 'apart',
    containers: [gpu({ gpumem: 1000 })],
    annotations: { 'hami.io/node-scheduler-policy': 'spread' },
    wantFit: true,
  },
  {
    name: 'weighed',
    containers: [gpu({ gpumem: 1000 })],
    annotations: { 'hami.io/device-scoring-weights': 'slot=0,core=0,memory=1' },
    wantFit: true,
  },
  {
    name: 'by-type',
    containers: [gpu({ gpumem: 1000 })],
    annotations: { 'nvidia.com/use-gputype': 'P4' },
    wantFit: true,
  },
  {
    name: 'cordoned',
    containers: [gpu({ gpumem: 1000 })],
    annotations: on('GPU-ailing-0', 'GPU-ailing-1'),
    wantFit: false,
  },
  { name: 'in-quota', namespace: 'team-a', containers: [gpu({ gpumem: 2000 })], wantFit: true },
  { name: 'beyond-quota', namespace: 'team-a', containers: [gpu({ gpumem: 3000 })], wantFit: false },
  {
    name: 'unclear',
    containers: [{ limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': '16Gi' } }],
    wantFit: false,
  },
  { name: 'nothing', containers: [{}], wantFit: true },
];

let cluster: Cluster;
let tessera: Tessera;

const scenario = useCluster(async (started) => {
  cluster = started;
  ({ tessera } = await startBusyCluster(cluster));
});

describe('a server over the cluster’s snapshot', () => {
  let snapshot: string;
  const names = machines.map(({ name }) => name);

  beforeAll(async () => {
    snapshot = await serveSnapshotOf(cluster, tessera.config);
  });

  async function post(url: string, body: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.status).toBe(200);
    return response.json();
  }

  for (const [index, { wantFit, ...fields }] of asked.entries()) {
    scenario(`gives the same answers for a pod ${fields.name}`, async () => {
      const manifest = podManifest(fields) as { readonly metadata: object };
      // One UID for all: with a new question for it, what the one before has left behind is gone.
      const metadata = { ...manifest.metadata, uid: 'asked', resourceVersion: String(index + 1) };
      const Pod = { ...manifest, metadata, status: { phase: 'Pending' } };
      const answers = await Promise.all(
        [tessera.extenderUrl, snapshot].map(async (url) => {
          const filtered = (await post(`${url}/filter`, {
            Pod,
            Nodes: null,
            NodeNames: names,
          })) as ExtenderFilterResult;
          const { NodeNames } = filtered;
          return { filtered, scores: await post(`${url}/prioritize`, { Pod, Nodes: null, NodeNames }) };
        }),
      );
      const [real, imagined] = answers;
      expect(imagined).toEqual(real);
      expect({ error: real?.filtered.Error, fits: (real?.filtered.NodeNames ?? []).length > 0 }).toEqual({
        error: '',
        fits: wantFit,
      });
    });
  }

  scenario('gives the same answer where nodes are sent as objects', async () => {
    const { items } = JSON.parse(await cluster.kubectl(['get', 'nodes', '-o', 'json'])) as {
      items: object[];
    };
    const pod = podManifest({ name: 'template', containers: [gpu({ gpumem: 1000 })] });
    const [real, imagined] = await Promise.all(
      [tessera.extenderUrl, snapshot].map((url) =>
        post(`${url}/filter`, { Pod: pod, Nodes: { items }, NodeNames: null }),
      ),
    );
    expect(imagined).toEqual(real);
    const fitting = (real as ExtenderFilterResult).Nodes?.items as { metadata: { name: string } }[];
    expect(fitting.map(({ metadata }) => metadata.name)).toEqual([
      'ailing',
      'cut',
      'linked',
      'old',
      'shared',
    ]);
  });

  scenario('explains what waits, and what runs, alike', async () => {
    for (const { name, namespace = 'default' } of [...waiting, ...running]) {
      const path = `/explain/${namespace}/${name}`;
      const imagined: unknown = await (await fetch(`${snapshot}${path}`)).json();
      expect(imagined).toEqual(await ask(cluster, tessera, path));
    }
  });

  scenario('shows the same of HAMi’s metrics', async () => {
    const own = hamiSamples(await (await fetch(`${snapshot}/metrics`)).text());
    expect(own).toEqual(hamiSamples(await tessera.metricsPage()));
  });
});
