/**
 * Families by the locks that they need: one that shares HAMi's lock, one whose plugin has a lock of its own that names
 * nobody and expires (vendors §3.8), and one that takes none. But for the first they are rows without devices.
 */
import type { NodeLockProtocol } from '../../../src/vendors/node-lock.ts';
import type { Vendor } from '../../../src/vendors/vendor.ts';
import { nvidiaVendors } from '../../state/support/device-states.ts';

export const namelessKey = 'example.com/plugin.lock';
export const namelessOwnerKey = 'tessera.io/plugin-lock-owner';

export const namelessLock: NodeLockProtocol = {
  annotation: namelessKey,
  ownerAnnotation: namelessOwnerKey,
  expiryMs: 2 * 60_000,
  format: (atMs) => new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z'),
  isServed: (annotations) => annotations['example.com/assigned'] === 'true',
};

/** What is written on a pod of each family when it is bound, beside the phase. */
export const allocatedOf = {
  shared: { 'hami.io/vgpu-devices-allocated': 'gpu-0,NVIDIA,3000,0:;' },
  nameless: { 'example.com/nameless-allocated': 'x-0,nameless,3000,0:;' },
  lockless: { 'example.com/lockless-allocated': 'y-0,lockless,3000,0:;' },
};

export const lockFamilies: readonly Vendor[] = [
  ...nvidiaVendors,
  { ...row('nameless'), nodeLock: namelessLock },
  row('lockless'),
];

function row(key: string): Vendor {
  return {
    key,
    resources: { count: `example.com/${key}` },
    annotations: { allocated: `example.com/${key}-allocated`, toAllocate: `example.com/${key}-to-allocate` },
    memoryUnitMiB: 1,
    nodeAnnotations: [],
    discover: () => ({ kind: 'none' }),
    request: () => ({ ok: true, warnings: [] }),
    mutate: () => ({ usesDevices: false, limits: {}, env: {} }),
  };
}
