/** What a simulation takes from the files that its flags name, and how it refuses what does not fit together. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import {
  readSimulationInputs,
  type SimulationInputOptions,
  type SimulationInputs,
} from '../../src/commands/simulate/inputs.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Mapping } from '../../src/wire/mapping.ts';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';

const directory = mkdtempSync(join(tmpdir(), 'tessera-simulate-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

let files = 0;
function fileOf(text: string, ending = 'yaml'): string {
  files += 1;
  const file = join(directory, `${files}.${ending}`);
  writeFileSync(file, text);
  return file;
}

function configOf(flags: Mapping = {}) {
  const loaded = loadConfig({ environment: {}, flags });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value.config;
}

const config = configOf();

type Wish = Partial<SimulationInputOptions>;

function inputsOf(options: Wish): SimulationInputs {
  const inputs = readSimulationInputs({ config, ...options });
  if (!inputs.ok) throw new Error(inputs.problem);
  return inputs.value;
}

/** The refusal, with files by their last name. */
function refusalOf(options: Wish, seed?: number): string {
  const inputs = readSimulationInputs({ config, ...options });
  const read = inputs.ok && seed !== undefined ? inputs.value.arrivalsOf(seed) : inputs;
  return read.ok ? '' : read.problem.replaceAll(/\/\S*\//g, '');
}

function arrivalsOf(inputs: SimulationInputs, seed = 42) {
  const arrivals = inputs.arrivalsOf(seed);
  if (!arrivals.ok) throw new Error(arrivals.problem);
  return arrivals.value;
}

const excerpt = (file: string) => fileURLToPath(new URL(`../simulator/excerpt/${file}`, import.meta.url));
const trace = { nodes: excerpt('nodes.csv'), pods: excerpt('pods.csv') };

const listOf = (...items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
const half = gpuLimits({ count: 1, memoryMiB: 4096, corePercent: 50 });
const pod = (name: string, more: object = {}) => makePod({ name, containers: [{ limits: half }], ...more });
const cluster = fileOf(
  listOf(
    makeNodeObject({ name: 'n1', devices: [{ id: 'GPU-a' }] }),
    makeNodeObject({ name: 'n2', devices: [{ id: 'GPU-b' }] }),
    pod('bound', {
      nodeName: 'n1',
      phase: 'Running',
      annotations: {
        'hami.io/vgpu-node': 'n1',
        'hami.io/vgpu-devices-allocated': 'GPU-a,NVIDIA,4096,50:;',
      },
    }),
    pod('waiting'),
    pod('over', { phase: 'Succeeded' }),
    pod('leaving', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  ),
  'json',
);

describe('a trace', () => {
  it('gives nodes in the order of its rows, and pods with what they ask for', () => {
    const { views, pods, simulatedPods, demandsMilli, capacityMilli, warnings, policies } = inputsOf(trace);
    expect([views.length, pods.length, simulatedPods.length, demandsMilli.length]).toEqual([
      41, 408, 408, 408,
    ]);
    expect(views.slice(0, 2).map(({ name }) => name)).toEqual(['openb-node-0000', 'openb-node-0030']);
    expect(capacityMilli).toBe(188_000);
    expect(demandsMilli.reduce((sum, milli) => sum + milli, 0)).toBe(312_460);
    expect(warnings).toEqual([]);
    expect(policies.nodePolicy).toBe(config.nodePolicy);
  });

  it('arrives by the line of its order file, up to the load', () => {
    const inputs = inputsOf({ ...trace, order: excerpt('orders.jsonl') });
    const { arrivals, rank } = arrivalsOf(inputs);
    expect({ arrivals: arrivals.length, ranks: rank?.length }).toEqual({ arrivals: 326, ranks: 41 });
    const loaded = inputsOf({ ...trace, order: excerpt('orders.jsonl'), load: 0.5 });
    const first = arrivalsOf(loaded).arrivals;
    expect(first).toEqual(arrivals.slice(0, first.length));
    const asked = first.reduce((sum, arrival) => sum + inputs.demandsMilli[arrival.pod]!, 0);
    expect(asked).toBeGreaterThan(94_000);
    expect(asked).toBeLessThan(102_000);
  });

  it('arrives in the order that is drawn for a load, which is that of the file', () => {
    const ordered = inputsOf({ ...trace, order: excerpt('orders.jsonl') });
    const drawn = inputsOf({ ...trace, load: 1.3 });
    for (const seed of [42, 43]) expect(arrivalsOf(drawn, seed)).toEqual(arrivalsOf(ordered, seed));
    expect(arrivalsOf(inputsOf({ ...trace, load: 3 })).arrivals.length).toBeGreaterThan(408);
  });

  it('arrives and leaves by its own times, in a window if there is one', () => {
    const { arrivals, rank } = arrivalsOf(inputsOf({ ...trace, times: true }));
    expect(arrivals).toHaveLength(408);
    expect(rank).toBeUndefined();
    expect(arrivals.some(({ untilSeconds }) => untilSeconds !== undefined)).toBe(true);
    const window = { fromSeconds: 1_000_000, untilSeconds: 11_000_000 };
    const within = arrivalsOf(inputsOf({ ...trace, times: window })).arrivals;
    expect(within.length).toBeGreaterThan(0);
    expect(within.length).toBeLessThan(408);
    expect(within[0]?.atSeconds).toBe(1_000_000);
  });

  it('arrives once, as it stands in its file, where nothing else is said', () => {
    const { arrivals, rank } = arrivalsOf(inputsOf(trace));
    expect(arrivals.map((arrival) => arrival.pod)).toEqual(Array.from({ length: 408 }, (_, index) => index));
    expect(rank).toBeUndefined();
  });
});

describe('a snapshot', () => {
  it('is charged with its bound pods, and its pending pods are the workload', () => {
    const { views, pods, demandsMilli } = inputsOf({ snapshot: cluster });
    expect(views.map(({ name, used }) => [name, used.memoryMiB])).toEqual([
      ['n1', 4096],
      ['n2', 0],
    ]);
    expect(pods.map(({ name }) => name)).toEqual(['waiting']);
    expect(demandsMilli).toEqual([500]);
  });

  it('takes another workload, and says which pods it leaves out', () => {
    const { pods, warnings } = inputsOf({ snapshot: cluster, pods: fileOf(stringify(pod('other'))) });
    expect(pods.map(({ name }) => name)).toEqual(['other']);
    expect(warnings).toEqual([`1 pending pods of ${cluster} are not replayed`]);
  });

  it('takes the pods of a trace, whose shares are of other cards', () => {
    const { pods, warnings } = inputsOf({ snapshot: cluster, pods: trace.pods });
    expect(pods).toHaveLength(408);
    expect(warnings.at(-1)).toBe(
      `shares in ${trace.pods} are of cards with 10000 MiB; of larger ones they take less memory`,
    );
  });

  it('tells what of it cannot be read, and takes the last of two nodes of one name', () => {
    const broken = makeNodeObject({ name: 'n1', annotations: { 'hami.io/node-nvidia-register': '[{' } });
    const sound = makeNodeObject({ name: 'n2', devices: [{}, {}] });
    const single = makeNodeObject({ name: 'n2', devices: [{}] });
    const { views, warnings } = inputsOf({
      snapshot: fileOf(listOf(broken, sound, single, pod('waiting')), 'json'),
    });
    expect(views.map(({ name, devices }) => [name, devices.length])).toEqual([
      ['n1', 0],
      ['n2', 1],
    ]);
    expect(warnings).toEqual([
      expect.stringMatching(/^node n1: hami\.io\/node-nvidia-register: not valid JSON/),
    ]);
  });
});

describe('a workload in Kubernetes objects', () => {
  const templateOf = (limits: Readonly<Record<string, string>>) => ({
    metadata: { annotations: { 'nvidia.com/use-gputype': 'A100' } },
    spec: { containers: [{ name: 'main', resources: { limits } }] },
  });
  const owner = (kind: string, apiVersion: string, spec: object, limits = half) => ({
    apiVersion,
    kind,
    metadata: { name: kind.toLowerCase(), namespace: 'team' },
    spec: { ...spec, template: templateOf(limits) },
  });
  const namesOf = (...objects: readonly object[]) =>
    inputsOf({ snapshot: cluster, pods: fileOf(objects.map((object) => stringify(object)).join('---\n')) });

  it.each([
    {
      name: 'a Deployment',
      object: owner('Deployment', 'apps/v1', { replicas: 2 }),
      want: ['deployment-0', 'deployment-1'],
    },
    {
      name: 'a Deployment without a number',
      object: owner('Deployment', 'apps/v1', {}),
      want: ['deployment-0'],
    },
    { name: 'a ReplicaSet', object: owner('ReplicaSet', 'apps/v1', { replicas: 1 }), want: ['replicaset-0'] },
    {
      name: 'a StatefulSet',
      object: owner('StatefulSet', 'apps/v1', { replicas: 1 }),
      want: ['statefulset-0'],
    },
    { name: 'a Job', object: owner('Job', 'batch/v1', {}), want: ['job-0'] },
    {
      name: 'a Job with more to do than it does at a time',
      object: owner('Job', 'batch/v1', { parallelism: 2, completions: 9 }),
      want: ['job-0', 'job-1'],
    },
    {
      name: 'a Job with less to do than it may do at a time',
      object: owner('Job', 'batch/v1', { parallelism: 9, completions: 2 }),
      want: ['job-0', 'job-1'],
    },
    {
      name: 'a pod, placed already or not',
      object: pod('p', { nodeName: 'n1', phase: 'Running' }),
      want: ['p'],
    },
  ])('has the pods of $name', ({ object, want }) => {
    const { pods, demandsMilli } = namesOf(object);
    expect(pods.map(({ name }) => name)).toEqual(want);
    expect(new Set(pods.map(({ uid }) => uid)).size).toBe(want.length);
    expect(pods.every(({ nodeName, phase }) => nodeName === undefined && phase === 'Pending')).toBe(true);
    expect(demandsMilli).toEqual(want.map(() => 500));
  });

  it('has the pods of all of it, with their selectors and namespaces', () => {
    const { pods, simulatedPods, warnings } = namesOf(
      owner('Deployment', 'apps/v1', { replicas: 2 }),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } },
      pod('alone'),
    );
    expect(pods.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      'team/deployment-0',
      'team/deployment-1',
      'default/alone',
    ]);
    expect(simulatedPods[0]?.request.selectors.get('NVIDIA')?.useTypes).toEqual(['a100']);
    expect(warnings[0]).toBe('1 of kind Service make no pods here');
  });

  it('asks for what admission would add', () => {
    const { simulatedPods } = namesOf(owner('Deployment', 'apps/v1', {}, gpuLimits({ memoryMiB: 2048 })));
    expect(simulatedPods.map(({ problems }) => problems)).toEqual([[]]);
    expect(simulatedPods[0]?.request.containers[0]?.devices).toMatchObject([{ vendor: 'NVIDIA', count: 1 }]);
  });

  it.each([
    {
      name: 'no object',
      objects: [],
      want: /^\d+\.yaml: no pod, and nothing that makes pods \(Pod, Deployment, /,
    },
    {
      name: 'nothing that makes pods',
      objects: [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } }],
      want: /no pod, and nothing that makes pods/,
    },
    { name: 'an object of no kind', objects: [{ metadata: {} }], want: /^\d+\.yaml: document 1: no kind$/ },
    {
      name: 'a nameless pod',
      objects: [{ apiVersion: 'v1', kind: 'Pod', metadata: {} }],
      want: /^\d+\.yaml: object 1 \(Pod\): the pod has no name$/,
    },
    {
      name: 'a pod that is none',
      objects: [pod('p'), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 7 } }],
      want: /^\d+\.yaml: object 2 \(Pod\): metadata\.name: must be string/,
    },
    {
      name: 'a Deployment without a template',
      objects: [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: {} }],
      want: /^\d+\.yaml: object 1 \(Deployment\.apps\/v1\): spec: must have required property 'template'$/,
    },
    {
      name: 'a template that is none',
      objects: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'd' },
          spec: { template: { spec: { containers: {} } } },
        },
      ],
      want: /^\d+\.yaml: object 1 \(Deployment\.apps\/v1\): spec\.template: spec\.containers: must be array/,
    },
    {
      name: 'less than no replica',
      objects: [owner('Deployment', 'apps/v1', { replicas: -1 })],
      want: /spec\.replicas: must be >= 0$/,
    },
    {
      name: 'more pods than a file may have',
      objects: [owner('Deployment', 'apps/v1', { replicas: 200_000 }), pod('p')],
      want: /^\d+\.yaml: object 2 \(Pod\): more than 200000 pods in one file$/,
    },
  ])('is refused with $name', ({ objects, want }) => {
    const text = objects.map((object) => stringify(object)).join('---\n');
    expect(refusalOf({ snapshot: cluster, pods: fileOf(text) })).toMatch(want);
  });
});

