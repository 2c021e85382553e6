/**
 * The pod annotation that tells the device plugin which MIG instances to make, and in which the plugin writes down what
 * it made (spec §1.10). A value is taken whole or refused whole.
 */
import type { Allocation } from '../model/allocation.ts';
import type { VendorKey } from '../model/device.ts';
import type { MigInstance } from '../model/mig.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseJson } from '../wire/json.ts';
import { schemaParser } from '../wire/validate.ts';

/** What the plugin knows of an instance that exists. */
export interface MigRuntime {
  readonly migUuid: string;
  readonly gpuInstanceId: number;
  readonly computeInstanceId: number;
}

export interface MigReservation {
  /** Init containers first, then app containers. */
  readonly containerIndex: number;
  /** Place among the container's shares of this vendor. */
  readonly deviceIndex: number;
  readonly deviceId: string;
  readonly instance: MigInstance;
  /** Absent until the plugin has made the instance. */
  readonly runtime?: MigRuntime;
}

/** The value for one vendor's part of an allocation; undefined when it holds no instance. */
export function encodeMigReservations(allocation: Allocation, vendor: VendorKey): string | undefined {
  const reservations = allocation.flatMap((shares, containerIndex) =>
    shares
      .filter((share) => share.vendor === vendor)
      .flatMap(({ deviceId, mig }, deviceIndex) =>
        mig === undefined
          ? []
          : [
              {
                containerIndex,
                deviceIndex,
                gpuUUID: deviceId,
                profile: mig.profile,
                placement: { start: mig.placement.start, size: mig.placement.size },
              },
            ],
      ),
  );
  return reservations.length === 0 ? undefined : JSON.stringify(reservations);
}

interface JsonReservation {
  readonly containerIndex: number;
  readonly deviceIndex: number;
  readonly gpuUUID: string;
  readonly profile: string;
  readonly placement: { readonly start: number; readonly size: number };
  readonly migUUID?: string;
  readonly gpuInstanceID?: number;
  readonly computeInstanceID?: number;
}

const natural = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 };
const name = { type: 'string', minLength: 1 };
const runtimeFields = ['migUUID', 'gpuInstanceID', 'computeInstanceID'];

const readReservations = schemaParser<readonly JsonReservation[]>({
  type: 'array',
  items: {
    type: 'object',
    properties: {
      containerIndex: natural,
      deviceIndex: natural,
      gpuUUID: name,
      profile: name,
      placement: {
        type: 'object',
        properties: { start: natural, size: { ...natural, minimum: 1 } },
        required: ['start', 'size'],
      },
      migUUID: name,
      gpuInstanceID: natural,
      computeInstanceID: natural,
    },
    required: ['containerIndex', 'deviceIndex', 'gpuUUID', 'profile', 'placement'],
    // All three or none; an id of 0 is one.
    dependencies: Object.fromEntries(runtimeFields.map((field) => [field, runtimeFields])),
  },
});

/** Reads a value, with or without what the plugin adds. Never throws. */
export function decodeMigReservations(value: string): Parsed<readonly MigReservation[]> {
  const json = parseJson(value);
  const raw = json.ok ? readReservations(json.value) : json;
  if (!raw.ok) return raw;
  const places = new Set<string>();
  for (const { containerIndex, deviceIndex } of raw.value) {
    const place = `${containerIndex}/${deviceIndex}`;
    if (places.has(place)) {
      return unparsable(`container ${containerIndex} has two reservations for its device ${deviceIndex}`);
    }
    places.add(place);
  }
  return parsed(raw.value.map(reservationFrom));
}

function reservationFrom(raw: JsonReservation): MigReservation {
  const { containerIndex, deviceIndex, gpuUUID, profile, placement } = raw;
  const { migUUID: migUuid, gpuInstanceID: gpuInstanceId, computeInstanceID: computeInstanceId } = raw;
  const made = migUuid !== undefined && gpuInstanceId !== undefined && computeInstanceId !== undefined;
  return {
    containerIndex,
    deviceIndex,
    deviceId: gpuUUID,
    instance: { profile, placement: { start: placement.start, size: placement.size } },
    ...(made ? { runtime: { migUuid, gpuInstanceId, computeInstanceId } } : {}),
  };
}
