/**
 * A workload whose memory does not keep step with its compute: pods of one shape ask for half, as much as, or twice the
 * memory that they were written with, drawn by a seed, and for the same compute. Published traces tell one number per
 * card, so their memory and compute are always in proportion; pods of a real cluster are not.
 */
import type { Device, VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { DeviceRequest, MemoryRequest } from '../model/request.ts';
import { shapeOf } from '../placement/verdicts.ts';
import { seededRandom } from './seeded-random.ts';
import type { SimulatedPod } from './simulated-pod.ts';

const factors = [0.5, 1, 2];
const skewStream = 3;

/** In the order of the pods; those of one shape stay alike. Nothing asks for more than the largest card has. */
export function withSkewedMemory(
  pods: readonly SimulatedPod[],
  views: readonly NodeView[],
  seed: number,
): readonly SimulatedPod[] {
  const random = seededRandom(seed, skewStream);
  const largest = largestCards(views);
  const byShape = new Map<string, number>();
  return pods.map((pod) => {
    let factor = byShape.get(pod.shape);
    if (factor === undefined) {
      factor = factors[Math.floor(random() * factors.length)] ?? 1;
      byShape.set(pod.shape, factor);
    }
    return skewed(pod, factor, largest);
  });
}

function skewed(pod: SimulatedPod, factor: number, largest: ReadonlyMap<VendorKey, Device>): SimulatedPod {
  const containers = pod.request.containers.map((container) => ({
    ...container,
    devices: container.devices.map((wanted) => ({
      ...wanted,
      memory: skewedMemory(wanted, factor, largest.get(wanted.vendor)),
    })),
  }));
  const request = { ...pod.request, containers };
  return { ...pod, request, shape: shapeOf(request) };
}

/** Rounded up. */
function skewedMemory({ memory }: DeviceRequest, factor: number, largest: Device | undefined): MemoryRequest {
  if (memory.kind === 'percent') {
    const percent = Math.ceil(factor * memory.percent);
    return { kind: 'percent', percent: Math.min(100, percent) };
  }
  const most = Math.max(memory.memoryMiB, largest?.memoryMiB ?? 0);
  return { kind: 'mib', memoryMiB: Math.min(most, Math.ceil(factor * memory.memoryMiB)) };
}

function largestCards(views: readonly NodeView[]): ReadonlyMap<VendorKey, Device> {
  const largest = new Map<VendorKey, Device>();
  for (const { devices } of views) {
    for (const { device } of devices) {
      const known = largest.get(device.vendor);
      if (known === undefined || known.memoryMiB < device.memoryMiB) largest.set(device.vendor, device);
    }
  }
  return largest;
}
