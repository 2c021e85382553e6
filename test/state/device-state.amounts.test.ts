/** What a view says beside the usage of cards: withheld cards, the idle node, host amounts and the count resource. */
import { describe, expect, it } from '@jest/globals';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import {
  allocationAnnotations,
  cardsOf,
  gpuPod,
  makeState,
  nodeObject,
  nvidiaVendors,
  podObject,
} from './support/device-states.ts';

describe('withheld cards', () => {
  it('for an init container that has ended well are free again', () => {
    const limits = gpuLimits({ count: 1, memoryMiB: 10 });
    const pod = (exitCode?: number) =>
      podObject({
        nodeName: 'n1',
        annotations: allocationAnnotations('n1', 'gpu-0,NVIDIA,10,0:;'),
        containers: [
          { name: 'first', role: 'init', limits, ...(exitCode === undefined ? {} : { state: { exitCode } }) },
          { name: 'main', limits, state: 'running' },
        ],
      });
    const eased: string[] = [];
    const state = new DeviceState({
      vendors: nvidiaVendors,
      trustOf: () => 'as-written',
      onEased: ({ podUid, node }) => eased.push(`${podUid} on ${node}`),
    });
    state.applyNode(nodeObject({ devices: [{}, {}] }));
    state.applyPod(pod(), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/10/0', 'gpu-1': '0/0/0 withheld' });
    expect(eased).toEqual([]);
    state.applyPod(pod(0), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/10/0', 'gpu-1': '0/0/0' });
    state.applyPod(pod(0), 0);
    expect(eased).toEqual(['uid-pod-1 on n1']);
  });

  const unknown = (name: string) => gpuPod({ name, nodeName: 'n1' });

  it('are the least used, then the lowest', () => {
    const state = makeState({ nodes: [{ devices: [{}, {}, {}] }] });
    state.applyPod(gpuPod({ name: 'a', nodeName: 'n1', allocated: 'gpu-0,NVIDIA,10,0:;' }), 0);
    state.applyPod(unknown('b'), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/10/0', 'gpu-1': '0/0/0 withheld', 'gpu-2': '0/0/0' });
    state.applyPod(unknown('c'), 0);
    state.applyPod(unknown('d'), 0);
    state.applyPod(unknown('e'), 0);
    expect(Object.values(cardsOf(state)).every((card) => card.endsWith('withheld'))).toBe(true);
  });

  it('come back one by one with the pods', () => {
    const state = makeState({ nodes: [{ devices: [{}, {}] }] });
    state.applyPod(unknown('a'), 0);
    state.applyPod(unknown('b'), 0);
    state.removePod('uid-a', 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0 withheld', 'gpu-1': '0/0/0' });
    state.removePod('uid-b', 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '0/0/0' });
  });
});

describe('the idle view', () => {
  it('is the node with nothing on it and every card in health', () => {
    const state = makeState({ nodes: [{ devices: [{ healthy: false }, {}] }] });
    state.applyPod(gpuPod({ name: 'a', nodeName: 'n1', allocated: 'gpu-1,NVIDIA,3000,30:;' }), 0);
    state.applyPod(gpuPod({ name: 'b', nodeName: 'n1' }), 0);
    const idle = state.idleView('n1');
    expect(idle?.devices.map(({ device, used, withheld }) => [device.healthy, used.slots, withheld])).toEqual(
      [
        [true, 0, false],
        [true, 0, false],
      ],
    );
    expect(idle?.countFree.get('nvidia.com/gpu')).toBe(20);
  });

  it('follows the devices and the count resource', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    expect(state.idleView('n1')?.devices).toHaveLength(1);
    state.applyNode(nodeObject({ devices: [{}, {}], allocatable: { 'nvidia.com/gpu': '5' } }));
    expect(state.idleView('n1')?.devices).toHaveLength(2);
    expect(state.idleView('n1')?.countFree.get('nvidia.com/gpu')).toBe(5);
  });
});

describe('host amounts', () => {
  const requests = { cpu: '1500m', memory: '1Gi' };

  it('are those on offer, and what all pods of the node ask for, devices or not', () => {
    const state = makeState({
      nodes: [{ devices: [{}], allocatable: { cpu: '8', memory: '16Gi', pods: '20' } }],
    });
    state.applyPod(gpuPod({ name: 'a', nodeName: 'n1', containers: [{ requests }] }), 0);
    state.applyPod(
      gpuPod({
        name: 'b',
        nodeName: 'n1',
        containers: [
          { role: 'init', requests: { cpu: '4' } },
          { requests: { cpu: '1' }, limits: { cpu: '9', memory: '100Mi' } },
          { requests: { memory: '1' } },
        ],
      }),
      0,
    );
    expect(state.node('n1')?.hostAllocatable).toEqual({ cpuMilli: 8000, memoryMiB: 16384, pods: 20 });
    expect(state.node('n1')?.hostUsed).toEqual({ cpuMilli: 5500, memoryMiB: 1024 + 101, pods: 2 });
    state.removePod('uid-b', 0);
    expect(state.node('n1')?.hostUsed).toEqual({ cpuMilli: 1500, memoryMiB: 1024, pods: 1 });
  });

  it('do not count pods that are unbound or over', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.applyPod(gpuPod({ name: 'a', containers: [{ requests }] }), 0);
    state.applyPod(gpuPod({ name: 'b', nodeName: 'n1', phase: 'Succeeded', containers: [{ requests }] }), 0);
    expect(state.node('n1')?.hostUsed).toEqual({ cpuMilli: 0, memoryMiB: 0, pods: 0 });
  });
});

describe('the count resource', () => {
  it('is lessened by all bound pods, foreign ones and unreadable ones too, by their effective request', () => {
    const state = makeState({ nodes: [{ devices: [{}, {}] }] });
    const free = () => state.view('n1')?.countFree.get('nvidia.com/gpu');
    state.applyPod(gpuPod({ name: 'a', nodeName: 'n1', schedulerName: 'other' }), 0);
    expect(free()).toBe(19);
    state.applyPod(gpuPod({ name: 'b', nodeName: 'n1', gpu: { count: 2, memoryMiB: '16Gi' } }), 0);
    expect(free()).toBe(17);
    const ask = (count: number) => gpuLimits({ count });
    const containers = [
      { role: 'init', limits: ask(3) },
      { role: 'sidecar', limits: ask(1) },
      { limits: ask(1) },
    ] as const;
    state.applyPod(gpuPod({ name: 'c', nodeName: 'n1', containers }), 0);
    expect(free()).toBe(14);
    state.applyPod(gpuPod({ name: 'd' }), 0);
    expect(free()).toBe(14);
    state.removePod('uid-a', 0);
    expect(free()).toBe(15);
  });

  it('goes below zero rather than lie when more is bound than kubelet offers', () => {
    const state = makeState({ nodes: [{ devices: [{}], allocatable: { 'nvidia.com/gpu': '1' } }] });
    state.applyPod(gpuPod({ name: 'a', nodeName: 'n1', gpu: { count: 3 } }), 0);
    expect(state.view('n1')?.countFree.get('nvidia.com/gpu')).toBe(-2);
  });
});
