/** Pods that are gone or over while their containers were last seen running: charged for a while, and no longer. */
import { describe, expect, it } from '@jest/globals';
import type { DeviceState } from '../../src/state/device-state.ts';
import { cardsOf, gpuPod, ledgerOf, makeState } from './support/device-states.ts';

const idle = { 'gpu-0': '0/0/0' };
const charged = { 'gpu-0': '1/3000/30' };
const gpu = { count: 1, memoryMiB: 3000, corePercent: 30 };
const bound = { gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' };
const oneCard = () => makeState({ nodes: [{ devices: [{}] }] });
const seconds = 1000;

describe('draining', () => {
  const runs = { ...bound, running: true, terminationGracePeriodSeconds: 60 };
  /** Charged until grace and margin are over, and not a millisecond longer. */
  function expectDrains(state: DeviceState, fromMs: number, graceSeconds: number) {
    const endMs = fromMs + (graceSeconds + 15) * seconds;
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 draining' });
    expect(state.expireDraining(endMs - 1)).toBe(0);
    expect(cardsOf(state)).toEqual(charged);
    expect(state.expireDraining(endMs)).toBe(1);
    expect(cardsOf(state)).toEqual(idle);
    expect(ledgerOf(state)).toEqual({});
  }

  it('follows the deletion of a pod that ran', () => {
    const state = oneCard();
    state.applyPod(gpuPod(runs), 0);
    state.removePod('uid-pod-1', 5 * seconds);
    expectDrains(state, 5 * seconds, 60);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });

  it('lasts the whole grace period even when the deletion was forced', () => {
    const state = oneCard();
    const forced = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 };
    state.applyPod(gpuPod({ ...runs, ...forced }), 0);
    state.removePod('uid-pod-1', 0);
    expectDrains(state, 0, 60);
  });

  it('follows the end of a bound pod that nobody saw, for it may have begun to run', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...bound, terminationGracePeriodSeconds: 60 }), 0);
    state.removePod('uid-pod-1', 5 * seconds, true);
    expectDrains(state, 5 * seconds, 60);
  });

  it('lasts longer when the deletion gives more time than the pod', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...runs, deletionGracePeriodSeconds: 120 }), 0);
    state.removePod('uid-pod-1', 0);
    expectDrains(state, 0, 120);
  });

  it('follows a terminal phase while containers were last seen running', () => {
    const state = oneCard();
    state.applyPod(gpuPod(runs), 0);
    state.applyPod(gpuPod({ ...runs, phase: 'Failed' }), 7 * seconds);
    expectDrains(state, 7 * seconds, 60);
  });

  it('applies to a pod that is first seen in a terminal phase with running containers', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...runs, phase: 'Failed' }), 0);
    expectDrains(state, 0, 60);
  });

  it('is not prolonged by further events', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...runs, phase: 'Failed' }), 0);
    state.applyPod(gpuPod({ ...runs, phase: 'Failed', resourceVersion: '2' }), 30 * seconds);
    state.removePod('uid-pod-1', 40 * seconds);
    state.removePod('uid-pod-1', 50 * seconds);
    expectDrains(state, 0, 60);
  });

  it('ends when the last container is seen to have ended', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...runs, phase: 'Failed' }), 0);
    state.applyPod(gpuPod({ ...bound, phase: 'Failed' }), 1);
    expect(ledgerOf(state)).toEqual({});
    expect(state.expireDraining(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('ends with the node, and does not come back with it', () => {
    const state = oneCard();
    state.applyPod(gpuPod(runs), 0);
    state.applyPod(gpuPod({ ...bound, name: 'other' }), 0);
    state.removePod('uid-pod-1', 0);
    state.removeNode('n1');
    expect(ledgerOf(state)).toEqual({ 'uid-other': 'n1 bound' });
  });

  it('does not begin on a node that is gone already', () => {
    const state = oneCard();
    state.applyPod(gpuPod(runs), 0);
    state.removeNode('n1');
    state.removePod('uid-pod-1', 0);
    expect(ledgerOf(state)).toEqual({});
  });

  it('that is over does not begin again with the next event of the same pod', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...runs, phase: 'Failed' }), 0);
    state.expireDraining(75 * seconds);
    // Somebody else may have taken the card by now.
    state.applyPod(gpuPod({ ...runs, phase: 'Failed', resourceVersion: '2' }), 80 * seconds);
    expect(ledgerOf(state)).toEqual({});
    state.removePod('uid-pod-1', 90 * seconds);
    expect(ledgerOf(state)).toEqual({});
  });

  it('of several pods ends for each at its own time', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...runs, name: 'a' }), 0);
    state.applyPod(gpuPod({ ...runs, name: 'b', terminationGracePeriodSeconds: 10 }), 0);
    state.removePod('uid-a', 0);
    state.removePod('uid-b', 0);
    expect(state.expireDraining(25 * seconds)).toBe(1);
    expect(ledgerOf(state)).toEqual({ 'uid-a': 'n1 draining' });
  });
});
