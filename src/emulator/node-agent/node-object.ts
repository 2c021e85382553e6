/**
 * The Node object that kubelet and the device plugin write together: capacity, conditions and what the plugin says of
 * its devices. Only content is made here; nothing is sent.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import { formatHandshake } from './handshake.ts';
import { formatLinkScores } from './link-scores.ts';
import { devicesOf, type NodeDescription } from './node-description.ts';
import type { PluginFamily } from './plugin-family.ts';
import { traitsOf } from './plugin-version.ts';
import { formatRegister, shuffled } from './register-annotation.ts';

const defaultPods = 110;

/** One publication of the plugin. */
export interface Publication {
  readonly nowMs: number;
  /** When the plugin's process began. */
  readonly startedMs: number;
  /** Uniform in [0, 1): the plugin publishes its devices in another order each time (Q32). */
  readonly random: () => number;
}

/** The Node that kubelet registers with. */
export function nodeManifest(
  description: NodeDescription,
  family: PluginFamily,
  publication: Publication,
): object {
  const { name, labels = {}, taints = [] } = description;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', gpu: 'on', ...labels },
      annotations: nodeAnnotations(description, family, publication),
    },
    spec: { taints },
    status: nodeStatus(description, family, publication.nowMs),
  };
}

export function nodeAnnotations(
  description: NodeDescription,
  family: PluginFamily,
  publication: Publication,
): TextMap {
  const { annotations = {}, plugin = {} } = description;
  const devices = shuffled(devicesOf(description, family.vendor), publication.random);
  if (devices.length === 0) return annotations;
  const published: Record<string, string> = {
    ...annotations,
    [family.registerAnnotation]: formatRegister(devices, plugin.version),
  };
  if (plugin.publishesLinkScores === true) {
    published[family.linkScoreAnnotation] = formatLinkScores(devices);
  }
  if (traitsOf(plugin.version).writesHandshake) {
    published[family.handshakeAnnotation] = formatHandshake(publication.nowMs, publication.startedMs);
  }
  return published;
}

export function nodeStatus(description: NodeDescription, family: PluginFamily, nowMs: number): object {
  const { cpu, memory, pods = defaultPods } = description;
  const devices = devicesOf(description, family.vendor);
  const slotsOf = (some: typeof devices) => some.reduce((sum, { slots }) => sum + slots, 0);
  const base = { cpu, memory, pods: String(pods) };
  const counted = (slots: number) =>
    devices.length === 0 ? base : { ...base, [family.countResource]: String(slots) };
  return {
    capacity: counted(slotsOf(devices)),
    // Kubelet counts unhealthy devices as capacity only.
    allocatable: counted(allocatableSlots(description, family)),
    conditions: [readyCondition(nowMs)],
    addresses: [{ type: 'Hostname', address: description.name }],
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

/** How many containers kubelet lets in: one per slot of a healthy device. */
export function allocatableSlots(description: NodeDescription, family: PluginFamily): number {
  return devicesOf(description, family.vendor)
    .filter(({ healthy }) => healthy)
    .reduce((sum, { slots }) => sum + slots, 0);
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
