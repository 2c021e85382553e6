/**
 * What a device family tells the rest of the house: a declarative row (names and keys) and a few hooks. The fit
 * ladder, the encoders, the selection annotations and the node lock exist once and read the row; a hook holds only
 * what the family really does differently. No code outside a vendor's own file may ask which vendor it has.
 */
import type { ContainerObject, NodeObject } from '../model/cluster-objects.ts';
import type { Device, VendorKey } from '../model/device.ts';
import type { DeviceRequest } from '../model/request.ts';

/** Names of extended resources; an absent one does not exist for this family. */
export interface VendorResources {
  /** How many devices. The only one that nodes advertise and kubelet counts. */
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
  readonly useTypes: string;
  readonly avoidTypes: string;
  readonly useIds: string;
  readonly avoidIds: string;
  readonly modes?: string;
  /** A Go bool: all cards of one container from one NUMA node. */
  readonly numaBound?: string;
  /** Where the scheduler reserves MIG instances for the plugin to make (spec §1.10). */
  readonly migReservations?: string;
}

export interface Vendor {
  readonly key: VendorKey;
  readonly resources: VendorResources;
  readonly annotations: VendorAnnotations;
  /** MiB that one unit of the memory resource stands for, in requests and in quotas. */
  readonly memoryUnitMiB: number;
  /** Whether the family's plugin serves the pod that the node's lock names; absent: it knows no lock. */
  readonly nodeLock?: true;
  /** The node annotation in which an administrator lists the ids of cards that get no new pods. */
  readonly cordonAnnotation?: string;
  /** The node annotations that `discover` reads; while they and the count resource stay, so does its answer. */
  readonly nodeAnnotations: readonly string[];
  /** The devices that a node offers now. Never throws, whatever the annotation holds. */
  discover(node: NodeObject): Discovery;
  /** What a container asks of this family. Never throws. */
  request(container: ContainerObject): RequestReading;
  /** What admission adds to a container; applied to its own result it adds nothing. */
  mutate(container: ContainerObject): ContainerMutation;
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
  /** Resource limits to set where they differ. */
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

/** All resource names of a family, count first. */
export function resourceNames({ resources }: Vendor): readonly string[] {
  const { count, memory, memoryPercent, cores, priority } = resources;
  return [count, memory, memoryPercent, cores, priority].filter((name) => name !== undefined);
}
