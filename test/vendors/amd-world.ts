/** AMD nodes as their plugin publishes them, and pods that ask for their GPUs. */
import { amdFamily } from '../../src/vendors/amd.ts';
import type { NodeFields } from '../support/kubernetes-objects.ts';
import { vendorsOf } from './family-vendors.ts';
import { VendorWorld, type WorldFields } from './vendor-world.ts';

export const amdVendors = vendorsOf(amdFamily);
export const register = 'hami.io/node-amd-register';
export const allocated = 'hami.io/amd-devices-allocated';
export const mi300x = 'AMD Instinct MI300X';

/** The card of the protocol's example (vendors §14.2). */
export const exampleCard = {
  id: '66ff74a1-0000-1000-80d7-8f9f1f3ab001',
  count: 10,
  devmem: 196_288,
  devcore: 304,
  type: mi300x,
  health: true,
  custominfo: { pciBDF: '0000:05:00.0' },
};

/** The example's card under another id, changed where a case says so. */
export function card(id: string, changes: Partial<typeof exampleCard> & { readonly index?: number } = {}) {
  return { ...exampleCard, id, ...changes };
}

/** A node whose plugin runs and publishes these cards. */
export function amdNode(cards: readonly object[], fields: NodeFields = {}): NodeFields {
  return {
    name: 'n1',
    allocatable: { 'amd.com/gpu': String(cards.length * 10) },
    ...fields,
    annotations: { [register]: JSON.stringify(cards), ...fields.annotations },
  };
}

export function amdWorld(cards: readonly object[], fields: Partial<WorldFields> = {}): VendorWorld {
  return new VendorWorld({ vendors: amdVendors, nodes: [amdNode(cards)], ...fields });
}

export interface AmdAmounts {
  readonly count?: number | string;
  readonly memoryMiB?: number | string;
  readonly percent?: number | string;
}

export function amdLimits({ count, memoryMiB, percent }: AmdAmounts): Readonly<Record<string, string>> {
  const named = { 'amd.com/gpu': count, 'amd.com/gpumem': memoryMiB, 'amd.com/gpucores': percent };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, amount]) => (amount === undefined ? [] : [[name, String(amount)]])),
  );
}

/** A pod whose only container asks for this. */
export function amdPod(amounts: AmdAmounts, name = 'pod-1') {
  return { name, containers: [{ limits: amdLimits(amounts) }] };
}
