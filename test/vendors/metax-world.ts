/** MetaX nodes as the vendor's plugin publishes them, and pods that ask for whole GPUs or for sGPUs. */
import { metaxFamily } from '../../src/vendors/metax/metax.ts';
import type { NodeFields, PodFields } from '../support/kubernetes-objects.ts';
import { vendorsOf } from './family-vendors.ts';
import { VendorWorld, type WorldFields } from './vendor-world.ts';

export const [gpuVendor, sgpuVendor] = vendorsOf(metaxFamily);
export const publication = 'metax-tech.com/node-gpu-devices';
export const given = 'metax-tech.com/gpu-devices-allocated';
export const losses = 'metax-tech.com/gpu.topology.losses';
export const scores = 'metax-tech.com/gpu.topology.scores';
export const appClass = 'metax-tech.com/sgpu-app-class';
export const qosPolicy = 'metax-tech.com/sgpu-qos-policy';
export const topologyAware = 'metax-tech.com/sgpu-topology-aware';

/** The card of the protocol's example (vendors §8.2). */
export const exampleCard = {
  uuid: 'GPU-123',
  model: 'sgpu',
  totalDevCount: 16,
  totalCompute: 100,
  bdf: '0000:44:00.0',
  totalVRam: 32_768,
  numa: 1,
  healthy: true,
  qosPolicy: 'fixed-share',
};

export type CardChanges = Partial<typeof exampleCard> & { readonly linkZone?: number };

/** The example's card under another id, with no QoS policy of its own, changed where a case says so. */
export function card(uuid: string, changes: CardChanges = {}): object {
  return { ...exampleCard, uuid, qosPolicy: '', ...changes };
}

/** Cards `GPU-1`, `GPU-2`... of these MetaXLink zones. */
export function cardsOfZones(...zones: readonly number[]): readonly object[] {
  return zones.map((linkZone, index) => card(`GPU-${index + 1}`, { linkZone }));
}

/** A node whose plugin runs in sGPU mode and publishes these cards. */
export function sgpuNode(cards: readonly object[], fields: NodeFields = {}): NodeFields {
  return {
    name: 'n1',
    allocatable: { 'metax-tech.com/sgpu': String(cards.length * 16) },
    ...fields,
    annotations: { [publication]: JSON.stringify(cards), ...fields.annotations },
  };
}

export function sgpuWorld(cards: readonly object[], fields: Partial<WorldFields> = {}): VendorWorld {
  return new VendorWorld({ vendors: [sgpuVendor!], nodes: [sgpuNode(cards)], ...fields });
}

export interface SgpuAmounts {
  readonly count?: number | string;
  readonly memory?: number | string;
  readonly cores?: number | string;
}

export function sgpuLimits({ count, memory, cores }: SgpuAmounts): Readonly<Record<string, string>> {
  const named = {
    'metax-tech.com/sgpu': count,
    'metax-tech.com/vmemory': memory,
    'metax-tech.com/vcore': cores,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, amount]) => (amount === undefined ? [] : [[name, String(amount)]])),
  );
}

/** A pod whose only container asks for this: one card where it names no count. */
export function sgpuPod(
  { count = 1, ...amounts }: SgpuAmounts,
  annotations: PodFields['annotations'] = {},
  name = 'pod-1',
): PodFields {
  return { name, annotations, containers: [{ limits: sgpuLimits({ count, ...amounts }) }] };
}
