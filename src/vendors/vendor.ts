/**
 * What a device family tells the rest of the house: a declarative row (names and keys) and a few hooks. The fit
 * ladder, the encoders, the selection annotations and the node lock exist once and read the row; a hook holds only
 * what the family really does differently. No code outside a vendor's own file may ask which vendor it has.
 */
import type { Allocation } from '../model/allocation.ts';
import type { ContainerObject, NodeObject, PodObject, TextMap } from '../model/cluster-objects.ts';
import type { Device, VendorKey } from '../model/device.ts';
import type { ContainerRequest, DeviceRequest } from '../model/request.ts';
import type { Parsed } from '../model/result.ts';
import type { CardRules } from './card-rules.ts';
import type { NodeLockProtocol } from './node-lock.ts';

/** Names of extended resources; an absent one does not exist for this family. */
export interface VendorResources {
  /** How many devices. */
  readonly count: string;
  readonly memory?: string;
  readonly memoryPercent?: string;
  readonly cores?: string;
  readonly priority?: string;
}

/** Keys of pod annotations. */
export interface VendorAnnotations {
  readonly allocated: string;
  readonly toAllocate: string;
  readonly useTypes?: string;
  readonly avoidTypes?: string;
  readonly useIds?: string;
  readonly avoidIds?: string;
  readonly modes?: string;
  /** A Go bool: all cards of one container from one NUMA node. */
  readonly numaBound?: string;
  /** Where the scheduler reserves MIG instances for the plugin to make (spec §1.10). */
  readonly migReservations?: string;
  /** Written by the scheduler or the plugin alone, beside those above: tenants may not set them. */
  readonly reserved?: readonly string[];
}

export interface Vendor {
  readonly key: VendorKey;
  readonly resources: VendorResources;
  readonly annotations: VendorAnnotations;
  /** MiB that one unit of the memory resource stands for, in requests and in quotas. */
  readonly memoryUnitMiB: number;
  /** MiB of a quota's limit on memory, where it is not always written as a number of such units. Never throws. */
  readonly readMemoryLimit?: (written: string) => Parsed<number>;
  /**
   * The resources that nodes advertise and kubelet counts; all pods' amounts of each must stay within what is
   * allocatable. The count resource where left out.
   */
  readonly counted?: readonly string[];
  /** How its plugin is told whose devices it will be asked for next; absent: it is not. */
  readonly nodeLock?: NodeLockProtocol;
  /**
   * Whether its plugin finds a pod, too, whose lock another family's plugin has given back already; absent: it does not,
   * and the pod would fail at kubelet.
   */
  readonly findsUnlockedPods?: true;
  /** The word of an allocation's entries: the family's key where left out, or the type of each device. */
  readonly entryWord?: 'device-type';
  /** The node annotation in which an administrator lists the ids of cards that get no new pods. */
  readonly cordonAnnotation?: string;
  /** The node annotations that `discover` reads; while they and the counted resources stay, so does its answer. */
  readonly nodeAnnotations: readonly string[];
  /** The node labels that it reads; likewise. */
  readonly nodeLabels?: readonly string[];
  /** The node annotation over which HAMi's scheduler and the plugin shake hands; nobody here waits for it. */
  readonly handshakeAnnotation?: string;
  /** The pod annotations that `request` and `mutate` read. */
  readonly podAnnotations?: readonly string[];
  /** What the family does differently when cards are chosen. */
  readonly cardRules?: CardRules;
  /** The devices that a node offers now. Never throws, whatever the annotation holds. */
  discover(node: NodeObject): Discovery;
  /** What a node's annotations tell of the version of its plugin; undefined where they tell nothing. */
  pluginVersion?(nodeAnnotations: TextMap): ImpliedVersion | undefined;
  /** What a container asks of this family. Never throws. */
  request(container: ContainerObject, podAnnotations: TextMap): RequestReading;
  /** What admission adds to a container; applied to its own result it adds nothing. */
  mutate(container: ContainerObject, podAnnotations: TextMap): ContainerMutation;
  /** What admission adds to the annotations of a pod that asks for the family's devices. */
  annotatePod?(podAnnotations: TextMap): TextMap;
  /**
   * What is wrong with the containers' requests together, e.g. where the plugin serves one container of a pod. They
   * come one per container, those that ask for nothing of the family included.
   */
  checkPod?(containers: readonly ContainerRequest[], podAnnotations: TextMap): readonly RequestProblem[];
  /** What the plugin reads of a bound pod beside the allocation, to be written in the same Binding. */
  annotateBinding?(placement: BoundPlacement): TextMap;
}

