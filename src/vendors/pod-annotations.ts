/**
 * The pod annotations that belong to the scheduler and the device plugin, not to a vendor (spec §1.8). A tenant may
 * not set them: admission removes them, and the ledger believes them only on bound pods.
 */
import type { Vendor } from './vendor.ts';

/** Annotation, and label, that name the chosen node. */
export const nodeAnnotation = 'hami.io/vgpu-node';
/** Unix seconds of the placement, decimal. */
export const timeAnnotation = 'hami.io/vgpu-time';
/** `allocating`, then `success` or `failed` by the device plugin. */
export const bindPhaseAnnotation = 'hami.io/bind-phase';
/** Unix seconds of the bind, decimal. */
export const bindTimeAnnotation = 'hami.io/bind-time';
export const migAllocationsAnnotation = 'hami.io/vgpu-mig-allocations';
/** Our signature under an allocation. */
export const sealAnnotation = 'tessera.io/seal';
/** The kinds of an allocation's shares (`share-kinds.ts`); under the seal where there is one. */
export const kindsAnnotation = 'tessera.io/kinds';

/** Every annotation key that a tenant may not set on a new pod. */
export function reservedAnnotations(vendors: readonly Vendor[]): readonly string[] {
  // Several vendors may reserve one key; to remove an annotation twice is an error of JSON Patch.
  const keys = [
    nodeAnnotation,
    timeAnnotation,
    bindPhaseAnnotation,
    bindTimeAnnotation,
    migAllocationsAnnotation,
    sealAnnotation,
    kindsAnnotation,
    ...vendors.flatMap(({ annotations: { allocated, toAllocate, reserved = [] } }) => [
      allocated,
      toAllocate,
      ...reserved,
    ]),
  ];
  return [...new Set(keys)];
}

/** Label keys that a tenant may not set on a new pod: the device monitor lists pods by it. */
export const reservedLabels: readonly string[] = [nodeAnnotation];
