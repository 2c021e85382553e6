/**
 * What the node agents really handed out, kept from their own observations alone: which pod received which devices of
 * whom, and for how long. It is the judge in tests: an over-committed card or a pod with another pod's devices becomes
 * a fault here, whatever the scheduler believes.
 */
import { effectiveUsage, type Share } from '../../model/allocation.ts';
import type { Clock } from '../../model/clock.ts';
import { type PodObject, podName, type TextMap } from '../../model/cluster-objects.ts';
import type { ContainerRole } from '../../model/container-role.ts';
import { type Device, deviceKey, type DeviceUsage, noUsage } from '../../model/device.ts';
import { isCut } from '../../model/mig.ts';
import { instanceFaults } from './instance-faults.ts';
import type { LiveInstance } from './mig-instances.ts';
import { type Clash, type HeldShare, sharingFaults } from './sharing-faults.ts';

export interface AllocationRecord {
  readonly atMs: number;
  readonly node: string;
  /** The pod that runs with the devices. */
  readonly podUid: string;
  readonly podName: string;
  readonly container: string;
  /** The pod from whose annotation they were taken. */
  readonly takenFromUid: string;
  readonly shares: readonly Share[];
  /** On cards in MIG mode: the instance of each share. */
  readonly instances: readonly LiveInstance[];
  /** What the container was told. */
  readonly env: TextMap;
}

/** What was taken for a container, and from whom. */
export interface Gift {
  /** Whose devices the plugin took. */
  readonly pod: PodObject;
  /** For which container they were written down. */
  readonly container: string;
  readonly shares: readonly Share[];
  readonly instances: readonly LiveInstance[];
  readonly env: TextMap;
  /** Which shares the family cannot have on one card. */
  readonly clash?: Clash;
  /** What is wrong with it though the plugin gives it all the same, a sentence each. */
  readonly oddities?: readonly string[];
}

interface Holder {
  readonly node: string;
  readonly pod: PodObject;
  /** Per container, in the pod's order. */
  readonly shares: (readonly Share[])[];
  /** Likewise; they stay until the pod ends, those of init containers, too. */
  readonly instances: (readonly LiveInstance[])[];
  initFinished: boolean;
}

export class AllocationBook {
  readonly #clock: Clock;
  readonly #records: AllocationRecord[] = [];
  readonly #faults: string[] = [];
  readonly #holders = new Map<string, Holder>();
  readonly #devices = new Map<string, readonly Device[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Every Allocate that was served, in order. */
  get records(): readonly AllocationRecord[] {
    return this.#records;
  }

  /** What must never happen, a sentence each. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Something that must never happen has happened. */
  addFault(sentence: string): void {
    this.#faults.push(sentence);
  }

  /** The cards that a node has from now on. */
  setDevices(node: string, devices: readonly Device[]): void {
    this.#devices.set(node, devices);
  }

