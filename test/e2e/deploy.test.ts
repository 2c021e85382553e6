import { readFile } from 'node:fs/promises';
import { describe, expect } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import {
  learningFile,
  learningValues,
  manifestsFile,
  renderManifests,
  renderVendorCases,
  serviceModeFile,
  serviceModeValues,
  vendorCasesFile,
} from '../../deploy/render-manifests.mjs';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { Cluster } from './harness/cluster.ts';
import { chartFolder, type Installer, startSharing } from './harness/installation.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { podManifest, untilPhase } from './harness/pods.ts';
import { useCluster } from './harness/use-cluster.ts';

let agent: NodeAgent;

const scenario = useCluster(async (cluster) => {
  agent = await startMachines(cluster, [makeMachine('gpu-1', 1)]);
  await cluster.kubectl(['create', 'namespace', 'tessera-system']);
});

/** Names of all objects of a rendering, each accepted by the API server; fields that it does not know are errors. */
async function dryRun(cluster: Cluster, manifest: string): Promise<readonly string[]> {
  const args = ['create', '--dry-run=server', '--validate=strict', '-o', 'name', '-f', '-'];
  return (await cluster.kubectl(args, { input: manifest })).trim().split('\n');
}

function countObjects(manifest: string): number {
  return parseAllDocuments(manifest).filter((document) => document.toJS() !== null).length;
}

const renderings: readonly { readonly name: string; readonly values: readonly string[] }[] = [
  { name: 'its defaults', values: [] },
  {
    name: 'one replica and a webhook that fails closed',
    values: ['replicas=1', 'webhook.failurePolicy=Fail'],
  },
  { name: 'kube-scheduler elsewhere', values: serviceModeValues },
  {
    name: 'two scheduler names',
    values: ['config.schedulerNames={tessera-scheduler,hami-scheduler}'],
  },
  {
    name: 'questions about evictions',
    values: ['config.preemptVerb=true', 'kubeScheduler.version=v1.38.0'],
  },
  { name: 'changes to every container', values: ['config.vendors.nvidia.overwriteEnv=true'] },
  {
    name: 'cards of many families',
    values: ['hygon', 'cambricon', 'metax', 'amd', 'vnpus'].map(
      (block) => `config.vendors.${block}.enabled=true`,
    ),
  },
  {
    name: 'a certificate of its own',
    values: [
      'tls.existingSecret=own-certificate',
      'webhook.annotations.cert-manager\\.io/inject-ca-from=tessera-system/own-certificate',
    ],
  },
  {
    name: 'other resource names and a device configuration',
    values: [
      'config.vendors.nvidia.resourceCountName=example.com/vgpu',
      'deviceConfig=nvidia: {defaultMemory: 1000}',
    ],
  },
];

describe('the manifests', () => {
  scenario('are accepted by the API server, every object', async (cluster) => {
    const text = await readFile(manifestsFile, 'utf8');
    expect(await dryRun(cluster, text)).toHaveLength(countObjects(text));
  });

  scenario('are what helm makes of the chart', async (cluster) => {
    const { helm } = cluster.binaries;
    expect(await readFile(manifestsFile, 'utf8')).toBe(renderManifests(helm));
    expect(await readFile(serviceModeFile, 'utf8')).toBe(renderManifests(helm, serviceModeValues));
    expect(await readFile(learningFile, 'utf8')).toBe(renderManifests(helm, learningValues));
    expect(await readFile(vendorCasesFile, 'utf8')).toBe(renderVendorCases(helm));
  });
});

describe('the chart', () => {
  scenario('is faultless to helm', async (cluster) => {
    expect(await cluster.helm(['lint', '--strict', chartFolder])).toContain(
      '1 chart(s) linted, 0 chart(s) failed',
    );
  });

  for (const { name, values } of renderings) {
    scenario(`with ${name} is accepted by the API server, every object`, async (cluster) => {
      const set = values.flatMap((value) => ['--set', value]);
      const text = await cluster.helm(['template', 'tessera', chartFolder, '-n', 'tessera-system', ...set]);
      expect(await dryRun(cluster, text)).toHaveLength(countObjects(text));
    });
  }

  scenario('refuses a kube-scheduler elsewhere whose authority is not told', async (cluster) => {
    const values = ['--set', 'kubeScheduler.enabled=false'];
    await expect(cluster.helm(['template', 'tessera', chartFolder, ...values])).rejects.toThrow(
      'extender.clientCaSecret: needed where kube-scheduler runs elsewhere',
    );
  });

  scenario('refuses to share nothing, as kube-scheduler would then send every pod', async (cluster) => {
    const values = ['--set', 'config.vendors.nvidia.enabled=false'];
    await expect(cluster.helm(['template', 'tessera', chartFolder, ...values])).rejects.toThrow(
      'config.vendors: no vendor is enabled',
    );
  });

  scenario(
    'refuses questions about evictions for a kube-scheduler that takes them for errors',
    async (cluster) => {
      const values = ['--set', 'config.preemptVerb=true', '--set', 'kubeScheduler.version=v1.37.4'];
      await expect(cluster.helm(['template', 'tessera', chartFolder, ...values])).rejects.toThrow(
        'needs kube-scheduler v1.38 or later, this is v1.37.4',
      );
    },
  );

  scenario(
    'installed under another name and in another namespace, works with the rights it gives',
    async (cluster) => {
      const namespace = 'sharing';
      const name = 'cards-tessera';
      const helm = (verb: string) =>
        cluster.helm([verb, 'cards', chartFolder, '-n', namespace, '--set', 'webhook.failurePolicy=Fail']);
      const chart: Installer = {
        namespace,
        name,
        install: async () => {
          await cluster.kubectl(['create', 'namespace', namespace]);
          await helm('install');
        },
      };
      await startSharing(cluster, chart);
      const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 3000 };
      await cluster.create([podManifest({ name: 'shared', containers: [{ limits }] })]);
      await untilPhase(cluster, 'shared', 'Running');
      expect(agent.book.faults).toEqual([]);

      // An upgrade keeps the authority that the server has put into the webhook.
      const bundle = [
        'get',
        'mutatingwebhookconfiguration',
        name,
        '-o',
        'jsonpath={.webhooks[0].clientConfig.caBundle}',
      ];
      const before = await cluster.kubectl(bundle);
      expect(before).not.toBe('');
      await helm('upgrade');
      expect(await cluster.kubectl(bundle)).toBe(before);
      await cluster.helm(['uninstall', 'cards', '-n', namespace]);
      const left = await cluster.kubectl([
        'get',
        'mutatingwebhookconfiguration,clusterrole,clusterrolebinding',
        '-o',
        'name',
      ]);
      expect(left.split('\n').filter((line) => line.includes('cards'))).toEqual([]);
    },
  );
});
