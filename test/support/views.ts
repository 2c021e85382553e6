/**
 * Devices and node views for tests: every field has a sane default, so that a case names only what it is about.
 * `makeView({ devices: [{ used: { slots: 1 } }, {}] })` is a node with two like cards, one of them in use.
 */
import { compareDevices, type Device, type DeviceUsage, noUsage } from '../../src/model/device.ts';
import type { HostAmounts } from '../../src/model/host-amounts.ts';
import type { MigPlacement } from '../../src/model/mig.ts';
import { makeNodeView, type NodeView } from '../../src/model/node-view.ts';

/** The count resource that `makeView` offers and `makePodRequest` counts. */
export const countResource = 'nvidia.com/gpu';

/** A healthy, unscaled NVIDIA card `gpu-<index>` with ten slots, 8192 MiB and 100 percent. */
export function makeDevice(fields: Partial<Device> = {}): Device {
  const index = fields.index ?? 0;
  return {
    id: `gpu-${index}`,
    vendor: 'NVIDIA',
    index,
    type: 'NVIDIA A100-SXM4-40GB',
    slots: 10,
    memoryMiB: 8192,
    corePercent: 100,
    numa: 0,
    mode: 'hami-core',
    healthy: true,
    ...fields,
  };
}

export interface CardFields extends Partial<Device> {
  readonly used?: Partial<DeviceUsage>;
  readonly withheld?: boolean;
  readonly cordoned?: boolean;
  readonly occupied?: readonly MigPlacement[];
  readonly kinds?: readonly string[];
  readonly unclear?: boolean;
}

export interface ViewFields {
  readonly name?: string;
  readonly generation?: number;
  /** Numbered by position where they name no index. */
  readonly devices?: readonly CardFields[];
  /** By resource name; as many as all cards have slots where it is left out. */
  readonly countFree?: Readonly<Record<string, number>>;
  readonly unavailable?: Readonly<Record<string, string>>;
  /** Plenty where it is left out. */
  readonly hostFree?: HostAmounts;
}

export function makeView({ name = 'n1', generation = 1, devices = [], ...rest }: ViewFields = {}): NodeView {
  const cards = devices
    .map(
      (
        { used, withheld = false, cordoned = false, occupied = [], kinds = [], unclear = false, ...fields },
        index,
      ) => ({
        device: makeDevice({ index, ...fields }),
        used: { ...noUsage, ...used },
        withheld,
        cordoned,
        occupied,
        kinds,
        unclear,
      }),
    )
    .sort((a, b) => compareDevices(a.device, b.device));
  const slots = cards.reduce((sum, { device }) => sum + device.slots, 0);
  return makeNodeView({
    name,
    generation,
    devices: cards,
    hostFree: rest.hostFree ?? { cpuMilli: 64_000, memoryMiB: 262_144, pods: 110 },
    countFree: new Map(Object.entries(rest.countFree ?? { [countResource]: slots })),
    unavailable: new Map(Object.entries(rest.unavailable ?? {})),
  });
}
