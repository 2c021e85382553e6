/**
 * A cluster in which one value is broken at a time, and those whom that must not touch: a pod with a share, a MIG
 * instance and a card of another vendor.
 */
import { expect } from '@jest/globals';
import type { DeviceUsage } from '../../src/model/device.ts';
import { overlaps } from '../../src/model/mig.ts';
import type { DeviceView } from '../../src/model/node-view.ts';
import { plan } from '../../src/placement/planner.ts';
import type { Trust } from '../../src/state/charge.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { binpackBinpack } from '../scheduler/support/scheduler-world.ts';
import {
  allocationAnnotations,
  makeState,
  nodeObject,
  nvidiaVendors,
  podObject,
} from '../state/support/device-states.ts';
import { dcuAllocated, dcuRegister, dcuVendor } from '../state/support/second-vendor.ts';
import { gpuLimits, registerValue } from '../support/kubernetes-objects.ts';
import { makeMigDevice } from '../support/mig-devices.ts';
import { makePodRequest } from '../support/requests.ts';
import { makeDevice } from '../support/views.ts';

export const reservationsKey = 'hami.io/vgpu-mig-allocations';

const dcu = { [dcuRegister]: registerValue([makeDevice({ id: 'DCU-0', type: 'Z100', slots: 1 })]) };
/** Two A100 cards that can be shared, a third in MIG mode, and a card of another vendor. */
const cards = [
  { id: 'GPU-a', memoryMiB: 40_960 },
  { id: 'GPU-b', memoryMiB: 40_960 },
  makeMigDevice({ id: 'GPU-m', index: 2 }),
];
export const register = registerValue(cards.map((card, index) => makeDevice({ index, ...card })));
const allocatable = { 'hygon.com/dcunum': '1' };

export function node(annotations: Readonly<Record<string, string>> = {}) {
  return nodeObject({ devices: cards, annotations: { ...dcu, ...annotations }, allocatable });
}

export const slice = { profile: '2g.10gb', placement: { start: 2, size: 2 } };
export const reservation = (containerIndex: number, placement = slice.placement) => ({
  containerIndex,
  deviceIndex: 0,
  gpuUUID: 'GPU-m',
  profile: slice.profile,
  placement,
});

/** A pod that has been there all the time: a share, an instance and a card of the other vendor. */
const neighbour = podObject({
  name: 'neighbour',
  nodeName: 'n1',
  containers: [
    { limits: gpuLimits({ count: 1, memoryMiB: 3000, corePercent: 30 }) },
    { limits: { ...gpuLimits({ count: 1, memoryMiB: 9000 }), 'hygon.com/dcunum': '1' } },
  ],
  annotations: {
    ...allocationAnnotations('n1', 'GPU-a,NVIDIA,3000,30:;GPU-m,NVIDIA,9984,29:;'),
    [reservationsKey]: JSON.stringify([reservation(1)]),
    [dcuAllocated]: ';DCU-0,DCU,8192,100:;',
  },
});

export function makeCluster(trust: Trust = 'as-written'): DeviceState {
  const state = makeState({ trust, vendors: [...nvidiaVendors, dcuVendor] });
  state.applyNode(node());
  state.applyPod(neighbour, 0);
  return state;
}

export function cardOf(state: DeviceState, id: string): DeviceView | undefined {
  return state.view('n1')?.devices.find(({ device }) => device.id === id);
}

export const neighbours: Readonly<Record<string, DeviceUsage>> = {
  'GPU-a': { slots: 1, memoryMiB: 3000, corePercent: 30 },
  'GPU-m': { slots: 1, memoryMiB: 9984, corePercent: 29 },
  'DCU-0': { slots: 1, memoryMiB: 8192, corePercent: 100 },
};

/** The neighbour is charged as before on every card that the node still announces, on the other vendor's always. */
export function expectNeighbourCharged(state: DeviceState): void {
  for (const [id, held] of Object.entries(neighbours)) {
    const used = cardOf(state, id)?.used;
    if (id === 'DCU-0') expect(used).toEqual(held);
    if (used === undefined) continue;
    for (const dimension of ['slots', 'memoryMiB', 'corePercent'] as const) {
      expect(used[dimension]).toBeGreaterThanOrEqual(held[dimension]);
    }
  }
}

/** The cards are ones that can be counted with, and everything that a planner could be asked here has an answer. */
export function expectAnswers(state: DeviceState): void {
  const view = state.view('n1');
  if (view === undefined) throw new Error('the node is gone');
  const ids = view.devices.map(({ device }) => device.id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { device } of view.devices) {
    const amounts = [device.slots, device.memoryMiB, device.corePercent];
    expect(amounts.filter((amount) => !Number.isSafeInteger(amount) || amount < 0)).toEqual([]);
    const links = [...(device.linkScores?.values() ?? [])];
    expect(links.filter((points) => !Number.isSafeInteger(points))).toEqual([]);
  }
  for (const memoryMiB of [1, 4000, 40_000]) {
    const verdict = plan(view, makePodRequest({ containers: [{ memoryMiB, count: 2 }] }), binpackBinpack);
    if (!verdict.ok) continue;
    for (const { deviceId, mig } of verdict.allocation.flat()) {
      if (mig !== undefined && deviceId === 'GPU-m') {
        expect(overlaps(mig.placement, slice.placement)).toBe(false);
      }
    }
  }
}

export function nvidiaMemory(state: DeviceState): number {
  const own = (state.view('n1')?.devices ?? []).filter(({ device }) => device.vendor === 'NVIDIA');
  return own.reduce((sum, { device }) => sum + device.memoryMiB, 0);
}
