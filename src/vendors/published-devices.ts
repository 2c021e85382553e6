/**
 * The devices of plugins that publish them in a register annotation. Such a plugin is alive iff its register decodes and
 * kubelet still offers its resource: kubelet takes a resource away as soon as its plugin's socket is gone, so nothing
 * has to be asked by handshake, and devices never come and go while a plugin stays dead.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import type { Device, VendorKey } from '../model/device.ts';
import { isCut } from '../model/mig.ts';
import { countOf } from '../model/quantity.ts';
import type { Parsed } from '../model/result.ts';
import { parseRegister } from './register.ts';
import type { Discovery } from './vendor.ts';

export interface Publication {
  readonly vendor: VendorKey;
  readonly annotation: string;
  readonly countResource: string;
  /** HAMi's two forms where left out. */
  readonly read?: (value: string, vendor: VendorKey) => Parsed<readonly Device[]>;
  /** Whether its cards can be cut into instances; what the plugin of another family says of that means nothing. */
  readonly canBeCut?: true;
}

/** Never throws. */
export function publishedDevices(
  node: NodeObject,
  { vendor, annotation, countResource, read = parseRegister, canBeCut }: Publication,
): Discovery {
  const value = node.annotations[annotation];
  if (value === undefined) return { kind: 'none' };
  const devices = read(value, vendor);
  if (!devices.ok) return { kind: 'malformed', problem: `${annotation}: ${devices.problem}` };
  if (countOf(node.allocatable[countResource]) === 0) {
    return {
      kind: 'unavailable',
      detail: `allocatable ${countResource} is 0: the device plugin does not run or has no healthy card`,
    };
  }
  return { kind: 'devices', devices: canBeCut === true ? devices.value : devices.value.map(uncut) };
}

function uncut(device: Device): Device {
  const { migProfiles, ...whole } = device;
  if (migProfiles === undefined && !isCut(device)) return device;
  return { ...whole, mode: isCut(device) ? '' : device.mode };
}
