/**
 * Quirks of the reference about what is charged to whom (spec §13.1): Q1, Q6, Q8, Q25, Q33. Each test fails on what the
 * reference does, which a comment in it states. Q7 and Q29 are among the tests of the device state, Q9 among those of
 * quotas.
 */
import { describe, expect, it } from '@jest/globals';
import { byName, flush, makeWorld } from '../scheduler/support/scheduler-world.ts';
import { rejectedOutcome } from '../scheduler/support/scripted-writer.ts';
import {
  allocationAnnotations,
  cardsOf,
  gpuPod,
  makeState,
  nvidiaVendors,
  podObject,
} from '../state/support/device-states.ts';
import { dcuAllocated, dcuRegister, dcuVendor } from '../state/support/second-vendor.ts';
import { gpuLimits, registerValue } from '../support/kubernetes-objects.ts';
import { makeDevice } from '../support/views.ts';

const shared = gpuLimits({ count: 1, memoryMiB: 3000, corePercent: 30 });
const oneCard = [{ devices: [{}] }];
/** Nobody else fits beside it on a card of `makeDevice`. */
const mostOfACard = { count: 1, memoryMiB: 8000 };

describe('containers without devices', () => {
  it('Q1: keep their place in the allocation that is written', async () => {
    const world = makeWorld({ nodes: oneCard });
    // Its owner waits in vain: the test wants to see the write alone.
    void world.bind(world.pod({ containers: [{ role: 'init' }, { limits: shared }, {}] }));
    await flush();
    // The reference pads under the card's model instead of NVIDIA and so writes `gpu-0,NVIDIA,3000,30:;`.
    expect(world.writer.write().metadata?.annotations).toMatchObject({
      'hami.io/vgpu-devices-allocated': ';gpu-0,NVIDIA,3000,30:;;',
      'hami.io/vgpu-devices-to-allocate': ';gpu-0,NVIDIA,3000,30:;;',
    });
  });

  it('Q1: whose place was lost do not take the share, which stays charged when the init container has ended', () => {
    const state = makeState({ nodes: oneCard });
    const containers = [
      { role: 'init', state: { exitCode: 0 } },
      { limits: shared, state: 'running' },
    ] as const;
    state.applyPod(gpuPod({ nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;', containers }), 0);
    // The reference takes the only entry for the init container's and charges nothing once that has ended.
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/3000/30' });
  });
});

describe('a pod that is not bound', () => {
  it('Q6: holds nothing after a filter', async () => {
    const world = makeWorld({ nodes: oneCard });
    const first = world.pod({ name: 'first', gpu: mostOfACard });
    const second = world.pod({ name: 'second', gpu: mostOfACard });
    expect(world.scheduler.filter(byName(first, 'n1'))).toMatchObject({ feasible: ['n1'] });
    // The reference has reserved the card for the first and refuses the second for as long as the first exists.
    expect(world.scheduler.filter(byName(second, 'n1'))).toMatchObject({ feasible: ['n1'] });
    // Its owner waits in vain: that it got as far as the write is enough.
    void world.bind(second);
    await flush();
    expect(world.writer.begun).toEqual(['second → n1']);
  });

  it('Q6: holds nothing after a bind that failed', async () => {
    const world = makeWorld({ nodes: oneCard });
    const binding = world.bind(world.pod({ name: 'first', gpu: mostOfACard }));
    await flush();
    world.writer.write().answer(rejectedOutcome);
    expect(await binding).toMatchObject({ ok: false, code: 'WriteFailed' });
    // The reference keeps the reservation until the pod ends or is filtered again.
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '0/0/0' });
  });

  it('Q6: holds nothing by the annotations that an earlier filter of another scheduler left', () => {
    const state = makeState({ nodes: oneCard });
    state.applyPod(gpuPod({ annotations: allocationAnnotations('n1', 'gpu-0,NVIDIA,3000,30:;') }), 0);
    // The reference makes the reservation anew from them with every event of the pod.
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0' });
  });

  it('Q8: is charged where it is bound in the end, not where an earlier allocation had it', () => {
    const state = makeState({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{ id: 'gpu-9' }] }] });
    state.applyPod(gpuPod({ annotations: allocationAnnotations('n1', 'gpu-0,NVIDIA,3000,30:;') }), 0);
    state.applyPod(gpuPod({ nodeName: 'n2', allocated: 'gpu-9,NVIDIA,4000,40:;' }), 0);
    // The reference keeps node and cards of the first event: 1/3000/30 on n1 and nothing on n2.
    expect([cardsOf(state, 'n1'), cardsOf(state, 'n2')]).toEqual([
      { 'gpu-0': '0/0/0' },
      { 'gpu-9': '1/4000/40' },
    ]);
  });
});

