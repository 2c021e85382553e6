import { afterEach, describe, expect } from '@jest/globals';
import type { Cluster } from './harness/cluster.ts';
import { startSharing } from './harness/installation.ts';
import { sharesOf } from './harness/judgements.ts';
import { startMachines } from './harness/machines.ts';
import {
  clearPods,
  podManifest,
  type PodState,
  untilAllIn,
  untilPhase,
  untilRefused,
} from './harness/pods.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

const policyOfCards = 'hami.io/gpu-scheduler-policy';
const policyOfNodes = 'hami.io/node-scheduler-policy';
const weights = 'hami.io/device-scoring-weights';

/** The four cards of the one node, and what is on each of them before the pod under test comes. */
const cards = [
  { id: 'GPU-large', numa: 1, limits: { 'nvidia.com/gpumem': 8000 } },
  { id: 'GPU-small', numa: 1, limits: { 'nvidia.com/gpumem': 2000 } },
  { id: 'GPU-empty', numa: 0, limits: undefined },
  { id: 'GPU-busy', numa: 0, limits: { 'nvidia.com/gpumem': 100, 'nvidia.com/gpucores': 60 } },
];
const nodes = [
  { name: 'four', gpus: cards.map(({ id, numa }) => ({ type: 'Tesla T4', memoryMiB: 16_384, id, numa })) },
  { name: 'other', gpus: [{ type: 'Tesla V100', memoryMiB: 16_384, id: 'GPU-other' }] },
].map((node) => ({ ...node, cpu: '64', memory: '256Gi' }));

let cluster: Cluster;
let tessera: Tessera;

const scenario = useCluster(async (started) => {
  cluster = started;
  await startMachines(cluster, nodes);
  tessera = await startSharing(cluster);
});

afterEach(() => clearPods(cluster));

/** A small share of one card, and what its owner writes beside. */
function small(name: string, annotations: Readonly<Record<string, string>> = {}): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 1000 };
  return podManifest({ name, annotations, containers: [{ limits }] });
}

function onCardOf(type: string) {
  return { 'nvidia.com/use-gputype': type };
}

/** Puts the cards of `four` into the state that `cards` tells. */
async function fillCards(): Promise<void> {
  const pods = cards.flatMap(({ id, limits }) =>
    limits === undefined
      ? []
      : podManifest({
          name: `on-${id.toLowerCase()}`,
          annotations: { 'nvidia.com/use-gpuuuid': id },
          containers: [{ limits: { 'nvidia.com/gpu': 1, ...limits } }],
        }),
  );
  await cluster.create(pods);
  await untilAllIn(cluster, 'Running');
}

async function run(pod: object, name: string): Promise<PodState> {
  await cluster.create([pod]);
  return untilPhase(cluster, name, 'Running');
}

/** The cards that one pod after the other gets, each gone before the next comes. */
async function chosenBy(choices: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const chosen: Record<string, readonly string[]> = {};
  for (const [index, [what, annotations]] of Object.entries(choices).entries()) {
    const name = `chooser-${index}`;
    const pod = await run(small(name, { ...onCardOf('T4'), ...annotations }), name);
    chosen[what] = sharesOf(pod)
      .flat()
      .map(({ id }) => id);
    await cluster.kubectl(['delete', 'pod', name]);
  }
  return chosen;
}

describe('the policy for cards', () => {
  scenario('that a pod names decides which one it gets', async () => {
    await fillCards();
    const chosen = await chosenBy({
      nothing: {},
      binpack: { [policyOfCards]: 'binpack' },
      spread: { [policyOfCards]: 'spread' },
      mutex: { [policyOfCards]: 'mutex' },
      'numa,binpack': { [policyOfCards]: 'numa,binpack' },
      'numa,spread': { [policyOfCards]: 'numa,spread' },
      'mutex,binpack': { [policyOfCards]: 'mutex,binpack' },
      'binpack by memory': { [policyOfCards]: 'binpack', [weights]: 'slot=0,core=0,memory=1' },
      'binpack by compute': { [policyOfCards]: 'binpack', [weights]: 'memory=0, core=3, slot=1' },
    });
    expect(chosen).toEqual({
      // The configuration says spread, as HAMi's default does.
      nothing: ['GPU-empty'],
      binpack: ['GPU-busy'],
      spread: ['GPU-empty'],
      mutex: ['GPU-empty'],
      // The higher NUMA node comes first, and in it what the second word says.
      'numa,binpack': ['GPU-large'],
      'numa,spread': ['GPU-small'],
      'mutex,binpack': ['GPU-empty'],
      'binpack by memory': ['GPU-large'],
      'binpack by compute': ['GPU-busy'],
    });
  });

  scenario('mutex waits for a card of its own', async () => {
    await fillCards();
    const alone = { ...onCardOf('T4'), [policyOfCards]: 'mutex' };
    await run(small('first', alone), 'first');
    await cluster.create([small('second', alone)]);
    const waiting = await untilRefused(cluster, 'second');
    const [condition] = waiting.status.conditions ?? [];
    expect(condition?.message).toContain('ExclusiveDeviceAllocateConflict');
    await cluster.kubectl(['delete', 'pod', 'on-gpu-small']);
    const second = await untilPhase(cluster, 'second', 'Running');
    expect(sharesOf(second)).toMatchObject([[{ id: 'GPU-small' }]]);
  });

  scenario('with weights that cannot be read is refused with what is wrong', async () => {
    await expect(cluster.create([small('unclear', { [weights]: 'slot=1,core=1' })])).rejects.toThrow(
      /denied the request: .*hami\.io\/device-scoring-weights/,
    );
  });
});

describe('the policy for nodes', () => {
  const spread = { [policyOfNodes]: 'spread' };
  const binpack = { [policyOfNodes]: 'binpack' };

  scenario('that a pod names decides where it goes', async () => {
    await run(small('there', onCardOf('V100')), 'there');
    expect((await run(small('beside', {}), 'beside')).spec.nodeName).toBe('other');
    expect((await run(small('packed', binpack), 'packed')).spec.nodeName).toBe('other');
    expect((await run(small('apart', spread), 'apart')).spec.nodeName).toBe('four');
  });

  scenario('and the one for cards come from the configuration where a pod names none', async () => {
    await tessera.restartWith({ nodePolicy: 'spread', devicePolicy: 'binpack' });
    await fillCards();
    expect((await run(small('beside'), 'beside')).spec.nodeName).toBe('other');
    const packed = await run(small('packed', { ...binpack, ...onCardOf('T4') }), 'packed');
    expect(sharesOf(packed)).toMatchObject([[{ id: 'GPU-busy' }]]);
    const apart = await run(small('apart', { ...onCardOf('T4'), [policyOfCards]: 'spread' }), 'apart');
    expect(sharesOf(apart)).toMatchObject([[{ id: 'GPU-empty' }]]);
  });
});
