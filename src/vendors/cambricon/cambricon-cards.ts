/**
 * The MLUs of a node, derived from what kubelet says of their compute and memory (vendors §3.2): the capacity tells how
 * many there are, for an ill card stays in it, and the allocatable amounts tell whether the plugin is alive. Cards that
 * nobody offers are never kept. Which of several cards is ill is told by neither.
 */
import type { NodeObject, TextMap } from '../../model/cluster-objects.ts';
import type { Device, VendorKey } from '../../model/device.ts';
import { countOf } from '../../model/quantity.ts';
import type { Discovery } from '../vendor.ts';

/** The label in which the plugin (from v2.0.20, with `--node-label`) tells the model, e.g. `MLU370-S4`. */
export const modelLabel = 'Model';

export interface CardSource {
  readonly vendor: VendorKey;
  /** Resource: 100 per card. */
  readonly cores: string;
  /** Resource: the memory of all cards, in units of `unitMiB`. */
  readonly memory: string;
  readonly unitMiB: number;
}

const coresPerCard = 100;
const slotsPerCard = 100;
/** More than any machine holds; whatever says otherwise is not to be believed. */
const mostCards = 1024;
const largestInt32 = 2 ** 31 - 1;

/** Never throws. */
export function cambriconCards(node: NodeObject, source: CardSource): Discovery {
  const { cores, memory, unitMiB } = source;
  const resources = [cores, memory];
  if (!resources.some((name) => name in node.capacity || name in node.allocatable)) return { kind: 'none' };
  // kubelet leaves a resource of a plugin that is gone at 0 for good.
  const missing = resources.find(
    (name) => countOf(node.capacity[name]) === 0 || countOf(node.allocatable[name]) === 0,
  );
  if (missing !== undefined) {
    return {
      kind: 'unavailable',
      detail: `capacity or allocatable ${missing} is 0: the device plugin does not run in mode dynamic-smlu or has no healthy card`,
    };
  }
  const capacity = countOf(node.capacity[cores]);
  const count = Math.ceil(capacity / coresPerCard);
  const memoryMiB = Math.floor((countOf(node.capacity[memory]) * unitMiB * coresPerCard) / capacity);
  if (count > mostCards || memoryMiB > largestInt32) {
    return { kind: 'unavailable', detail: `no machine has ${count} cards of ${memoryMiB} MiB` };
  }
  const type = modelOf(node.labels, source.vendor);
  const devices = Array.from({ length: count }, (_, slot): Device => ({
    id: `${node.name}${infix}${slot}`,
    vendor: source.vendor,
    index: slot,
    type,
    slots: slotsPerCard,
    memoryMiB,
    corePercent: coresPerCard,
    numa: 0,
    mode: 'dynamic-smlu',
    healthy: true,
  }));
  return { kind: 'devices', devices };
}

const infix = '-cambricon-mlu-';

/** The slot by which the plugin knows a card. */
export function slotOf(deviceId: string): number {
  return Number(deviceId.slice(deviceId.lastIndexOf(infix) + infix.length));
}

/** Anybody may use a label of so common a name, so only what looks like a model of the family is taken for one. */
function modelOf(labels: TextMap, vendor: VendorKey): string {
  const model = labels[modelLabel]?.trim() ?? '';
  return model.toUpperCase().includes(vendor) ? model : vendor;
}