describe('inputs are refused', () => {
  const order = fileOf('{"seed":42,"arrivals":[0],"nodeRank":[0,1]}\n', 'jsonl');
  const short = fileOf(listOf(pod('a'), pod('b')), 'json');
  const types = fileOf('name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np,1,1,1,1000,V100\n', 'csv');
  const noNvidia = configOf({ vendors: { nvidia: { enabled: false } } });
  const renamed = configOf({ vendors: { nvidia: { resourceCountName: 'example.com/gpu' } } });

  it.each<{ name: string; options: Wish; seed?: number; want: string | RegExp }>([
    {
      name: 'without a cluster',
      options: { pods: short },
      want: 'name the cluster by one of --nodes and --snapshot',
    },
    {
      name: 'with two clusters',
      options: { ...trace, snapshot: cluster },
      want: 'name the cluster by one of --nodes and --snapshot',
    },
    { name: 'without a workload', options: { nodes: trace.nodes }, want: 'name the workload by --pods' },
    {
      name: 'with times and an order',
      options: { ...trace, times: true, order },
      want: 'by its times a trace has one order and one load of its own; leave out --order and --load',
    },
    {
      name: 'with times and a load',
      options: { ...trace, times: true, load: 1 },
      want: /leave out --order and --load$/,
    },
    { name: 'with a load of nothing', options: { ...trace, load: 0 }, want: /^a load of 0 is none; / },
    {
      name: 'with a load that is no number',
      options: { ...trace, load: Number.NaN },
      want: /^a load of NaN is none; /,
    },
    {
      name: 'without the file of nodes',
      options: { ...trace, nodes: '/nowhere/nodes.csv' },
      want: /^nodes\.csv: cannot be read: ENOENT/,
    },
    {
      name: 'without the file of pods',
      options: { ...trace, pods: '/nowhere/pods.csv' },
      want: /^pods\.csv: cannot be read: ENOENT/,
    },
    {
      name: 'without the file of orders',
      options: { ...trace, order: '/nowhere/orders.jsonl' },
      want: /^orders\.jsonl: cannot be read: ENOENT/,
    },
    {
      name: 'without the snapshot',
      options: { snapshot: '/nowhere/all.json' },
      want: /^all\.json: cannot be read: ENOENT/,
    },
    {
      name: 'with nodes that are no nodes',
      options: { ...trace, nodes: trace.pods },
      want: 'pods.csv: line 1: no column sn, gpu, model; wanted are sn,cpu_milli,memory_mib,gpu,model',
    },
    {
      name: 'with pods that are no pods',
      options: { ...trace, pods: trace.nodes },
      want: 'nodes.csv: line 1: no column name, num_gpu, gpu_milli; wanted are name,cpu_milli,memory_mib,num_gpu,gpu_milli',
    },
    {
      name: 'with a snapshot in which nobody waits',
      options: { snapshot: fileOf(listOf(makeNodeObject({ name: 'n' })), 'json') },
      want: /^\d+\.json: no pod is pending; name a workload by --pods$/,
    },
    {
      name: 'with a snapshot without a node',
      options: { snapshot: fileOf(listOf(pod('p')), 'json') },
      want: /^\d+\.json: no node that Tessera would manage$/,
    },
    {
      name: 'with card types that are parts of others',
      options: { nodes: trace.nodes, pods: types },
      want: /^\d+\.csv: pod p: gpu_spec V100 is a part of the card type V100M\d\d, and types are matched by parts; /,
    },
    {
      name: 'with an order of another cluster',
      options: { ...trace, order },
      want: /^\d+\.jsonl: line 1: nodeRank has 2 entries; the node file has 41 rows$/,
    },
    {
      name: 'with a seed that has no order',
      options: { ...trace, order: excerpt('orders.jsonl') },
      seed: 44,
      want: 'orders.jsonl: no order for seed 44; there are 42, 43',
    },
    {
      name: 'with a load that the order does not reach',
      options: { ...trace, order: excerpt('orders.jsonl'), load: 2 },
      seed: 42,
      want: /^orders\.jsonl: the order of seed 42 asks for 130\.\d % of the cluster's cards; it does not reach a load of 2$/,
    },
    {
      name: 'with a load that no pod makes',
      options: { snapshot: cluster, pods: fileOf(stringify(makePod({ name: 'p' }))), load: 1 },
      seed: 42,
      want: 'no pod of the workload asks for a card, so it makes no load',
    },
    {
      name: 'with times that the pods do not have',
      options: { snapshot: cluster, times: true },
      want: 'pod waiting has no creation_time, so the workload has no times',
    },
    {
      name: 'with a trace where NVIDIA is switched off',
      options: { ...trace, config: noNvidia },
      want: 'nodes.csv: cards of a trace are NVIDIA’s, which the configuration switches off',
    },
    {
      name: 'with a trace of pods where resources have other names',
      options: { snapshot: cluster, pods: trace.pods, config: renamed },
      want: /^pods\.csv: pods of a trace ask for nvidia\.com\/gpu, .* the configuration has other names or units$/,
    },
  ])('$name', ({ options, seed, want }) => {
    expect(refusalOf(options, seed)).toMatch(want);
  });
});
