/** Cards in MIG mode: pods get instances of the smallest profile that suffices, at places that leave room for others. */
import { expect } from '@jest/globals';
import { migCard } from '../../../src/emulator/node-agent/mig-cards.ts';
import type { GpuDescription, NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import { gpuLimits } from '../../support/kubernetes-objects.ts';
import { instancesOf, partsOf, podManifest, refusalOf } from './pods.ts';
import type { Scenario } from './scenario.ts';

const soonMs = 5000;
const madeIds = { migUUID: expect.stringMatching(/^MIG-/), computeInstanceID: expect.any(Number) };

function migMachine(name: string, ...gpus: readonly GpuDescription[]): NodeDescription {
  return { name, cpu: '64', memory: '512Gi', gpus };
}

/** In the order of their creation, with what spec §5.7 says of an empty A100. */
const filling = [
  { name: 'half', memoryMiB: 15_000, want: { profile: '3g.20gb', start: 4, memoryMiB: 20_096 } },
  { name: 'quarter', memoryMiB: 9000, want: { profile: '2g.10gb', start: 0, memoryMiB: 9984 } },
  { name: 'small', memoryMiB: 4864, want: { profile: '1g.5gb', start: 3, memoryMiB: 4864 } },
  { name: 'tiny', memoryMiB: 100, want: { profile: '1g.5gb', start: 2, memoryMiB: 4864 } },
];

export const migUntilFull: Scenario = {
  name: 'instances fill a card by its profiles, and a pod that none can be placed for gets the place of one that ends',
  nodes: [migMachine('cut', migCard('A100-40GB'))],
  play: async ({ cluster }) => {
    const uuids = new Set<string>();
    for (const { name, memoryMiB, want } of filling) {
      await cluster.create(podManifest(name, { containers: [{ count: 1, memoryMiB }] }));
      const pod = await cluster.running(name);
      const [[part] = []] = partsOf(pod);
      const [instance] = instancesOf(pod);
      expect({ name, memoryMiB: part?.memoryMiB }).toEqual({ name, memoryMiB: want.memoryMiB });
      expect(instance).toMatchObject({
        containerIndex: 0,
        deviceIndex: 0,
        gpuUUID: part?.device,
        profile: want.profile,
        placement: { start: want.start },
        ...madeIds,
      });
      uuids.add(instance?.migUUID ?? '');
    }
    expect(uuids.size).toBe(filling.length);

    // Then memory is left, but no two slices beside each other.
    await cluster.delete('tiny');
    await cluster.waitFor('tiny is gone', (pods) => (pods.length < filling.length ? true : undefined));
    await cluster.create(podManifest('next', { containers: [{ count: 1, memoryMiB: 5000 }] }));
    const waiting = await cluster.waitForPod('next', 'is refused', (pod) => refusalOf(pod) !== undefined);
    expect(refusalOf(waiting)?.message).toContain('CardMigTopologyInfeasible');
    await cluster.delete('small');
    const next = await cluster.running('next', soonMs);
    expect(instancesOf(next)).toMatchObject([{ profile: '2g.10gb', placement: { start: 2 }, ...madeIds }]);
  },
};

export const migSeveral: Scenario = {
  name: 'one container may have several instances of one card, and every container of a pod its own',
  nodes: [migMachine('cut', migCard('A30'))],
  play: async ({ cluster }) => {
    await cluster.create(podManifest('pair', { containers: [{}, { count: 2, memoryMiB: 5000 }] }));
    const pair = await cluster.running('pair');
    expect(partsOf(pair).map((parts) => parts.length)).toEqual([0, 2]);
    expect(
      new Set(
        partsOf(pair)
          .flat()
          .map(({ device }) => device),
      ).size,
    ).toBe(1);
    expect(instancesOf(pair)).toMatchObject([
      { containerIndex: 1, deviceIndex: 0, profile: '1g.6gb', placement: { start: 3, size: 1 }, ...madeIds },
      { containerIndex: 1, deviceIndex: 1, profile: '1g.6gb', placement: { start: 2, size: 1 }, ...madeIds },
    ]);
    await cluster.delete('pair');

    await cluster.create(
      podManifest('several', {
        containers: [
          { count: 1, memoryMiB: 10_000 },
          { count: 1, memoryMiB: 5000 },
        ],
      }),
    );
    expect(instancesOf(await cluster.running('several'))).toMatchObject([
      { containerIndex: 0, profile: '2g.12gb', ...madeIds },
      { containerIndex: 1, profile: '1g.6gb', ...madeIds },
    ]);
    await cluster.clear();

    // The plugin makes the instances of all containers before the first one starts: they need places of their own.
    const asking = (memoryMiB: number) => ({
      image: 'registry.invalid/pause:1',
      resources: { limits: gpuLimits({ count: 1, memoryMiB }) },
    });
    await cluster.create(
      podManifest('prepared', {
        spec: {
          initContainers: [{ name: 'prepare', ...asking(10_000) }],
          containers: [{ name: 'main', ...asking(10_000) }],
        },
      }),
    );
    const places = instancesOf(await cluster.running('prepared')).map(({ placement }) => placement.start);
    expect(places.sort()).toEqual([0, 2]);
  },
};

export const migWholeCard: Scenario = {
  name: 'a pod for a whole card gets the instance that is all of it, and waits where none is',
  nodes: [migMachine('cut', migCard('A100-40GB', ['1g.5gb', '2g.10gb', '3g.20gb']))],
  play: async ({ cluster, explain }) => {
    await cluster.create(podManifest('whole', { containers: [{ count: 1 }] }));
    const waiting = await cluster.waitForPod('whole', 'is refused', (pod) => refusalOf(pod) !== undefined);
    expect(refusalOf(waiting)?.message).toContain('CardMigTopologyInfeasible');
    const explanation = await explain('whole');
    expect(explanation).toMatchObject({
      state: 'pending',
      nodes: [
        {
          node: 'cut',
          fits: false,
          reason: '1/1 CardMigTopologyInfeasible',
          sentence: expect.stringContaining('CardMigTopologyInfeasible'),
        },
      ],
    });
  },
};

export const migLargestProfile: Scenario = {
  name: 'a pod for a whole card gets the largest profile of an empty MIG card',
  nodes: [migMachine('cut', migCard('A100-40GB'))],
  play: async ({ cluster }) => {
    await cluster.create(podManifest('whole', { containers: [{ count: 1 }] }));
    const whole = await cluster.running('whole');
    expect(instancesOf(whole)).toMatchObject([{ profile: '7g.40gb', placement: { start: 0, size: 8 } }]);
    expect(partsOf(whole)).toMatchObject([[{ memoryMiB: 40_448, corePercent: 100 }]]);
  },
};

const allOfAnA100 = 7;

export const migBurst: Scenario = {
  name: 'as many small pods as a card has instances run when they are created at once',
  nodes: [migMachine('cut', migCard('A100-40GB'), migCard('A100-40GB'))],
  play: async ({ cluster, restartServer }) => {
    const names = Array.from({ length: 2 * allOfAnA100 }, (_, index) => `tiny-${index}`);
    const tiny = { containers: [{ count: 1, memoryMiB: 1000 }] };
    await cluster.create(...names.map((name) => podManifest(name, tiny)));
    for (const name of names) await cluster.running(name, 30_000);
    // What is full stays full for a server that has to read it all from the pods.
    await restartServer();
    await cluster.create(podManifest('one-more', tiny));
    await cluster.waitForPod('one-more', 'is refused', (pod) => refusalOf(pod) !== undefined);
    await cluster.delete('tiny-3');
    await cluster.running('one-more', soonMs);
  },
};
