/** Whole Node objects: what kubelet and the device plugin publish, with images, conditions and field owners. */
import type { ApiObject } from '../../src/emulator/api/api-object.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { AgentApi, type AgentClient } from '../../src/emulator/node-agent/agent-api.ts';
import { nodeAnnotations, nodeManifest } from '../../src/emulator/node-agent/node-object.ts';
import { BehaviourSwitch } from '../../src/emulator/node-agent/plugin-behaviour.ts';
import { MachinePlugins } from '../../src/emulator/node-agent/plugins/machine-plugins.ts';
import { systemClock } from '../../src/http/system-clock.ts';

/** A moment in 2026; nothing depends on which. */
const publishedMs = Date.UTC(2026, 0, 1);
const created = '2026-01-01T00:00:00Z';

export function nodeObject(description: NodeDescription, number: number, random: () => number): ApiObject {
  const publication = { nowMs: publishedMs, startedMs: publishedMs, random };
  return wholeNode(nodeManifest(pluginsOf(description), publication), number);
}

/** Plugins that publish and are never asked for devices, so that they call nobody. */
function pluginsOf(description: NodeDescription): MachinePlugins {
  const api = new AgentApi(nobody);
  const host = { node: description.name, api, clock: systemClock, behaviour: new BehaviourSwitch() };
  return new MachinePlugins(host, description);
}

const noCall = { kind: 'aborted', message: 'these plugins call nobody', ambiguous: false } as const;
const nobody: AgentClient = {
  request: () => Promise.resolve(noCall),
  stream: () => Promise.resolve(noCall),
};

/** What the node agent registers with, filled up to what kubelet sends. */
export function wholeNode(manifest: object, number: number): ApiObject {
  const { metadata, spec, status } = manifest as {
    readonly metadata: ApiObject['metadata'];
    readonly spec: object;
    readonly status: { readonly conditions: readonly object[] };
  };
  return {
    metadata: {
      ...metadata,
      uid: `a0000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
      creationTimestamp: created,
      managedFields,
    },
    spec: {
      ...spec,
      podCIDR: '10.1.0.0/24',
      podCIDRs: ['10.1.0.0/24'],
      providerID: `bench://${metadata.name}`,
    },
    status: { ...status, conditions: [...status.conditions, ...pressures], images },
  };
}

/** The device plugin's annotations once more, with the cards in another order. */
export function publishedAnew(
  description: NodeDescription,
  random: () => number,
): Readonly<Record<string, string>> {
  return nodeAnnotations(pluginsOf(description), { nowMs: publishedMs, startedMs: publishedMs, random });
}

const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
  type,
  status: 'False',
  reason: `KubeletHasNo${type}`,
  message: `kubelet has no ${type}`,
  lastHeartbeatTime: created,
  lastTransitionTime: created,
}));

/** Kubelet names the 50 largest images. */
const images = Array.from({ length: 50 }, (_, index) => ({
  names: [
    `registry.example.com/image-${index}@sha256:${String(index).padStart(64, '0')}`,
    `registry.example.com/image-${index}:v1`,
  ],
  sizeBytes: 1_000_000_000 + index,
}));

const managedFields = ['kubelet', 'kube-controller-manager', 'device-plugin'].map((manager) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: created,
  fieldsType: 'FieldsV1',
  fieldsV1: {
    'f:metadata': Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f:field${index}`, {}])),
  },
}));
