/**
 * Whole MetaX GPUs (vendors §7). Kubelet offers a number of them and the vendor's plugin picks the physical ones, so the
 * devices here are anonymous: they keep count of what is given to whom, and their ids mean nothing to anybody else.
 * There is no lock and no selection.
 *
 * The reference wants all containers of a pod on the same card, which for cards that are given once means that only one
 * container may have any (§7.11). Kubelet gives each container cards of its own, and so do we.
 */
import { countOf } from '../../model/quantity.ts';
import { askedQuantity, type NodeObject } from '../../model/cluster-objects.ts';
import { readDeviceRequest } from '../device-request.ts';
import { rateByTables, readTables, tableAnnotations } from './metax-gpu-tables.ts';
import type { Discovery, Vendor } from '../vendor.ts';

const key = 'Metax-GPU';

/** Far more than a node can hold; what claims more is no count of cards. */
const mostCards = 1024;

export function makeMetaxGpu(countResource: string): Vendor {
  const resources = { count: countResource };
  return {
    key,
    resources,
    annotations: {
      allocated: 'hami.io/metax-gpu-devices-allocated',
      toAllocate: 'hami.io/metax-gpu-devices-to-allocate',
    },
    memoryUnitMiB: 1,
    nodeAnnotations: tableAnnotations,
    cardRules: { rating: rateByTables },
    discover: (node) => discover(node, countResource),
    request: (container) =>
      readDeviceRequest(container, { vendor: key, resources, memoryUnitMiB: 1, defaultCores: 100 }),
    mutate: (container) => ({
      usesDevices: countOf(askedQuantity(container, countResource)) > 0,
      limits: {},
      env: {},
    }),
  };
}

/** As many cards as kubelet offers, not as the node has: a broken one is not offered, and none while the plugin is gone. */
function discover(node: NodeObject, countResource: string): Discovery {
  const offered = node.allocatable[countResource];
  if (offered === undefined) return { kind: 'none' };
  const cards = countOf(offered);
  if (cards === 0 || cards > mostCards) {
    return { kind: 'unavailable', detail: `allocatable ${countResource} is ${offered}` };
  }
  const { facts, problem } = readTables(node.annotations, cards);
  const devices = Array.from({ length: cards }, (_, index) => ({
    id: `${node.name}-metax-${index}`,
    vendor: key,
    index,
    type: key,
    slots: 1,
    // What the reference says of every card; a card is given whole, so it only has to be the same for all.
    memoryMiB: 65_536,
    corePercent: 100,
    numa: 0,
    mode: '',
    healthy: true,
    facts,
  }));
  return { kind: 'devices', devices, ...(problem === undefined ? {} : { problem }) };
}
