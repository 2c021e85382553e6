/** Tessera as installed, beside kube-scheduler, but with faults on its way to the API server. */
import { readFile } from 'node:fs/promises';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { FaultyApi, type FaultyApiOptions } from './faulty-api.ts';
import { createOwnPod, manifests, serverConfig, untilWebhookAnswers } from './installation.ts';
import { ServiceStartError } from './service.ts';
import { Tessera } from './tessera.ts';

export interface FaultyCluster {
  readonly tessera: Tessera;
  readonly api: FaultyApi;
}

const { namespace, name } = manifests;
const schedulerConfig = new URL('../../../scheduler-config/tessera.yaml', import.meta.url);

/** @param auditSeconds between two audits of the ledger */
export async function startFaulty(
  cluster: Cluster,
  { auditSeconds, ...options }: FaultyApiOptions & { readonly auditSeconds: number },
): Promise<FaultyCluster> {
  await manifests.install(cluster);
  const api = await FaultyApi.start(cluster, options);
  const tessera = await Tessera.start(cluster, {
    kubeconfig: await api.kubeconfig(namespace, name),
    config: await serverConfig(cluster, manifests),
    env: {
      POD_NAMESPACE: namespace,
      POD_NAME: await createOwnPod(cluster, manifests, `${name}-0`),
      TESSERA_AUDIT_SECONDS: String(auditSeconds),
    },
  });
  await cluster.routeService(namespace, name, tessera.port);
  await untilWebhookAnswers(cluster);
  const kubeconfig = await cluster.accountKubeconfig(namespace, name);
  const { extenderUrl } = tessera;
  await cluster.startScheduler(await readFile(schedulerConfig, 'utf8'), { kubeconfig, extenderUrl });
  return { tessera, api };
}

/** Starts a dead server again and again, as its kubelet does, until it has found all that it needs to start. */
export function comeBack(tessera: Tessera): Promise<true> {
  return eventually(
    'the server is ready again',
    async () => {
      try {
        await tessera.startAgain();
        return { done: true as const };
      } catch (error) {
        if (error instanceof ServiceStartError) return { not: error.message };
        throw error;
      }
    },
    30_000,
  );
}
