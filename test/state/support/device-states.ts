/**
 * States with nodes and pods for tests, and short forms of what they hold: usage as `slots/MiB/percent` by card, so
 * that a whole node reads as one line of a table.
 */
import type { DeviceUsage } from '../../../src/model/device.ts';
import type { NodeObject, PodObject, TextMap } from '../../../src/model/cluster-objects.ts';
import type { Trust } from '../../../src/state/charge.ts';
import { DeviceState } from '../../../src/state/device-state.ts';
import { makeNvidia } from '../../../src/vendors/nvidia/nvidia.ts';
import type { Vendor } from '../../../src/vendors/vendor.ts';
import { parseNode, parsePod } from '../../../src/wire/kubernetes.ts';
import {
  type GpuAmounts,
  gpuLimits,
  makeNodeObject,
  makePod,
  type NodeFields,
  type PodFields,
} from '../../support/kubernetes-objects.ts';
import { makeNvidiaConfig } from '../../vendors/nvidia-config.ts';

export const nvidiaVendors: readonly Vendor[] = [makeNvidia(makeNvidiaConfig())];

export interface StateFields {
  readonly trust?: Trust;
  readonly vendors?: readonly Vendor[];
  readonly nodes?: readonly NodeFields[];
}

/** A synced state with the given nodes. */
export function makeState({
  trust = 'as-written',
  vendors = nvidiaVendors,
  nodes = [],
}: StateFields = {}): DeviceState {
  const state = new DeviceState({ vendors, trustOf: () => trust });
  for (const node of nodes) state.applyNode(nodeObject(node));
  state.markSynced();
  return state;
}

export function nodeObject(fields: NodeFields = {}): NodeObject {
  const node = parseNode(makeNodeObject(fields));
  if (!node.ok) throw new Error(node.problem);
  return node.value;
}

export function podObject(fields: PodFields = {}): PodObject {
  const pod = parsePod(makePod(fields));
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}

export interface GpuPodFields extends PodFields {
  /** What the only container asks for; one card and 3000 MiB where neither this nor `containers` is given. */
  readonly gpu?: GpuAmounts;
  /** The allocation annotation; with it, the pod names its node as ours does. */
  readonly allocated?: string;
  /** Whether its container runs. */
  readonly running?: boolean;
}

/** A pod with one container that asks for cards. */
export function gpuPod({
  gpu = { count: 1, memoryMiB: 3000 },
  allocated,
  running = false,
  ...fields
}: GpuPodFields = {}): PodObject {
  const state = running ? ({ state: 'running' } as const) : {};
  return podObject({
    containers: [{ limits: gpuLimits(gpu), ...state }],
    ...fields,
    annotations: {
      ...(allocated === undefined ? {} : allocationAnnotations(fields.nodeName ?? '', allocated)),
      ...fields.annotations,
    },
  });
}

export function allocationAnnotations(node: string, value: string): TextMap {
  return {
    'hami.io/vgpu-node': node,
    'hami.io/vgpu-devices-allocated': value,
    'hami.io/vgpu-devices-to-allocate': value,
  };
}

/** One share as `slots/MiB/percent`. */
export function usageText({ slots, memoryMiB, corePercent }: DeviceUsage): string {
  return `${slots}/${memoryMiB}/${corePercent}`;
}

/** What is used of each card of a node by card id, `withheld` behind it where the card is set aside. */
export function cardsOf(state: DeviceState, node = 'n1'): Record<string, string> {
  const devices = state.view(node)?.devices ?? [];
  return Object.fromEntries(
    devices.map(({ device, used, withheld }) => [
      device.id,
      `${usageText(used)}${withheld ? ' withheld' : ''}`,
    ]),
  );
}

/** The ledger as `node state` by pod UID. */
export function ledgerOf(state: DeviceState): Record<string, string> {
  return Object.fromEntries(
    [...state.entries()].map((entry) => [entry.podUid, `${entry.node} ${entry.state}`]),
  );
}

/** Everything a view says but its generation. */
export function pictureOf(state: DeviceState, node: string): unknown {
  const view = state.view(node);
  if (view === undefined) return undefined;
  const { name, devices, countFree, unavailable, capacity } = view;
  return { name, devices, countFree, unavailable, capacity };
}