describe('annotations that a tenant wrote', () => {
  const asked = { count: 1, memoryMiB: 3000, corePercent: 30 };
  const cases = [
    {
      // The reference charges the annotation's numbers.
      name: 'do not lower the charge of a pod below what it asks for',
      pod: { nodeName: 'n1', gpu: asked, allocated: 'gpu-0,NVIDIA,1,0:;' },
      want: { 'gpu-0': '1/3000/30', 'gpu-1': '0/0/0' },
    },
    {
      // The reference parses negative numbers and takes them off what others hold.
      name: 'with negative memory are refused, and a whole card is set aside',
      pod: { nodeName: 'n1', gpu: asked, allocated: 'gpu-0,NVIDIA,-3000,30:;' },
      want: { 'gpu-0': '0/0/0 withheld', 'gpu-1': '0/0/0' },
    },
    {
      // As above.
      name: 'with negative cores are refused, and a whole card is set aside',
      pod: { nodeName: 'n1', gpu: asked, allocated: 'gpu-0,NVIDIA,3000,-30:;' },
      want: { 'gpu-0': '0/0/0 withheld', 'gpu-1': '0/0/0' },
    },
    {
      // The reference charges the node that the annotation names, whatever node the pod runs on.
      name: 'that name another node count nothing there, and a whole card is set aside where the pod runs',
      pod: {
        nodeName: 'n1',
        gpu: asked,
        annotations: allocationAnnotations('n2', 'gpu-1,NVIDIA,3000,30:;'),
      },
      want: { 'gpu-0': '0/0/0 withheld', 'gpu-1': '0/0/0' },
    },
    {
      // The reference occupies the card: anybody may block any node by a pod that never runs.
      name: 'of a pod that is not bound occupy nothing',
      pod: { annotations: allocationAnnotations('n1', 'gpu-0,NVIDIA,8192,100:;') },
      want: { 'gpu-0': '0/0/0', 'gpu-1': '0/0/0' },
    },
  ];
  it.each(cases)('Q25: $name', ({ pod, want }) => {
    const cards = [{}, {}];
    const state = makeState({
      trust: 'at-least-request',
      nodes: [{ devices: cards }, { name: 'n2', devices: cards }],
    });
    state.applyPod(gpuPod(pod), 0);
    expect(cardsOf(state, 'n1')).toEqual(want);
    expect(cardsOf(state, 'n2')).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '0/0/0' });
  });
});

describe('a pod with devices of two vendors', () => {
  it('Q33: is charged for the one whose allocation can be read, and the other’s is made up for', () => {
    const register = registerValue([makeDevice({ id: 'DCU-0', type: 'Z100', slots: 1 })]);
    const state = makeState({
      vendors: [...nvidiaVendors, dcuVendor],
      nodes: [
        {
          devices: [{}],
          annotations: { [dcuRegister]: register },
          allocatable: { 'hygon.com/dcunum': '1' },
        },
      ],
    });
    const problems = state.applyPod(
      podObject({
        nodeName: 'n1',
        containers: [{ limits: { ...shared, 'hygon.com/dcunum': '1' } }],
        annotations: {
          ...allocationAnnotations('n1', 'gpu-0,NVIDIA,lots,30:;'),
          [dcuAllocated]: 'DCU-0,DCU,8192,100:;',
        },
      }),
      0,
    );
    expect(problems.map(({ annotation }) => annotation)).toEqual(['hami.io/vgpu-devices-allocated']);
    // The reference drops the whole pod: 0/0/0 on both cards.
    expect(cardsOf(state)).toEqual({ 'DCU-0': '1/8192/100', 'gpu-0': '0/0/0 withheld' });
  });
});
