/**
 * How the plugin makes the instances that the scheduler has reserved for one container (spec §1.10, §7.3): exactly
 * those, in the order of the container's devices, all or none. What it has made is written beside the reservations.
 */
import type { Share } from '../../model/allocation.ts';
import type { Device } from '../../model/device.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { LiveInstance, MigInstances } from './mig-instances.ts';
import { formatReservations, parseReservations, type Reservation } from './reservation-annotation.ts';

export interface ContainerToServe {
  readonly podUid: string;
  /** Init containers first, then app containers. */
  readonly containerIndex: number;
  /** Its entry in the allocation. */
  readonly shares: readonly Share[];
  /** The pod's reservation annotation, as written. */
  readonly reservations: string;
}

export interface Realisation {
  /** One per share. */
  readonly instances: readonly LiveInstance[];
  /** The annotation with the ids of everything made for the pod so far. */
  readonly reservations: string;
}

export function realise(
  container: ContainerToServe,
  devices: readonly Device[],
  live: MigInstances,
): Parsed<Realisation> {
  const all = parseReservations(container.reservations);
  if (!all.ok) return unparsable(`MIG reservations: ${all.problem}`);
  const own = reservationsOf(container, all.value);
  if (!own.ok) return own;

  const instances: LiveInstance[] = [];
  const created: LiveInstance[] = [];
  for (const reservation of own.value) {
    const { deviceId } = reservation;
    const existing = live.find(container.podUid, deviceId, reservation);
    const card = devices.find(({ id }) => id === deviceId);
    const instance =
      existing !== undefined
        ? parsed(existing)
        : card === undefined
          ? unparsable(`there is no card ${deviceId}`)
          : live.create(card, reservation, container.podUid);
    if (!instance.ok) {
      for (const made of created) live.destroy(made);
      return instance;
    }
    instances.push(instance.value);
    if (existing === undefined) created.push(instance.value);
  }
  const written = all.value.map((reservation) => withIds(reservation, container.podUid, live));
  return parsed({ instances, reservations: formatReservations(written) });
}

/** The container's reservations by `deviceIndex`; refused unless they are for just the cards of its entry. */
function reservationsOf(
  { containerIndex, shares }: ContainerToServe,
  all: readonly Reservation[],
): Parsed<readonly Reservation[]> {
  const own = all
    .filter((reservation) => reservation.containerIndex === containerIndex)
    .sort((a, b) => a.deviceIndex - b.deviceIndex);
  if (own.length !== shares.length) {
    return unparsable(
      `container ${containerIndex} has ${own.length} MIG reservations for ${shares.length} devices`,
    );
  }
  const other = own.find(({ deviceId }, position) => deviceId !== shares[position]?.deviceId);
  if (other !== undefined) {
    return unparsable(`MIG reservation of ${other.deviceId} does not match the allocated card`);
  }
  return parsed(own);
}

/** A reservation of another container is made by a later call, and stays as it is until then. */
function withIds(reservation: Reservation, podUid: string, live: MigInstances): Reservation {
  const instance = live.find(podUid, reservation.deviceId, reservation);
  if (instance === undefined) return reservation;
  const { migUuid, gpuInstanceId, computeInstanceId } = instance;
  return { ...reservation, made: { migUuid, gpuInstanceId, computeInstanceId } };
}