  /**
   * @param given the pod and the container that kubelet asked for
   * @param meant what the plugin took
   */
  give(
    given: { readonly node: string; readonly pod: PodObject; readonly container: string },
    meant: Gift,
  ): void {
    const { node, pod, container } = given;
    const { uid: podUid } = pod;
    this.#records.push({
      atMs: this.#clock.nowMs(),
      node,
      podUid,
      podName: podName(pod),
      container,
      takenFromUid: meant.pod.uid,
      shares: meant.shares,
      instances: meant.instances,
      env: meant.env,
    });
    if (meant.pod.uid !== podUid) {
      this.#faults.push(
        `${podName(pod)} (${podUid}) was given the devices of ${podName(meant.pod)} (${meant.pod.uid})`,
      );
    } else if (meant.container !== container) {
      this.#faults.push(
        `${podName(pod)}: container ${container} was given the devices of ${meant.container}`,
      );
    }
    const holder = this.#holders.get(podUid) ?? {
      node,
      pod,
      shares: pod.containers.map(() => []),
      instances: pod.containers.map(() => []),
      initFinished: false,
    };
    this.#holders.set(podUid, holder);
    const index = pod.containers.findIndex(({ name }) => name === container);
    const role = pod.containers[index]?.role ?? 'app';
    this.#faults.push(...(meant.oddities ?? []));
    this.#checkInstances(node, role, meant);
    const families = new Set(meant.shares.map(({ vendor }) => vendor));
    // A family that is asked again for a container gives it the same again.
    const others = (holder.shares[index] ?? []).filter(({ vendor }) => !families.has(vendor));
    holder.shares[index] = others;
    const { shares, clash } = meant;
    if (clash !== undefined) {
      this.#faults.push(...sharingFaults({ podUid, role, shares, clash }, this.#heldShares(node)));
    }
    holder.shares[index] = [...others, ...shares];
    // One family alone makes instances; another's gift to the same container takes none away.
    if (meant.instances.length > 0 || others.length === 0) holder.instances[index] = meant.instances;
    this.#checkCards(node, shares);
  }

  /** The pod's plain init containers have ended: what only they held is free. */
  finishInit(podUid: string): void {
    const holder = this.#holders.get(podUid);
    if (holder !== undefined) holder.initFinished = true;
  }

  /** The pod's containers have ended. May be called for any pod. */
  end(podUid: string): void {
    this.#holders.delete(podUid);
  }

  /** What the containers of a node hold of each device now, by device id. */
  usageOf(node: string): ReadonlyMap<string, DeviceUsage> {
    const usage = new Map<string, DeviceUsage>();
    for (const { id, vendor } of this.#devices.get(node) ?? []) {
      usage.set(id, this.#usageOf(node, deviceKey(vendor, id)));
    }
    return usage;
  }

  /** The MIG instances that pods of a node hold now. */
  instancesOf(node: string): readonly LiveInstance[] {
    return [...this.#holders.values()]
      .filter((holder) => holder.node === node)
      .flatMap(({ instances }) => instances.flat());
  }

  #checkInstances(node: string, role: ContainerRole, { shares, instances }: Gift): void {
    const held = [...this.#holders.values()]
      .filter((holder) => holder.node === node)
      .flatMap((holder) =>
        holder.instances.flatMap((some, index) =>
          some.map((instance) => ({ instance, role: holder.pod.containers[index]?.role ?? 'app' })),
        ),
      );
    const devices = this.#devices.get(node) ?? [];
    this.#faults.push(...instanceFaults({ role, shares, instances }, held, devices));
  }

  /** What containers of a node hold that have not ended. */
  #heldShares(node: string): readonly HeldShare[] {
    return [...this.#holders].flatMap(([podUid, holder]) => {
      if (holder.node !== node) return [];
      return holder.shares.flatMap((shares, index) => {
        const role = holder.pod.containers[index]?.role ?? 'app';
        if (holder.initFinished && role === 'init') return [];
        return shares.map((share) => ({ share, podUid, role }));
      });
    });
  }

  #usageOf(node: string, key: string): DeviceUsage {
    let total = noUsage;
    for (const holder of this.#holders.values()) {
      if (holder.node !== node) continue;
      const roles = holder.pod.containers.map(({ role }) => role);
      const own = effectiveUsage(holder.shares, roles, holder.initFinished).get(key) ?? noUsage;
      total = {
        slots: total.slots + own.slots,
        memoryMiB: total.memoryMiB + own.memoryMiB,
        corePercent: total.corePercent + own.corePercent,
      };
    }
    return total;
  }

  #checkCards(node: string, shares: readonly Share[]): void {
    for (const { vendor, deviceId } of shares) {
      const device = this.#devices.get(node)?.find(({ id }) => id === deviceId);
      if (device === undefined) {
        this.#faults.push(`node ${node} has no device ${deviceId}`);
        continue;
      }
      const used = this.#usageOf(node, deviceKey(vendor, deviceId));
      const over = dimensionsOf(device).filter((dimension) => used[dimension] > device[dimension]);
      for (const dimension of over) {
        this.#faults.push(
          `device ${deviceId} of node ${node} is over-committed: ${used[dimension]} of ${device[dimension]} ${dimension}`,
        );
      }
    }
  }
}

/** The compute of MIG profiles is rounded up, so that all of a card may add up to more than it; slices tell instead. */
function dimensionsOf(device: Device): readonly (keyof DeviceUsage)[] {
  return isCut(device) ? ['slots', 'memoryMiB'] : ['slots', 'memoryMiB', 'corePercent'];
}
