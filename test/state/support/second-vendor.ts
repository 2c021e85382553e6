/** A second device family, so that tests can tell the vendors' row from the only vendor there is. */
import { countOf } from '../../../src/model/quantity.ts';
import { parseRegister } from '../../../src/vendors/register.ts';
import type { Vendor } from '../../../src/vendors/vendor.ts';

const key = 'DCU';
const count = 'hygon.com/dcunum';
export const dcuRegister = 'hami.io/node-dcu-register';
export const dcuAllocated = 'hami.io/dcu-devices-allocated';

/** Whole cards only: a container asks for a number of them. */
export const dcuVendor: Vendor = {
  key,
  resources: { count },
  annotations: {
    allocated: dcuAllocated,
    toAllocate: 'hami.io/dcu-devices-to-allocate',
    useTypes: 'hygon.com/use-dcutype',
    avoidTypes: 'hygon.com/nouse-dcutype',
    useIds: 'hygon.com/use-gpuuuid',
    avoidIds: 'hygon.com/nouse-gpuuuid',
  },
  memoryUnitMiB: 1,
  nodeAnnotations: [dcuRegister],
  discover: ({ annotations }) => {
    const register = annotations[dcuRegister];
    if (register === undefined) return { kind: 'none' };
    const devices = parseRegister(register, key);
    return devices.ok
      ? { kind: 'devices', devices: devices.value }
      : { kind: 'malformed', problem: devices.problem };
  },
  request: ({ limits }) => {
    const wanted = countOf(limits[count]);
    const request = {
      vendor: key,
      count: wanted,
      memory: { kind: 'percent', percent: 100 },
      corePercent: 100,
    } as const;
    return { ok: true, warnings: [], ...(wanted > 0 ? { request } : {}) };
  },
  mutate: () => ({ usesDevices: false, limits: {}, env: {} }),
};
