/**
 * The Node object that kubelet and the device plugin write together: capacity, conditions and the register annotation.
 * Only content is made here; nothing is sent.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import { devicesOf, type NodeDescription } from './node-description.ts';
import type { PluginFamily } from './plugin-family.ts';
import { formatRegister, shuffled } from './register-annotation.ts';

const defaultPods = 110;

/** The Node that kubelet registers with. */
export function nodeManifest(description: NodeDescription, family: PluginFamily, nowMs: number): object {
  const { name, labels = {}, taints = [] } = description;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', gpu: 'on', ...labels },
      annotations: nodeAnnotations(description, family, undefined),
    },
    spec: { taints },
    status: nodeStatus(description, family, nowMs),
  };
}

/** @param random shuffles the devices, as the plugin does on every publication; absent, they stay in order. */
export function nodeAnnotations(
  description: NodeDescription,
  family: PluginFamily,
  random: (() => number) | undefined,
): TextMap {
  const devices = devicesOf(description, family.vendor);
  const ordered = random === undefined ? devices : shuffled(devices, random);
  return {
    ...description.annotations,
    ...(devices.length === 0 ? {} : { [family.registerAnnotation]: formatRegister(ordered) }),
  };
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
