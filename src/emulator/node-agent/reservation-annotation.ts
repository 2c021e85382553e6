/**
 * The plugin's side of the MIG reservations on a pod (spec §1.10), written without the scheduler's own codec, so that
 * a mistake of one is not made by both. A value is taken whole or refused whole, and anything but the exact form is
 * refused, misspelled keys included.
 */
import type { MigInstance } from '../../model/mig.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { parseJson } from '../../wire/json.ts';
import { isRecord } from '../api/json.ts';

export interface Reservation extends MigInstance {
  /** Init containers first, then app containers. */
  readonly containerIndex: number;
  /** Position among the container's devices. */
  readonly deviceIndex: number;
  readonly deviceId: string;
  /** What the plugin has made of it; absent before. */
  readonly made?: MadeIds;
}

export interface MadeIds {
  readonly migUuid: string;
  readonly gpuInstanceId: number;
  readonly computeInstanceId: number;
}

const plannedKeys = ['containerIndex', 'deviceIndex', 'gpuUUID', 'profile', 'placement'];
const madeKeys = ['migUUID', 'gpuInstanceID', 'computeInstanceID'];

/** Reads an annotation's value. Never throws. */
export function parseReservations(value: string): Parsed<readonly Reservation[]> {
  const json = parseJson(value);
  if (!json.ok) return json;
  if (!Array.isArray(json.value)) return unparsable('not an array');
  const reservations: Reservation[] = [];
  for (const [position, item] of (json.value as unknown[]).entries()) {
    const reservation = readReservation(item);
    if (!reservation.ok) return unparsable(`reservation ${position}: ${reservation.problem}`);
    const { containerIndex, deviceIndex } = reservation.value;
    const isKnown = reservations.some(
      (other) => other.containerIndex === containerIndex && other.deviceIndex === deviceIndex,
    );
    if (isKnown) return unparsable(`device ${deviceIndex} of container ${containerIndex} is reserved twice`);
    reservations.push(reservation.value);
  }
  return parsed(reservations);
}

/** The value as the plugin writes it back, byte for byte. */
export function formatReservations(reservations: readonly Reservation[]): string {
  return JSON.stringify(
    reservations.map(({ containerIndex, deviceIndex, deviceId, profile, placement, made }) => ({
      containerIndex,
      deviceIndex,
      gpuUUID: deviceId,
      profile,
      placement: { start: placement.start, size: placement.size },
      ...(made === undefined
        ? {}
        : {
            migUUID: made.migUuid,
            gpuInstanceID: made.gpuInstanceId,
            computeInstanceID: made.computeInstanceId,
          }),
    })),
  );
}

function readReservation(item: unknown): Parsed<Reservation> {
  if (!isRecord(item)) return unparsable('not an object');
  const isMade = madeKeys.some((key) => Object.hasOwn(item, key));
  const keys = isMade ? [...plannedKeys, ...madeKeys] : plannedKeys;
  if (!hasExactly(item, keys)) return unparsable(`not just the keys ${keys.join(', ')}`);
  const { containerIndex, deviceIndex, gpuUUID, profile, placement } = item;
  if (!isIndex(containerIndex)) return unparsable('containerIndex is no index');
  if (!isIndex(deviceIndex)) return unparsable('deviceIndex is no index');
  if (!isName(gpuUUID)) return unparsable('gpuUUID names no card');
  if (!isName(profile)) return unparsable('profile names none');
  if (!isRecord(placement) || !hasExactly(placement, ['start', 'size'])) {
    return unparsable('placement is not just start and size');
  }
  const { start, size } = placement;
  if (!isIndex(start) || !isIndex(size) || size === 0) return unparsable('placement has no slice');
  const planned = { containerIndex, deviceIndex, deviceId: gpuUUID, profile, placement: { start, size } };
  if (!isMade) return parsed(planned);

  const { migUUID, gpuInstanceID, computeInstanceID } = item;
  if (!isName(migUUID) || !isIndex(gpuInstanceID) || !isIndex(computeInstanceID)) {
    return unparsable('its instance has no proper ids');
  }
  const made = { migUuid: migUUID, gpuInstanceId: gpuInstanceID, computeInstanceId: computeInstanceID };
  return parsed({ ...planned, made });
}

function hasExactly(record: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  return Object.keys(record).length === keys.length && keys.every((key) => Object.hasOwn(record, key));
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** An unsigned 32-bit integer. */
function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
}
