import { describe, expect } from '@jest/globals';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { familyScenarios } from '../integration/scenarios/families.ts';
import { isRunning } from '../integration/scenarios/pods.ts';
import { overlay } from '../../src/wire/mapping.ts';
import { familyDays } from './family-days.ts';
import { ExtenderTap } from './harness/extender-tap.ts';
import { familyScenario, machines, manifestOf } from './harness/family-day.ts';
import { mluLock } from './harness/family-words.ts';
import { chartWith, installTessera } from './harness/installation.ts';
import { playOn, type RealScenario } from './harness/stage.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

/** One installation for all of them. */
const settings = familyScenarios.reduce<Readonly<Record<string, unknown>>>(
  (all, scenario) => overlay(all, scenario.settings ?? {}),
  {},
);

let tessera: Tessera;
let tap: ExtenderTap;

const scenario = useCluster(async (cluster) => {
  const installer = chartWith(settings);
  const { kubeconfig, schedulerConfig, ...installed } = await installTessera(cluster, { installer });
  tessera = installed.tessera;
  tap = await ExtenderTap.start(cluster, tessera.extenderUrl);
  await cluster.startScheduler(schedulerConfig, { kubeconfig, extenderUrl: tap.url });
});

describe('a day of each family', () => {
  for (const day of familyDays) {
    scenario(day.name, (cluster) => playOn(cluster, tessera, familyScenario(day, tap)));
  }
});

describe('pods of all families at once', () => {
  const burstOf = familyDays
    .filter(({ burst }) => burst.annotations === undefined)
    .map(({ burst: { limits } }) => ({ limits }));
  const mixed = (name: string): NodeDescription => ({
    name,
    cpu: '64',
    memory: '512Gi',
    gpus: [],
    accelerators: [
      { family: 'ascend', chip: 'Ascend910B3', cards: 2 },
      { family: 'cambricon', cards: 2 },
      { family: 'hygon', cards: 2 },
      { family: 'metax-gpu', cards: 4 },
      { family: 'metax-sgpu', cards: 2 },
      { family: 'amd', cards: 2 },
    ],
  });

  scenario('all run, though the server is killed among them', async (cluster) => {
    const play: RealScenario['play'] = async ({ cluster: followed, restartServer }) => {
      const pods = [0, 1, 2, 3, 4, 5].flatMap((round) =>
        burstOf.map((asked, kind) => manifestOf(`pod-${round}-${kind}`, asked)),
      );
      await followed.create(...pods);
      await followed.waitFor('some are bound', (all) =>
        all.filter(({ spec }) => spec.nodeName !== undefined).length >= pods.length / 4 ? true : undefined,
      );
      await restartServer();
      await followed.waitFor('all run', (all) => (all.every(isRunning) ? true : undefined), 60_000);
    };
    const nodes = [mixed('mixed-1'), mixed('mixed-2')];
    await playOn(cluster, tessera, { name: 'all families', nodes, play });
  });
});

describe('pods that share MLUs', () => {
  scenario('hold a lock that the plugin itself takes away', async (cluster) => {
    const lockOf = async (node: string) => {
      const text = await cluster.kubectl(['get', 'node', node, '-o', 'json']);
      const { metadata } = JSON.parse(text) as {
        metadata: { annotations: Readonly<Record<string, string>> };
      };
      return metadata.annotations[mluLock];
    };
    const play: RealScenario['play'] = async ({ cluster: followed, agent }) => {
      agent.setBehaviour('mlus-1', 'hang');
      const limits = {
        'cambricon.com/vmlu': '1',
        'cambricon.com/mlu.smlu.vcore': '30',
        'cambricon.com/mlu.smlu.vmemory': '20',
      };
      await followed.create(manifestOf('slice', { limits: [limits] }));
      const bound = await followed.waitForPod('slice', 'is bound', ({ spec }) => spec.nodeName !== undefined);
      expect(bound.metadata.annotations).toMatchObject({
        CAMBRICON_DSMLU_ASSIGHED: 'false',
        CAMBRICON_DSMLU_ASSIGNED: 'false',
      });
      expect(await lockOf('mlus-1')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      tessera.send('SIGSTOP');
      try {
        agent.setBehaviour('mlus-1', 'serve');
        const served = await followed.running('slice');
        expect(served.metadata.annotations).toMatchObject({
          CAMBRICON_DSMLU_ASSIGHED: 'true',
          CAMBRICON_DSMLU_ASSIGNED: 'false',
        });
        expect(await lockOf('mlus-1')).toBeUndefined();
      } finally {
        tessera.send('SIGCONT');
      }
    };
    const nodes = machines('mlus', { family: 'cambricon', cards: 1 }, 1);
    await playOn(cluster, tessera, { name: 'the lock of MLUs', nodes, play });
  });
});

describe('online and offline pods of MetaX', () => {
  const part = {
    'metax-tech.com/sgpu': '1',
    'metax-tech.com/vcore': '30',
    'metax-tech.com/vmemory': '8',
  };
  const classKey = 'metax-tech.com/sgpu-app-class';

  scenario('share a card as the plugin allows it', async (cluster) => {
    const play: RealScenario['play'] = async ({ cluster: followed }) => {
      const run = async (name: string, annotations: Readonly<Record<string, string>>) => {
        await followed.create(manifestOf(name, { limits: [part], annotations }));
        return (await followed.running(name)).metadata.annotations ?? {};
      };
      const partsKey = 'metax-tech.com/gpu-devices-allocated';
      const offline = await run('offline', { [classKey]: 'offline' });
      const card = /"uuid":"([^"]+)"/.exec(offline[partsKey] ?? '')?.[1] ?? '';
      expect(offline['metax-tech.com/sgpu-qos-policy']).toBe('best-effort');
      expect(offline[partsKey]).toBe(`[[{"uuid":"${card}","compute":30,"vRam":8192}]]`);

      // The other card is taken by pods that name no class.
      await run('classless', { 'metax-tech.com/nouse-gpuuuid': card });
      const online = await run('online', { [classKey]: 'online' });
      expect(online['metax-tech.com/sgpu-qos-policy']).toBeUndefined();
      expect(online[partsKey]).toBe(`[[{"uuid":"${card}","vRam":8192}]]`);
      expect(online['hami.io/metax-sgpu-devices-allocated']).toBe(`${card},Metax-SGPU,8192,0:;`);

      await followed.create(manifestOf('late', { limits: [part], annotations: { [classKey]: 'offline' } }));
      await followed.untilEvent('late', 'FailedScheduling', '1 CardAppClassMismatch');
      await followed.delete('online');
      await followed.running('late');
    };
    const nodes = machines('sgpus', { family: 'metax-sgpu', cards: 2 }, 1);
    await playOn(cluster, tessera, { name: 'online and offline pods', nodes, play });
  });
});

describe('the scenarios of the embedded cluster', () => {
  for (const play of familyScenarios) {
    scenario(play.name, (cluster) => playOn(cluster, tessera, play));
  }
});
