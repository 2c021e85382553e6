/**
 * The seal under an allocation: an HMAC over the pod's UID, its node, every allocated value and the kinds of the shares,
 * with a key that only the scheduler has. A sealed allocation counts as written; anything a tenant wrote cannot carry one.
 * What a pod does not have is no part of its seal, so seals from before there were kinds hold.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { PodObject } from '../model/cluster-objects.ts';
import { decodeMigReservations, type MigReservation } from '../vendors/mig-reservations.ts';
import { kindsAnnotation, sealAnnotation } from '../vendors/pod-annotations.ts';
import type { Vendor } from '../vendors/vendor.ts';

const version = 'v1';

export class Sealer {
  readonly #key: KeyObject;
  readonly #allocatedKeys: readonly string[];
  readonly #reservationKeys: readonly string[];

  /** @param key at least 32 random bytes */
  constructor(key: Buffer, vendors: readonly Vendor[]) {
    // Made ready once: for every pod anew it would cost more than the digest.
    this.#key = createSecretKey(key);
    this.#allocatedKeys = vendors.map(({ annotations }) => annotations.allocated).sort();
    this.#reservationKeys = vendors.flatMap(({ annotations }) => annotations.migReservations ?? []).sort();
  }

  /** The annotation value for an allocation that is about to be written. */
  seal(podUid: string, node: string, annotations: Readonly<Record<string, string>>): string {
    return `${version}.${this.#digest(podUid, node, annotations)}`;
  }

  /** True when the bound pod's allocation is what was sealed for it. */
  isSealed(pod: PodObject): boolean {
    const written = pod.annotations[sealAnnotation];
    if (written === undefined || pod.nodeName === undefined) return false;
    const expected = Buffer.from(this.seal(pod.uid, pod.nodeName, pod.annotations));
    const given = Buffer.from(written);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #digest(podUid: string, node: string, annotations: Readonly<Record<string, string>>): string {
    // Every part with its length: no two different inputs give the same bytes.
    const sealed = [version, podUid, node, ...this.#allocated(annotations)]
      .map((part) => `${Buffer.byteLength(part)}:${part}`)
      .join('');
    return createHmac('sha256', this.#key).update(sealed).digest('base64url');
  }

  #allocated(annotations: Readonly<Record<string, string>>): readonly string[] {
    const parts = (keys: readonly string[], read: (value: string) => string) =>
      keys.flatMap((key) => {
        const value = annotations[key];
        return value === undefined ? [] : [key, read(value)];
      });
    return [
      ...parts(this.#allocatedKeys, (value) => value),
      // The plugin completes these later, so only what the scheduler wrote of them is sealed.
      ...parts(this.#reservationKeys, reservedPart),
      ...parts([kindsAnnotation], (value) => value),
    ];
  }
}

/** A reservation value without what the plugin adds; one that cannot be read stands for itself. */
function reservedPart(value: string): string {
  const decoded = decodeMigReservations(value);
  return decoded.ok ? JSON.stringify(decoded.value.map(reservedFields).sort()) : value;
}

function reservedFields({ containerIndex, deviceIndex, deviceId, instance }: MigReservation): string {
  const { profile, placement } = instance;
  return JSON.stringify([containerIndex, deviceIndex, deviceId, profile, placement.start, placement.size]);
}
