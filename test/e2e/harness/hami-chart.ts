/**
 * HAMi's chart with our program in place of its scheduler: what it installs, and its scheduler's pods, of which each is
 * the two processes that the chart puts into one, started with the chart's own arguments.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import { chartArguments } from '../../config/hami-chart-arguments.ts';
import type { Cluster } from './cluster.ts';
import { startKubeScheduler } from './control-plane.ts';
import { isAnswering } from './https-probe.ts';
import { inPod } from './pod-hostname.ts';
import { freePort, onFreePort } from './ports.ts';
import { adaptSchedulerConfig } from './scheduler-config.ts';
import { Service } from './service.ts';

export const hamiNamespace = 'hami-system';
const hamiName = 'hami-scheduler';

const chartFile = fileURLToPath(new URL('../hami-chart.yaml', import.meta.url));
const deviceConfigFile = fileURLToPath(new URL('../../config/device-config.yaml', import.meta.url));
/** In the image it is called `scheduler`, as HAMi's is. */
const schedulerEntry = fileURLToPath(new URL('../../../dist/hami-scheduler.js', import.meta.url));

/** As the chart leaves it, but for the lease's times, which a test would have to wait for. */
const leaseTimes = { leaseDuration: '4s', renewDeadline: '3s', retryPeriod: '1s' };

export interface HamiChart {
  /** Of the scheduler's service account. */
  readonly kubeconfig: string;
  readonly schedulerConfig: string;
  /** The webhook's authority, PEM. */
  readonly authority: string;
}

interface ChartObject {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly webhooks?: readonly { readonly clientConfig: object }[];
}

/** One pod of the scheduler. */
export interface HamiReplica {
  readonly pod: string;
  readonly kubeScheduler: Service;
  readonly server: Service;
  /** Of webhook, verbs and explanations, on this machine. */
  readonly port: number;
  readonly metricsPort: number;
}

/** Installs the chart's objects, and puts the webhook's certificate where its Secret would be mounted. */
export async function installHamiChart(cluster: Cluster): Promise<HamiChart> {
  const nowMs = Date.now();
  const authority = await issueAuthority({ commonName: 'hami', validDays: 1, nowMs });
  const names = [`${hamiName}.${hamiNamespace}.svc`, '127.0.0.1'];
  const leaf = await issueLeaf({ authority, names, validDays: 1, nowMs });
  if (!leaf.ok) throw new Error(leaf.problem);
  await cluster.folder.write('tls.crt', leaf.value.certificate);
  await cluster.folder.write('tls.key', leaf.value.key);

  const objects = parseAllDocuments(await readFile(chartFile, 'utf8')).map(
    (document) => document.toJS() as ChartObject,
  );
  const caBundle = Buffer.from(authority.certificate).toString('base64');
  await cluster.create(
    objects.map(({ webhooks, ...object }) => ({
      ...object,
      webhooks: webhooks?.map((one) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle } })),
    })),
  );
  const config = objects.find(({ kind }) => kind === 'ConfigMap')?.data?.['config.yaml'];
  const { leaderElection, ...rest } = parse(config ?? '') as { leaderElection: object };
  return {
    kubeconfig: await cluster.accountKubeconfig(hamiNamespace, hamiName),
    schedulerConfig: stringify({ ...rest, leaderElection: { ...leaderElection, ...leaseTimes } }),
    authority: authority.certificate,
  };
}

/** The scheduler's pod that the Deployment's controller would make. */
export function hamiPod(name: string, image: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: hamiNamespace,
      labels: {
        'app.kubernetes.io/component': hamiName,
        'app.kubernetes.io/name': 'hami',
        'app.kubernetes.io/instance': 'hami',
        'hami.io/webhook': 'ignore',
      },
    },
    spec: {
      containers: [
        { name: 'kube-scheduler', image: 'registry.invalid/kube-scheduler:v1.36.3' },
        { name: 'vgpu-scheduler-extender', image },
      ],
    },
  };
}

/** Starts both processes of a pod that exists, under its hostname; they end with the cluster. */
export async function startReplica(cluster: Cluster, chart: HamiChart, pod: string): Promise<HamiReplica> {
  const { folder, binaries } = cluster;
  const { server, port, metricsPort } = await onFreePort(async (main) => {
    const metrics = await freePort();
    const args = chartArguments({
      httpBind: `127.0.0.1:${main}`,
      metricsBindAddress: `127.0.0.1:${metrics}`,
      tlsDirectory: folder.path,
      deviceConfigFile,
      namespace: hamiNamespace,
      extraArgs: ['--debug', '-v=4'],
    });
    const started = await Service.start({
      folder,
      name: pod,
      ...inPod(pod, process.execPath, [schedulerEntry, ...args]),
      env: {
        ...process.env,
        KUBECONFIG: chart.kubeconfig,
        POD_NAME: pod,
        POD_NAMESPACE: hamiNamespace,
        HAMI_NODELOCK_EXPIRE: '5m',
      },
      isReady: () => isAnswering(`https://127.0.0.1:${main}/readyz`, chart.authority),
    });
    return { server: started, port: main, metricsPort: metrics };
  });
  cluster.adopt(server);
  const configFile = await folder.write(
    `${pod}.scheduler.yaml`,
    adaptSchedulerConfig(chart.schedulerConfig, {
      kubeconfig: chart.kubeconfig,
      extenderUrl: `https://127.0.0.1:${port}`,
    }),
  );
  const kubeScheduler = await onFreePort((free) =>
    startKubeScheduler({ folder, command: binaries.kubeScheduler, configFile, port: free, pod }),
  );
  cluster.adopt(kubeScheduler);
  return { pod, kubeScheduler, server, port, metricsPort };
}
