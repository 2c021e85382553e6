import { afterEach, describe, expect } from '@jest/globals';
import type { Cluster } from './harness/cluster.ts';
import { startSharing } from './harness/installation.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, podManifest, type PodState, untilAllIn } from './harness/pods.ts';
import { useCluster } from './harness/use-cluster.ts';

const zoneLabel = 'topology.kubernetes.io/zone';
const zones = ['north', 'south', 'west'];
const machines = zones.map((zone) => ({ ...makeMachine(`gpu-${zone}`, 2), labels: { [zoneLabel]: zone } }));
const labels = { app: 'inference' };

let cluster: Cluster;

const scenario = useCluster(async (started) => {
  cluster = started;
  await startMachines(cluster, machines);
  await startSharing(cluster);
});

afterEach(() => clearPods(cluster));

function sharedPod(name: string, spec: object, memoryMiB = 1000): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB };
  return podManifest({ name, labels, containers: [{ limits }], spec });
}

/** Pods of the same application that use no card, so that the cards of all nodes stay equal. */
function plainPod(zone: string): object {
  return podManifest({ name: `plain-${zone}`, labels, spec: { nodeName: `gpu-${zone}` } });
}

function preferring(zone: string): object {
  const term = {
    weight: 100,
    preference: { matchExpressions: [{ key: zoneLabel, operator: 'In', values: [zone] }] },
  };
  return { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term] } } };
}

function spreading(whenUnsatisfiable: 'ScheduleAnyway' | 'DoNotSchedule'): object {
  return {
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: zoneLabel, whenUnsatisfiable, labelSelector: { matchLabels: labels } },
    ],
  };
}

/** Creates one pod after the other; each finds its predecessors running. */
async function createInTurn(pods: readonly object[]): Promise<readonly PodState[]> {
  let running: readonly PodState[] = [];
  for (const pod of pods) {
    await cluster.create([pod]);
    running = await untilAllIn(cluster, 'Running');
  }
  return running;
}

function nodeOf(pods: readonly PodState[], name: string): string | undefined {
  return pods.find(({ metadata }) => metadata.name === name)?.spec.nodeName;
}

describe('pods without preferences', () => {
  scenario('fill one node', async () => {
    const pods = await createInTurn(['a', 'b', 'c'].map((name) => sharedPod(name, {})));
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(1);
  });
});

describe('a preferred node affinity', () => {
  for (const zone of zones) {
    scenario(`decides for ${zone} where the cards of all nodes suit the pod alike`, async () => {
      const pods = await createInTurn([sharedPod('picky', preferring(zone))]);
      expect(nodeOf(pods, 'picky')).toBe(`gpu-${zone}`);
    });
  }

  scenario('outweighs a small difference in how well the node is filled', async () => {
    const pods = await createInTurn([
      sharedPod('large', preferring('north'), 8000),
      // Told where to go, so that the second node is a little emptier than the first.
      sharedPod('medium', { nodeSelector: { [zoneLabel]: 'south' } }, 6000),
      sharedPod('picky', preferring('south')),
    ]);
    expect(nodeOf(pods, 'large')).toBe('gpu-north');
    expect(nodeOf(pods, 'picky')).toBe('gpu-south');
  });
});

describe('topology spread', () => {
  for (const zone of zones) {
    const others = zones.filter((other) => other !== zone);
    scenario(`as a wish decides for ${zone} where the cards of all nodes suit the pod alike`, async () => {
      const pods = await createInTurn([
        ...others.map(plainPod),
        sharedPod('even', spreading('ScheduleAnyway')),
      ]);
      expect(nodeOf(pods, 'even')).toBe(`gpu-${zone}`);
    });
  }

  scenario('as a rule is kept although packing would fill one node', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const pods = await createInTurn(names.map((name) => sharedPod(name, spreading('DoNotSchedule'))));
    const perNode = machines.map(({ name }) => pods.filter(({ spec }) => spec.nodeName === name).length);
    expect(perNode).toEqual([2, 2, 2]);
  });
});
