/**
 * Installs Tessera the way its documentation says, from the files in `deploy/`. What a Deployment's controller would
 * start, the run starts itself: the server and kube-scheduler as processes, with the configuration from the installed
 * ConfigMaps and with the rights of the installed service account.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { serviceModeValues } from '../../../deploy/render-manifests.mjs';
import type { Mapping } from '../../../src/wire/mapping.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { podManifest, type PodState } from './pods.ts';
import type { ExtenderTls } from './scheduler-config.ts';
import { Tessera } from './tessera.ts';

/** What puts Tessera's objects into the cluster. */
export interface Installer {
  readonly namespace: string;
  /** Of the Deployment, the Service, the service account, the server's ConfigMap and the webhook. */
  readonly name: string;
  readonly install: (cluster: Cluster) => Promise<void>;
}

export interface Installation {
  readonly tessera: Tessera;
  /** Of the service account under which both processes run. */
  readonly kubeconfig: string;
  /** kube-scheduler's configuration as installed. */
  readonly schedulerConfig: string;
}

export const chartFolder = pathOf('deploy/chart');

export const manifests: Installer = {
  namespace: 'tessera-system',
  name: 'tessera',
  install: async (cluster) => {
    await cluster.kubectl(['create', 'namespace', 'tessera-system']);
    await cluster.kubectl(['apply', '-f', pathOf('deploy/manifests/')]);
  },
};

/** The chart for a kube-scheduler elsewhere. */
export const serviceMode: Installer = {
  namespace: 'tessera-system',
  name: 'tessera',
  install: async (cluster) => {
    const set = serviceModeValues.flatMap((value) => ['--set', value]);
    const place = ['--namespace', 'tessera-system', '--create-namespace'];
    await cluster.helm(['install', 'tessera', chartFolder, ...place, ...set]);
  },
};

/** The chart with settings of the server, whose vendors decide what the webhook and kube-scheduler send it, too. */
export function chartWith(config: Mapping): Installer {
  return {
    namespace: 'tessera-system',
    name: 'tessera',
    install: async (cluster) => {
      // JSON is YAML.
      const values = await cluster.folder.write('values.yaml', JSON.stringify({ config }));
      const place = ['--namespace', 'tessera-system', '--create-namespace'];
      await cluster.helm(['install', 'tessera', chartFolder, ...place, '--values', values]);
    },
  };
}

export interface InstallOptions {
  /** The manifests where left out. */
  readonly installer?: Installer;
  /** Authority of the clients that may call the extender, PEM, where the installation is for a kube-scheduler elsewhere. */
  readonly extenderClientCa?: string;
}

/** Installs and starts the server; resolves when the API server consults its webhook. */
export async function installTessera(
  cluster: Cluster,
  { installer = manifests, extenderClientCa }: InstallOptions = {},
): Promise<Installation> {
  const { namespace, name } = installer;
  await installer.install(cluster);
  const kubeconfig = await cluster.accountKubeconfig(namespace, name);
  const tessera = await Tessera.start(cluster, {
    kubeconfig,
    config: await serverConfig(cluster, installer, extenderClientCa),
    env: { POD_NAMESPACE: namespace, POD_NAME: await createOwnPod(cluster, installer, `${name}-0`) },
    isExtenderService: extenderClientCa !== undefined,
  });
  await cluster.routeService(namespace, name, tessera.port);
  if (extenderClientCa !== undefined) {
    await cluster.routeService(namespace, `${name}-extender`, tessera.port);
  }
  await untilWebhookAnswers(cluster);
  const schedulerConfig =
    extenderClientCa === undefined
      ? await readConfigMap(cluster, installer, `${name}-kube-scheduler`, 'kube-scheduler.yaml')
      : await readFile(pathOf('scheduler-config/tessera-service.yaml'), 'utf8');
  return { tessera, kubeconfig, schedulerConfig };
}

/** The path of the server's configuration as installed, with the authority of clients where its Secret would be mounted. */
export async function serverConfig(
  cluster: Cluster,
  installer: Installer,
  extenderClientCa?: string,
): Promise<string> {
  const installed = await readConfigMap(cluster, installer, installer.name, 'tessera.yaml');
  const config =
    extenderClientCa === undefined ? installed : await withClientCa(cluster, installed, extenderClientCa);
  return cluster.folder.write('tessera.yaml', config);
}

/** Installs Tessera and starts kube-scheduler beside it, as the two containers of one pod. */
export async function startSharing(cluster: Cluster, installer?: Installer): Promise<Tessera> {
  const options = installer === undefined ? {} : { installer };
  const { tessera, kubeconfig, schedulerConfig } = await installTessera(cluster, options);
  await cluster.startScheduler(schedulerConfig, { kubeconfig, extenderUrl: tessera.extenderUrl });
  return tessera;
}

function pathOf(inRepository: string): string {
  return fileURLToPath(new URL(`../../../${inRepository}`, import.meta.url));
}

async function withClientCa(cluster: Cluster, config: string, clientCa: string): Promise<string> {
  const clientCaFile = await cluster.folder.write('extender-clients.crt', clientCa);
  const { tls, ...rest } = parse(config) as { tls: object };
  return stringify({ ...rest, tls: { ...tls, clientCaFile } });
}

/** A pod that the Deployment's controller would make; answers its name. */
export async function createOwnPod(
  cluster: Cluster,
  { namespace, name }: Installer,
  podName: string,
): Promise<string> {
  const text = await cluster.kubectl(['get', 'deployment', name, '-n', namespace, '-o', 'json']);
  const { spec } = JSON.parse(text) as { spec: { template: { metadata: object; spec: object } } };
  const { metadata, ...rest } = spec.template;
  await cluster.create([
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace, name: podName }, ...rest },
  ]);
  return podName;
}

async function readConfigMap(
  cluster: Cluster,
  { namespace }: Installer,
  configMap: string,
  file: string,
): Promise<string> {
  const text = await cluster.kubectl(['get', 'configmap', configMap, '-n', namespace, '-o', 'json']);
  const { data } = JSON.parse(text) as { data: Readonly<Record<string, string>> };
  const content = data[file];
  if (content === undefined) throw new Error(`ConfigMap ${configMap} has no ${file}`);
  return content;
}

/** The API server takes a moment to load a new webhook and its authority. */
export async function untilWebhookAnswers(cluster: Cluster): Promise<void> {
  const input = stringify(podManifest({ name: 'probe', containers: [{ limits: { 'nvidia.com/gpu': 1 } }] }));
  await eventually('the webhook takes a pod over', async () => {
    const text = await cluster.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], { input });
    const { schedulerName } = (JSON.parse(text) as PodState).spec;
    return schedulerName === 'tessera-scheduler' ? { done: true } : { not: schedulerName ?? 'no scheduler' };
  });
}

/** Starts kube-scheduler with the configuration for one that runs elsewhere. */
export async function scheduleFromElsewhere(cluster: Cluster, extenderTls: ExtenderTls): Promise<void> {
  const config = await readFile(pathOf('scheduler-config/tessera-service.yaml'), 'utf8');
  // Its own user may use no lease but that of the cluster's kube-scheduler.
  await cluster.startScheduler(config, { kubeconfig: cluster.adminKubeconfig, extenderTls });
}
