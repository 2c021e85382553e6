/**
 * What must never happen with MIG instances: two that overlap, one that is given twice, an allocation that says
 * something else than its instance is. A sentence for each, for the book of what was handed out.
 */
import type { Share } from '../../model/allocation.ts';
import type { ContainerRole } from '../../model/container-role.ts';
import type { Device } from '../../model/device.ts';
import { overlaps } from '../../model/mig.ts';
import type { LiveInstance } from './mig-instances.ts';

/** An instance in the hands of a container. */
export interface HeldInstance {
  readonly instance: LiveInstance;
  readonly role: ContainerRole;
}

export interface GivenInstances {
  /** Of the container that gets them. */
  readonly role: ContainerRole;
  readonly shares: readonly Share[];
  /** One per share. */
  readonly instances: readonly LiveInstance[];
}

/** @param held what other containers of the node have, those of the same pod among them */
export function instanceFaults(
  { role, shares, instances }: GivenInstances,
  held: readonly HeldInstance[],
  devices: readonly Device[],
): readonly string[] {
  return instances.flatMap((instance, position) => {
    const others = held.filter((other) => !takeTurns({ instance, role }, other));
    const rivals = [...others.map((other) => other.instance), ...instances.slice(0, position)];
    return [
      ...rivals.filter((rival) => areInTheWay(instance, rival)).map((rival) => collision(instance, rival)),
      ...findWrongShare(instance, shares[position], devices),
    ];
  });
}

/** A pod's init container and its successors may use the very same instance one after the other. */
function takeTurns(one: HeldInstance, other: HeldInstance): boolean {
  return one.instance.migUuid === other.instance.migUuid && (one.role === 'init' || other.role === 'init');
}

function areInTheWay(one: LiveInstance, other: LiveInstance): boolean {
  return one.deviceId === other.deviceId && overlaps(one.placement, other.placement);
}

function collision({ deviceId, profile, placement }: LiveInstance, other: LiveInstance): string {
  return `MIG instance ${profile} at ${placement.start} of ${deviceId} overlaps ${other.profile} at ${other.placement.start} of pod ${other.podUid}`;
}

function findWrongShare(
  { deviceId, profile: name }: LiveInstance,
  share: Share | undefined,
  devices: readonly Device[],
): readonly string[] {
  const card = devices.find(({ id }) => id === deviceId);
  const profile = card?.migProfiles?.find((known) => known.name === name);
  if (
    share !== undefined &&
    share.memoryMiB === profile?.memoryMiB &&
    share.corePercent === profile.corePercent
  ) {
    return [];
  }
  return [
    `MIG instance ${name} of ${deviceId} was written down as ${share?.memoryMiB ?? 0} MiB, ${share?.corePercent ?? 0} %`,
  ];
}
