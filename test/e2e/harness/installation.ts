/**
 * Installs Tessera the way its documentation says, from the files in `deploy/`. What a Deployment's controller would
 * start, the run starts itself: the server and kube-scheduler as processes, with the configuration from the installed
 * ConfigMaps and with the rights of the installed service account.
 */
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { podManifest, type PodState } from './pods.ts';
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

export interface InstallOptions {
  /** The manifests where left out. */
  readonly installer?: Installer;
  /** Authority of the clients that may call the extender over the Service, PEM; else it serves its own pod alone. */
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
  const installed = await readConfigMap(cluster, installer, name, 'tessera.yaml');
  const config =
    extenderClientCa === undefined ? installed : await withClientCa(cluster, installed, extenderClientCa);
  const tessera = await Tessera.start(cluster, {
    kubeconfig,
    config: await cluster.folder.write('tessera.yaml', config),
    env: { POD_NAMESPACE: namespace, POD_NAME: await createOwnPod(cluster, installer) },
    isExtenderService: extenderClientCa !== undefined,
  });
  await cluster.routeService(namespace, name, tessera.port);
  await untilWebhookAnswers(cluster);
  const schedulerConfig = await readConfigMap(
    cluster,
    installer,
    `${name}-kube-scheduler`,
    'kube-scheduler.yaml',
  );
  return { tessera, kubeconfig, schedulerConfig };
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

/** The pod that the Deployment's controller would make; answers its name. */
async function createOwnPod(cluster: Cluster, { namespace, name }: Installer): Promise<string> {
  const text = await cluster.kubectl(['get', 'deployment', name, '-n', namespace, '-o', 'json']);
  const { spec } = JSON.parse(text) as { spec: { template: { metadata: object; spec: object } } };
  const { metadata, ...rest } = spec.template;
  const podName = `${name}-0`;
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
async function untilWebhookAnswers(cluster: Cluster): Promise<void> {
  const input = stringify(podManifest({ name: 'probe', containers: [{ limits: { 'nvidia.com/gpu': 1 } }] }));
  await eventually('the webhook takes a pod over', async () => {
    const text = await cluster.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], { input });
    const { schedulerName } = (JSON.parse(text) as PodState).spec;
    return schedulerName === 'tessera-scheduler' ? { done: true } : { not: schedulerName ?? 'no scheduler' };
  });
}
