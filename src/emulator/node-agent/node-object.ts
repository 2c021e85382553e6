/**
 * The Node object that kubelet and the device plugins write together: capacity, conditions and what each plugin says of
 * its devices. Only content is made here; nothing is sent.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import type { MachinePlugins } from './plugins/machine-plugins.ts';
import type { OfferedResource, Publication } from './plugins/node-plugin.ts';

const defaultPods = 110;

/** The Node that kubelet registers with. */
export function nodeManifest(plugins: MachinePlugins, publication: Publication): object {
  const { name, labels = {}, taints = [] } = plugins.description;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', gpu: 'on', ...labels },
      annotations: nodeAnnotations(plugins, publication),
    },
    spec: { taints },
    status: nodeStatus(plugins, publication.nowMs),
  };
}

/** What the machine was described with, and what its plugins say. */
export function nodeAnnotations({ description, all }: MachinePlugins, publication: Publication): TextMap {
  const published: Record<string, string> = { ...description.annotations };
  for (const plugin of all) Object.assign(published, plugin.annotations(publication));
  return published;
}

export function nodeStatus({ description, all }: MachinePlugins, nowMs: number): object {
  const { name, cpu, memory, pods = defaultPods } = description;
  const offers = all.flatMap((plugin) => plugin.offers());
  const amounts = (amountOf: (offer: OfferedResource) => number) => ({
    cpu,
    memory,
    pods: String(pods),
    ...Object.fromEntries(offers.map((offer) => [offer.name, String(amountOf(offer))])),
  });
  return {
    capacity: amounts(({ capacity }) => capacity),
    // Kubelet counts unhealthy devices as capacity only.
    allocatable: amounts(({ allocatable }) => allocatable),
    conditions: [readyCondition(nowMs)],
    addresses: [{ type: 'Hostname', address: name }],
    nodeInfo: {
      kubeletVersion: 'v1.36.0-tessera',
      osImage: 'emulated',
      containerRuntimeVersion: 'emulated://1',
      operatingSystem: 'linux',
      architecture: 'amd64',
      kernelVersion: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
      kubeProxyVersion: '',
    },
  };
}

export function readyCondition(nowMs: number): object {
  const now = new Date(nowMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'the emulated kubelet is ready',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
}
