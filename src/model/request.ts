/**
 * What a pod asks for, parsed once per pod and free of Kubernetes spellings: numbers are integers in MiB and percent,
 * absent means "not given".
 */
import type { ContainerRole } from './container-role.ts';
import type { Device, VendorKey } from './device.ts';
import type { HostAmounts } from './host-amounts.ts';

export type MemoryRequest =
  | { readonly kind: 'mib'; readonly memoryMiB: number }
  | { readonly kind: 'percent'; readonly percent: number };

/** What one container asks of one vendor: `count` distinct devices, each with the same memory and cores. */
export interface DeviceRequest {
  readonly vendor: VendorKey;
  readonly count: number;
  readonly memory: MemoryRequest;
  /** 0..100 percent of one device; 0 asks for no guaranteed compute. */
  readonly corePercent: number;
  /** How its shares get on with others on a card, in the family's own word; absent where all shares are alike. */
  readonly kind?: string;
  /** It takes what compute is left, so that none is reckoned. */
  readonly anyCompute?: true;
}

export interface ContainerRequest {
  readonly name: string;
  readonly role: ContainerRole;
  /** At most one per vendor, in the vendors' configured order; empty when the container needs no device. */
  readonly devices: readonly DeviceRequest[];
}

/** Which devices of a vendor a pod accepts; empty lists accept all. */
export interface DeviceSelector {
  /** Lower-case fragments; a device's type must contain one of them. */
  readonly useTypes: readonly string[];
  /** Lower-case fragments; a device's type must contain none of them. */
  readonly avoidTypes: readonly string[];
  readonly useIds: readonly string[];
  readonly avoidIds: readonly string[];
  /** The wanted operating modes as written; a device fits if the text contains its mode. */
  readonly modes?: string;
  /** All cards of one container must be on one NUMA node. */
  readonly numaBound: boolean;
}

/** `fragmentation`: by what a placement leaves for the pods to come (`PolicyDefaults.scoring`). */
export type NodePolicy = 'binpack' | 'spread' | 'fragmentation';

/** One key by which cards are compared; it says which card is taken first. */
export type CardOrderKey = 'fullest' | 'emptiest' | 'fewest-sharers' | 'highest-numa' | 'lowest-numa';

/** How cards are chosen within a node. */
export interface DevicePolicy {
  /** The first key that tells two cards apart decides. */
  readonly order: readonly CardOrderKey[];
  /** The same for containers whose cards must be on one NUMA node. */
  readonly numaBoundOrder: readonly CardOrderKey[];
  /** `mutex`: the pod takes only cards that nobody uses. */
  readonly idleOnly: boolean;
  /** `topology-aware`: the best linked cards for several, the worst linked one for a single card. */
  readonly topologyAware: boolean;
}

/** How much each dimension counts when a card's fullness is judged; not all are 0. */
export interface ScoringWeights {
  readonly slots: number;
  readonly cores: number;
  readonly memory: number;
}

export const equalWeights: ScoringWeights = { slots: 1, cores: 1, memory: 1 };

export interface PodRequest {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  /** One per container, init containers first, in spec order. */
  readonly containers: readonly ContainerRequest[];
  readonly selectors: ReadonlyMap<VendorKey, DeviceSelector>;
  /** Effective amount of every vendor's count resource, by resource name; only positive ones. */
  readonly counts: ReadonlyMap<string, number>;
  /** What it takes of the node beside devices; kube-scheduler judges it, our measures look at it. */
  readonly host: HostAmounts;
  /** From the pod's annotations; the configuration's policy applies where absent. */
  readonly nodePolicy?: NodePolicy;
  readonly devicePolicy?: DevicePolicy;
  /** Equal ones where absent. */
  readonly weights?: ScoringWeights;
  /** The pod's scheduling priority; 0 when it has none. */
  readonly priority: number;
}

/** MiB that a request needs of a device; a percentage rounds down, as the device plugins do (spec Q30). */
export function memoryNeedMiB(memory: MemoryRequest, device: Device): number {
  return memory.kind === 'mib' ? memory.memoryMiB : Math.floor((device.memoryMiB * memory.percent) / 100);
}

export function asksForDevices(request: PodRequest): boolean {
  return request.containers.some((container) => container.devices.length > 0);
}
