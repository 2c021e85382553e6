/**
 * A real control plane for a benchmark: etcd, kube-apiserver and kube-scheduler as the end-to-end tests start them, and
 * the machines in a process of their own. kube-scheduler's configuration is the shipped one but for what depends on the
 * place: one replica needs no lease, and its client is not throttled, as one sets it for a large cluster.
 */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { Cluster } from '../../test/e2e/harness/cluster.ts';
import type { ApiLogin } from '../processes/api-login.ts';
import { type Child, startChild } from '../processes/child.ts';
import type { NodeAgentsAnswers } from '../processes/node-agents-process.ts';
import { podNamespace } from '../workload/pod-object.ts';

export interface RealCluster {
  readonly machines: Child<NodeAgentsAnswers>;
  readonly login: ApiLogin;
  /** Starts kube-scheduler anew. Without an extender it has none. */
  readonly startScheduler: (options: SchedulerOptions) => Promise<void>;
  readonly stopScheduler: () => Promise<void>;
}

export interface SchedulerOptions {
  readonly extenderUrl: string | undefined;
  /** 0 leaves it to kube-scheduler. */
  readonly percentageOfNodesToScore: number;
}

const shippedConfig = new URL('../../scheduler-config/tessera.yaml', import.meta.url);
/** Of kube-scheduler's client, per second; its defaults are 50 and 100. */
const clientConnection = { qps: 10_000, burst: 10_000 };
/** No controller runs that would take away the taint which this gives to every new node. */
const apiServerArgs = ['--disable-admission-plugins=TaintNodesByCondition'];
const machinesHeapMiB = 4096;

/** Starts everything, hands it to `use`, and ends all processes whatever happens. */
export async function withRealCluster<T>(
  descriptions: readonly NodeDescription[],
  seed: number,
  use: (cluster: RealCluster) => Promise<T>,
): Promise<T> {
  const cluster = await Cluster.start({ apiServerArgs });
  const machines = startChild<NodeAgentsAnswers>(
    new URL('../processes/node-agents-process.ts', import.meta.url),
    machinesHeapMiB,
  );
  const login = { url: cluster.url, proof: { token: cluster.adminToken, ca: cluster.ca } };
  try {
    for (const name of ['tessera-system', podNamespace]) await cluster.kubectl(['create', 'namespace', name]);
    await machines.ask('start', { login, machines: descriptions, seed });
    return await use({
      machines,
      login,
      startScheduler: async (options) => {
        const { extenderUrl } = options;
        await cluster.startScheduler(
          schedulerConfig(options),
          extenderUrl === undefined ? {} : { extenderUrl },
        );
      },
      stopScheduler: async () => {
        await cluster.scheduler?.end('SIGTERM');
      },
    });
  } finally {
    await machines.stop();
    await cluster.stop();
  }
}

function schedulerConfig({ extenderUrl, percentageOfNodesToScore }: SchedulerOptions): string {
  const { extenders, ...shipped } = parse(readFileSync(shippedConfig, 'utf8')) as {
    readonly extenders: readonly object[];
  };
  return stringify({
    ...shipped,
    leaderElection: { leaderElect: false },
    clientConnection,
    percentageOfNodesToScore,
    ...(extenderUrl === undefined ? {} : { extenders }),
  });
}
