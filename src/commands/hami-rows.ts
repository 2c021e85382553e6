/** What the samples of HAMi's metrics are about, read off a node's view, its ledger entries and the quotas. */
import { podName } from '../model/cluster-objects.ts';
import { compareText, deviceKey } from '../model/device.ts';
import type { MigInstance } from '../model/mig.ts';
import type { NodeView } from '../model/node-view.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import type { QuotaUsage } from '../state/quota-table.ts';
import type { Vendor } from '../vendors/vendor.ts';
import type { DeviceRow, MigRow, QuotaRow, ShareRow } from './hami-gauges.ts';

/** By `deviceKey`, of devices whose plugin does not count percent: how many units of compute they have. */
export type ComputeUnits = ReadonlyMap<string, number>;

const allPercent: ComputeUnits = new Map();

export function computeUnits({ devices }: NodeView, vendors: readonly Vendor[]): ComputeUnits {
  const others = vendors.filter(({ cardRules }) => cardRules?.coresOf !== undefined).map(({ key }) => key);
  if (others.length === 0) return allPercent;
  return new Map(
    devices.flatMap(({ device: { vendor, id, corePercent } }) =>
      others.includes(vendor) ? [[deviceKey(vendor, id), corePercent]] : [],
    ),
  );
}

/** One row per device id: samples that differ in nothing but their vendor would make the page unreadable. */
export function deviceRows({ name, devices }: NodeView, units: ComputeUnits): readonly DeviceRow[] {
  const rows = new Map<string, DeviceRow>();
  for (const { device, used } of devices) {
    const { vendor, id } = device;
    if (!rows.has(id)) rows.set(id, { node: name, device, used, units: units.get(deviceKey(vendor, id)) });
  }
  return [...rows.values()];
}

/**
 * What every container holds now, under its own index (Q24). Two pods of one name, of which one drains, and two shares
 * of one card, as two MIG instances are, add up: their labels are the same.
 */
export function shareRows(entries: readonly LedgerEntry[], units: ComputeUnits): readonly ShareRow[] {
  const rows = new Map<string, ShareRow>();
  for (const { namespace, name, node, allocation, roles, initFinished } of entries) {
    for (const [containerIndex, shares] of allocation.entries()) {
      if (initFinished && roles[containerIndex] === 'init') continue;
      for (const { vendor, deviceId, memoryMiB, corePercent } of shares) {
        const key = `${podName({ namespace, name })}/${containerIndex}/${deviceId}`;
        const before = rows.get(key);
        rows.set(key, {
          namespace,
          node,
          pod: name,
          containerIndex,
          deviceId,
          memoryMiB: (before?.memoryMiB ?? 0) + memoryMiB,
          corePercent: (before?.corePercent ?? 0) + corePercent,
          units: units.get(deviceKey(vendor, deviceId)),
        });
      }
    }
  }
  return [...rows.values()];
}

/**
 * The MIG instances that the plugin has made, on cards that the node has. A tenant may write more reservations onto a
 * pod than it has shares; those beyond its shares make no series.
 */
export function migRows({ name, devices }: NodeView, entries: readonly LedgerEntry[]): readonly MigRow[] {
  const indexes = new Map(devices.map(({ device }) => [device.id, device.index]));
  const rows = new Map<string, MigRow>();
  for (const { allocation, migReservations } of entries) {
    const held = allocation.flat().flatMap(({ deviceId, mig }) => (mig ? [instanceKey(deviceId, mig)] : []));
    for (const { deviceId, instance, runtime } of migReservations) {
      const place = held.indexOf(instanceKey(deviceId, instance));
      const deviceIndex = indexes.get(deviceId);
      if (place < 0 || deviceIndex === undefined || runtime === undefined) continue;
      held.splice(place, 1);
      // The legacy name has no more to tell instances apart.
      const key = `${deviceId}/${runtime.gpuInstanceId}`;
      if (rows.has(key)) continue;
      const { profile, placement } = instance;
      rows.set(key, { node: name, deviceId, deviceIndex, profile, ...placement, ...runtime });
    }
  }
  return [...rows.values()];
}

function instanceKey(deviceId: string, { profile, placement }: MigInstance): string {
  return `${deviceId}/${profile}/${placement.start}/${placement.size}`;
}

/** Of every resource that a namespace is limited in or holds. */
export function quotaRows(usages: Iterable<QuotaUsage>): readonly QuotaRow[] {
  return [...usages]
    .map(({ namespace, key, used, limits }) => ({
      namespace,
      resource: key.resource.replace(/^limits\./, ''),
      used,
      limit: limits[0]?.limit,
    }))
    .sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.resource, b.resource));
}
