/** A cluster in which everything that kube-scheduler and the extender say to each other is written down. */
import type { Cluster } from './cluster.ts';
import { type ExtenderCall, ExtenderTap } from './extender-tap.ts';
import { installTessera } from './installation.ts';
import { podManifest } from './pods.ts';

/** Installs Tessera, and starts kube-scheduler with a tap in between. */
export async function startTapped(cluster: Cluster): Promise<ExtenderTap> {
  const { tessera, kubeconfig, schedulerConfig } = await installTessera(cluster);
  const tap = await ExtenderTap.start(cluster, tessera.extenderUrl);
  await cluster.startScheduler(schedulerConfig, { kubeconfig, extenderUrl: tap.url });
  return tap;
}

export function callsFor(tap: ExtenderTap, pod: string, verb: ExtenderCall['verb']): readonly ExtenderCall[] {
  return tap.calls.filter((call) => call.pod === pod && call.verb === verb);
}

/** A pod with one share of one card. */
export function sharedPod(name: string, memoryMiB: number, spec: object = {}): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB };
  return podManifest({ name, containers: [{ limits }], spec });
}
