/**
 * What a bound pod is charged: the charging rule. Annotations are written by tenants too, so they lower a charge only
 * when they are trusted; the safe error is to charge too much, because that never over-commits a card.
 *
 *   trusted and well-formed   → the allocation as written
 *   anything else             → per card, the larger of annotation and own request; a card that is asked for but not
 *                               known is withheld: one whole card of the node, whichever is least used
 *
 * The kinds of its shares are those written with a trusted allocation, else what the pod's annotations say by now.
 */
import type { Allocation, Share } from '../model/allocation.ts';
import { type ContainerRole, effectiveAmount } from '../model/container-role.ts';
import type { Device, VendorKey } from '../model/device.ts';
import { type DeviceRequest, memoryNeedMiB, type PodRequest } from '../model/request.ts';
import type { CardRules } from '../vendors/card-rules.ts';
import { withRequest } from '../vendors/share-request.ts';
import type { Vendor } from '../vendors/vendor.ts';
import type { AnnotatedAllocation } from './annotated-allocation.ts';

/** How far a pod's own annotations are believed. */
export type Trust = 'as-written' | 'at-least-request';

export interface Charge {
  readonly allocation: Allocation;
  /** Cards that are asked for and nobody knows, by vendor and container; only vendors that have some. */
  readonly unknown: ReadonlyMap<VendorKey, readonly number[]>;
}

export interface ChargeInputs {
  readonly request: PodRequest;
  readonly annotated: AnnotatedAllocation;
  readonly trust: Trust;
  readonly vendors: readonly Vendor[];
  /** The node's device, or undefined when the node does not announce it. */
  readonly deviceOf: (vendor: VendorKey, id: string) => Device | undefined;
}

const noneUnknown: Charge['unknown'] = new Map();
const noShares: readonly Share[] = [];

/** Applies the charging rule. Throws nothing. */
export function chargeOf(inputs: ChargeInputs): Charge {
  const { request, vendors, deviceOf } = inputs;
  const unknown = new Map<VendorKey, readonly number[]>();
  let allocation: Allocation = request.containers.map(() => noShares);
  for (const { key, cardRules } of vendors) {
    const charges = request.containers.map((_, index) => chargeContainer(inputs, { key, cardRules }, index));
    allocation = allocation.map((before, index) => {
      const shares = charges[index]?.shares ?? noShares;
      if (shares.length === 0) return before;
      const known = shares.map((share) => withKnownId(share, deviceOf));
      return before.length === 0 ? known : [...before, ...known];
    });
    if (charges.some((charge) => charge.unknown > 0)) {
      unknown.set(
        key,
        charges.map((charge) => charge.unknown),
      );
    }
  }
  return { allocation, unknown: unknown.size === 0 ? noneUnknown : unknown };
}

/** Holds the node's own text of the id: one cut from an annotation would keep the whole annotation in memory. */
function withKnownId(share: Share, deviceOf: ChargeInputs['deviceOf']): Share {
  const device = deviceOf(share.vendor, share.deviceId);
  return device === undefined ? share : { ...share, deviceId: device.id };
}

/** False when the charge is the same whatever devices the node announces. */
export function dependsOnDevices(
  { containers }: PodRequest,
  { annotated, trust }: Pick<ChargeInputs, 'annotated' | 'trust'>,
): boolean {
  return containers.some(({ devices }, index) =>
    devices.some((asked) => !isBelieved(annotated.byVendor.get(asked.vendor)?.[index], asked, trust)),
  );
}

/** What gives a container less than it asks for is no allocation to believe. */
function isBelieved(written: readonly Share[] | undefined, asked: DeviceRequest, trust: Trust): boolean {
  return trust === 'as-written' && written !== undefined && written.length >= asked.count;
}

/** Whole cards to set aside, by vendor; only positive ones. Plain init containers that have ended hold none. */
export function withheldCards(
  unknown: Charge['unknown'],
  roles: readonly ContainerRole[],
  initFinished: boolean,
): ReadonlyMap<VendorKey, number> {
  const withheld = new Map<VendorKey, number>();
  for (const [vendor, perContainer] of unknown) {
    const cards = effectiveAmount(roles, (index) =>
      initFinished && roles[index] === 'init' ? 0 : (perContainer[index] ?? 0),
    );
    if (cards > 0) withheld.set(vendor, cards);
  }
  return withheld;
}

interface ContainerCharge {
  readonly shares: readonly Share[];
  /** Cards that the container asks for and nobody knows. */
  readonly unknown: number;
}

interface Family {
  readonly key: VendorKey;
  readonly cardRules: CardRules | undefined;
}

function chargeContainer(
  inputs: ChargeInputs,
  { key: vendor, cardRules: rules }: Family,
  index: number,
): ContainerCharge {
  const { request, annotated, trust, deviceOf } = inputs;
  const written = annotated.byVendor.get(vendor)?.[index];
  const kinds = trust === 'as-written' ? annotated.kinds.get(vendor)?.[index] : undefined;
  const writtenShares = withKinds(written ?? noShares, kinds);
  const asked = request.containers[index]?.devices.find((device) => device.vendor === vendor);
  if (asked === undefined) return { shares: writtenShares, unknown: 0 };
  const isPlain = asked.kind === undefined && rules?.coresOf === undefined;
  const shares = isPlain ? writtenShares : writtenShares.map((share) => withRequest(share, asked, rules));
  if (isBelieved(written, asked, trust)) return { shares, unknown: 0 };
  return {
    shares: shares.map((share) => raise(share, asked, { deviceOf, rules })),
    unknown: Math.max(0, asked.count - countKnown(shares, deviceOf)),
  };
}

function withKinds(shares: readonly Share[], kinds: readonly (string | null)[] = []): readonly Share[] {
  if (kinds.length === 0) return shares;
  return shares.map((share, place) => {
    const kind = kinds[place] ?? undefined;
    return kind === undefined ? share : { ...share, kind };
  });
}

/** A share, but no less than the container asked for on that card. */
function raise(
  share: Share,
  asked: DeviceRequest,
  { deviceOf, rules }: Pick<ChargeInputs, 'deviceOf'> & { readonly rules: CardRules | undefined },
): Share {
  const device = deviceOf(share.vendor, share.deviceId);
  const needMiB = device === undefined ? 0 : memoryNeedMiB(asked.memory, device);
  const coresOf = rules?.coresOf;
  // In units that only the device tells, an unknown one is charged what is written.
  const inUnits = device === undefined ? 0 : coresOf?.(device, asked.corePercent);
  const cores = coresOf === undefined ? asked.corePercent : (inUnits ?? 0);
  return {
    ...share,
    memoryMiB: Math.max(share.memoryMiB, needMiB),
    corePercent: Math.max(share.corePercent, cores),
  };
}

/** A container gets a card once, but of a card in MIG mode it may get several instances. */
function countKnown(shares: readonly Share[], deviceOf: ChargeInputs['deviceOf']): number {
  const known = shares.filter(({ vendor, deviceId }) => deviceOf(vendor, deviceId) !== undefined);
  const instances = known.filter(({ mig }) => mig !== undefined);
  const cards = new Set(known.filter(({ mig }) => mig === undefined).map(({ deviceId }) => deviceId));
  return instances.length + cards.size;
}
