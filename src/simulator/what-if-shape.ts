/**
 * Nodes that do not exist yet: the planner's picture of one as it would register, from a node object or from a short
 * description of its cards. Nothing runs on it.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import { noUsage } from '../model/device.ts';
import { type DeviceView, makeNodeView, type NodeView } from '../model/node-view.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { DeviceState } from '../state/device-state.ts';
import { countedResources, type Vendor } from '../vendors/vendor.ts';

/** A node with cards of one kind. */
export interface DescribedNode {
  /** The first configured vendor where left out. */
  readonly vendor?: VendorKey;
  readonly cards: number;
  /** Product name; what a pod says of card types is compared with it. */
  readonly type: string;
  /** Of each card. */
  readonly memoryMiB: number;
  /** Of each card, in percent. */
  readonly corePercent: number;
  /** How many containers may share a card. */
  readonly slots: number;
  /** Of the host; absent: more than anybody asks for. */
  readonly cpuMilli?: number;
  /** Of the host; absent: more than anybody asks for. */
  readonly hostMemoryMiB?: number;
}

const plenty = Number.MAX_SAFE_INTEGER;
/** Kubelet's default `maxPods`. */
const podsPerNode = 110;

/** The node as it would register. Refuses a register that cannot be read. */
export function nodeFromObject(node: NodeObject, vendors: readonly Vendor[]): Parsed<NodeView> {
  const state = new DeviceState({ vendors, trustOf: () => 'at-least-request' });
  const [problem] = state.applyNode(node);
  if (problem !== undefined) return unparsable(`${problem.vendor}: ${problem.problem}`);
  const view = state.view(node.name);
  return view === undefined ? unparsable(`${node.name} is no node`) : parsed(view);
}

/**
 * The node that a description means. Refuses a vendor that is not configured, and one whose cards are more than a number
 * of equal parts: what its plugin would say of them has to be given as a node object.
 */
export function nodeFromDescription(described: DescribedNode, vendors: readonly Vendor[]): Parsed<NodeView> {
  const { vendor: key = vendors[0]?.key, cards, slots } = described;
  const vendor = vendors.find((one) => one.key === key);
  if (vendor === undefined) {
    return unparsable(
      `vendor ${key ?? ''} is not configured; those that are: ${vendors.map((one) => one.key).join(', ')}`,
    );
  }
  const { count } = vendor.resources;
  const counted = countedResources(vendor);
  if (vendor.cardRules !== undefined || counted.length !== 1 || counted[0] !== count) {
    return unparsable(`cards of ${vendor.key} cannot be described in short; give a node object`);
  }
  return parsed(
    makeNodeView({
      name: 'described',
      generation: 0,
      devices: Array.from({ length: cards }, (_, index) => cardOf(described, vendor.key, index)),
      countFree: new Map([[count, cards * slots]]),
      hostFree: {
        cpuMilli: described.cpuMilli ?? plenty,
        memoryMiB: described.hostMemoryMiB ?? plenty,
        pods: podsPerNode,
      },
      unavailable: new Map(),
    }),
  );
}

function cardOf(
  { type, slots, memoryMiB, corePercent }: DescribedNode,
  vendor: VendorKey,
  index: number,
): DeviceView {
  return {
    device: {
      id: `card-${index}`,
      vendor,
      index,
      type,
      slots,
      memoryMiB,
      corePercent,
      numa: 0,
      mode: '',
      healthy: true,
    },
    used: noUsage,
    withheld: false,
    cordoned: false,
    occupied: [],
    kinds: [],
    unclear: false,
  };
}
