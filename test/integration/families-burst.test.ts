/**
 * Pods of all families at once, alone and mixed, on machines with cards of several: whatever the order in which they
 * come and go and though the server is killed, every one of them runs at some time, and the machines never saw a card given twice, a pod with another's
 * cards or neighbours that do not get on. What comes is drawn from a seed, which a failure tells.
 */
import { expect, it, jest } from '@jest/globals';
import { pick, pickWeighted, seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import type { AcceleratorDescription } from '../../src/emulator/node-agent/plugins/accelerators.ts';
import { EmbeddedCluster } from './embedded-cluster.ts';
import { isOver, isRunning, podManifest, type PodState, refusalOf } from './scenarios/pods.ts';
import { ScenarioCluster } from './scenarios/scenario-cluster.ts';

jest.setTimeout(120_000);

type Texts = Readonly<Record<string, string>>;

const podCount = 70;
/** From so many on, one ends for each that begins. */
const mostRunning = 25;

function machine(
  name: string,
  gpus: number,
  ...accelerators: readonly AcceleratorDescription[]
): NodeDescription {
  const cards = Array.from({ length: gpus }, () => ({ type: 'NVIDIA A10', memoryMiB: 24_576 }));
  return { name, cpu: '256', memory: '1024Gi', gpus: cards, accelerators };
}

const nodes = [
  machine('n0', 1, { family: 'ascend', chip: 'Ascend910B3', cards: 2 }, { family: 'hygon', cards: 2 }),
  machine(
    'n1',
    1,
    { family: 'ascend', chip: 'Ascend910B3', cards: 1, hamiCore: true },
    { family: 'amd', cards: 1 },
  ),
  machine(
    'n2',
    0,
    { family: 'cambricon', cards: 1 },
    { family: 'hygon', cards: 1 },
    { family: 'metax-gpu', cards: 2 },
  ),
  machine(
    'n3',
    0,
    { family: 'metax-sgpu', cards: 3 },
    { family: 'cambricon', cards: 1 },
    { family: 'amd', cards: 1 },
  ),
  machine('n4', 0, { family: 'ascend', chip: 'Ascend910C', cards: 4 }, { family: 'metax-gpu', cards: 1 }),
];
const vendors = Object.fromEntries(
  ['hygon', 'cambricon', 'vnpus', 'metax', 'amd'].map((block) => [block, { enabled: true }]),
);

type Random = () => number;
type Asks = (random: Random) => Texts;

const gpu: Asks = (random) => ({
  'nvidia.com/gpu': '1',
  'nvidia.com/gpumem': pick(['1000', '8000'], random),
  'nvidia.com/gpucores': pick(['5', '30'], random),
});
const dcu: Asks = (random) => ({
  'hygon.com/dcunum': '1',
  'hygon.com/dcumem': pick(['2000', '16000'], random),
  'hygon.com/dcucores': pick(['10', '60'], random),
});
const mlu: Asks = (random) => ({
  'cambricon.com/vmlu': '1',
  'cambricon.com/mlu.smlu.vcore': pick(['10', '60'], random),
  'cambricon.com/mlu.smlu.vmemory': pick(['8', '40'], random),
});
const npu: Asks = (random) => ({
  'huawei.com/Ascend910B3': '1',
  ...(random() < 0.7 ? { 'huawei.com/Ascend910B3-memory': pick(['9000', '30000'], random) } : {}),
});
const slice: Asks = (random) => ({
  'huawei.com/Ascend910B3': '1',
  'huawei.com/Ascend910B3-memory': pick(['5000', '20000'], random),
  'huawei.com/Ascend910B3-core': pick(['10', '50'], random),
});
const modules: Asks = (random) => ({ 'huawei.com/Ascend910C': pick(['1', '2', '4'], random) });
const wholeMetax: Asks = () => ({ 'metax-tech.com/gpu': '1' });
const sgpu: Asks = (random) => ({
  'metax-tech.com/sgpu': '1',
  'metax-tech.com/vcore': pick(['20', '50', '100'], random),
  'metax-tech.com/vmemory': pick(['8', '16Gi'], random),
});
const amd: Asks = (random) => ({
  'amd.com/gpu': '1',
  'amd.com/gpumem': pick(['10000', '90000'], random),
  'amd.com/gpucores': pick(['3', '33', '100'], random),
});

interface Kind {
  readonly containers: readonly Asks[];
  /** Asks for it in an init container first. */
  readonly init?: Asks;
  readonly annotations?: (random: Random) => Texts;
}

const softly = () => ({ 'huawei.com/vnpu-mode': 'hami-core' });
const policy = (random: Random) => ({
  'metax-tech.com/sgpu-qos-policy': pick(['best-effort', 'fixed-share'], random),
});
const appClass = (random: Random) => ({
  'metax-tech.com/sgpu-app-class': pick(['online', 'offline'], random),
});
const nothing: Asks = () => ({});

const kinds: readonly (readonly [number, Kind])[] = [
  [3, { containers: [gpu] }],
  [3, { containers: [dcu, nothing, dcu] }],
  [2, { containers: [dcu], init: dcu }],
  [3, { containers: [nothing, mlu] }],
  [3, { containers: [npu] }],
  [2, { containers: [slice], annotations: softly }],
  [2, { containers: [modules] }],
  [2, { containers: [wholeMetax, wholeMetax] }],
  [3, { containers: [sgpu], annotations: policy }],
  [2, { containers: [sgpu], annotations: appClass }],
  [3, { containers: [amd] }],
  [3, { containers: [gpu, npu] }],
  [2, { containers: [mlu, dcu] }],
  [2, { containers: [(random) => ({ ...wholeMetax(random), ...mlu(random) })] }],
  [2, { containers: [(random) => ({ ...amd(random), ...mlu(random) })] }],
];

function podOf(index: number, random: Random): object {
  const { containers, init, annotations = nothing } = pickWeighted(kinds, random);
  const container = (name: string, limits: Texts) => ({
    name,
    image: 'registry.invalid/pause:1',
    resources: { limits },
  });
  return podManifest(`pod-${index}`, {
    annotations: annotations(random),
    spec: {
      ...(init === undefined ? {} : { initContainers: [container('init', init(random))] }),
      containers: containers.map((asks, place) => container(`c${place}`, asks(random))),
    },
  });
}

/** A look at the pods: those that failed, or those that run where that is news, or where the others cannot begin. */
function newsOf(pods: readonly PodState[], everRun: ReadonlySet<string>, ended: ReadonlySet<string>) {
  const alive = pods.filter(({ metadata }) => !ended.has(metadata.name));
  const failed = alive
    .filter(isOver)
    .map(({ metadata, status }) => `${metadata.name}: ${status?.message ?? ''}`);
  const names = alive.filter(isRunning).map(({ metadata }) => metadata.name);
  const isNew = names.some((name) => !everRun.has(name));
  const waiting = alive.filter((pod) => !isRunning(pod));
  const isStuck = names.length > 0 && waiting.every((pod) => refusalOf(pod) !== undefined);
  return isNew || isStuck || failed.length > 0 ? { failed, names, isNew } : undefined;
}

/** Lets pods end while others begin, until each has run once. In the middle of it the server is killed. */
async function runAll(embedded: EmbeddedCluster, cluster: ScenarioCluster, random: Random): Promise<void> {
  const everRun = new Set<string>();
  const ended = new Set<string>();
  let restarted = false;
  while (everRun.size < podCount) {
    const { failed, names, isNew } = await cluster.waitFor(
      `a further pod runs; ${everRun.size} of ${podCount} have`,
      (pods) => newsOf(pods, everRun, ended),
    );
    expect(failed).toEqual([]);
    for (const name of names) everRun.add(name);
    if (!restarted && everRun.size > podCount / 2) {
      restarted = true;
      await embedded.restartServer();
    }
    if (isNew && names.length < mostRunning) continue;
    const gone = pick(names, random);
    ended.add(gone);
    await cluster.delete(gone);
  }
}

it.each([1, 2])('pods of all families come and go, and each has its own: seed %d', async (seed) => {
  const random = seededRandom(seed);
  const embedded = await EmbeddedCluster.start(nodes, { seed, settings: { vendors } });
  const cluster = await ScenarioCluster.follow(embedded.client);
  try {
    await cluster.create(...Array.from({ length: podCount }, (_, index) => podOf(index, random)));
    await runAll(embedded, cluster, random);
    await cluster.clear();
    expect(cluster.judge.faults).toEqual([]);
    expect(embedded.agent.book.faults).toEqual([]);
    expect(new Set(embedded.agent.book.records.map(({ podUid }) => podUid)).size).toBe(podCount);
  } finally {
    await cluster.stop();
    await embedded.stop();
  }
});