export interface ImpliedVersion {
  /** E.g. `v2.8 or v2.9`. */
  readonly versions: string;
  /** What tells it. */
  readonly because: string;
  /** True up to v2.7: CSV register, and a handshake that the plugin writes itself. */
  readonly beforeV28: boolean;
}

/** A pod's place, as it is about to be written. */
export interface BoundPlacement {
  readonly pod: Pick<PodObject, 'annotations' | 'containers'>;
  readonly node: string;
  /** This family's part: one list per container, init containers first. */
  readonly allocation: Allocation;
  /** The node's device of that id; undefined when it has left the node. */
  readonly deviceOf: (id: string) => Device | undefined;
  /** Since the epoch, in nanoseconds; no two placements have the same. */
  readonly timeNs: bigint;
}

/**
 * Which containers have an entry in the allocation string of a node's device plugin: `all`, init containers first, or
 * `apps` alone, as plugins before v2.9 count them.
 */
export type EntryLayout = 'all' | 'apps';

export type Discovery =
  /** The node has nothing of this family. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'devices';
      readonly devices: readonly Device[];
      /** What could not be read beside the devices, which are complete without it. */
      readonly problem?: string;
      /** `all` where absent. */
      readonly entries?: EntryLayout;
    }
  /** Published but not usable now, e.g. its plugin is gone. */
  | { readonly kind: 'unavailable'; readonly detail: string }
  /** Not readable: the last good devices stay, and somebody is told. */
  | { readonly kind: 'malformed'; readonly problem: string };

/** One field of a request that cannot be understood, in the words a user needs to mend it. */
export interface RequestProblem {
  /** Absent for a field of the pod itself. */
  readonly container?: string;
  readonly field: string;
  readonly value: string;
  readonly fix: string;
}

export type RequestReading =
  | { readonly ok: true; readonly request?: DeviceRequest; readonly warnings: readonly string[] }
  /** `charge` is what to reckon with when such a pod runs all the same: whole cards. */
  | {
      readonly ok: false;
      readonly problems: readonly RequestProblem[];
      readonly charge: DeviceRequest;
    };

export interface ContainerMutation {
  /** True when the container asks for this family's devices, by its own words or by the defaults added here. */
  readonly usesDevices: boolean;
  /** Resource limits to set where they differ, and requests where there are some. */
  readonly limits: Readonly<Record<string, string>>;
  /** Environment variables to set where they differ. */
  readonly env: Readonly<Record<string, string>>;
  /** For a pod that names none. */
  readonly runtimeClassName?: string;
}

export function problemSentence({ container, field, value, fix }: RequestProblem): string {
  const place = container === undefined ? '' : `container "${container}": `;
  return `${place}${field}: ${JSON.stringify(value)} ${fix}`;
}

/** What kubelet counts of a family. */
export function countedResources({ counted, resources }: Vendor): readonly string[] {
  return counted ?? [resources.count];
}

/** All resource names of a family, count first. */
export function resourceNames({ resources }: Vendor): readonly string[] {
  const { count, memory, memoryPercent, cores, priority } = resources;
  return [count, memory, memoryPercent, cores, priority].filter((name) => name !== undefined);
}
