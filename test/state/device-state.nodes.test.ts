/** What node events do to the cache: devices, liveness, generations and what stays charged meanwhile. */
import { describe, expect, it } from '@jest/globals';
import type { DeviceState } from '../../src/state/device-state.ts';
import { cardsOf, gpuPod, makeState, nodeObject, nvidiaVendors, pictureOf } from './support/device-states.ts';
import { dcuRegister, dcuVendor } from './support/second-vendor.ts';

const register = 'hami.io/node-nvidia-register';
const twoCards = [{}, { memoryMiB: 40960 }];
const broken = { annotations: { [register]: '[{"id":' } };
const generationOf = (state: DeviceState) => state.view('n1')?.generation ?? -1;
const idsOf = (state: DeviceState) => state.view('n1')?.devices.map(({ device }) => device.id);

describe('a node event', () => {
  it('makes the node known with its devices, idle', () => {
    const state = makeState({ nodes: [{ devices: twoCards }] });
    expect([...state.nodeNames()]).toEqual(['n1']);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '0/0/0' });
    expect(state.view('n1')?.capacity).toEqual({ slots: 20, memoryMiB: 49152, corePercent: 200 });
    expect(state.view('n1')?.countFree).toEqual(new Map([['nvidia.com/gpu', 20]]));
  });

  it('of a node without devices makes it known as well', () => {
    const state = makeState({ nodes: [{}] });
    expect(state.view('n1')).toMatchObject({ devices: [], unavailable: new Map() });
    expect(state.view('n2')).toBeUndefined();
  });

  const noise = [
    { name: 'the same object', node: { devices: twoCards } },
    {
      name: 'a new resource version, label and annotation',
      node: { devices: twoCards, resourceVersion: '9', labels: { a: 'b' }, annotations: { heartbeat: '1' } },
    },
    {
      name: 'the same devices in another order',
      node: { devices: twoCards.map((card, index) => ({ ...card, index })).reverse() },
    },
  ];
  it.each(noise)('with $name leaves the generation alone', ({ node }) => {
    const state = makeState({ nodes: [{ devices: twoCards }] });
    const before = generationOf(state);
    expect(state.applyNode(nodeObject(node))).toEqual([]);
    expect(generationOf(state)).toBe(before);
    expect(idsOf(state)).toEqual(['gpu-0', 'gpu-1']);
  });

  const changes = [
    { name: 'one card more', node: { devices: [{}, {}, {}] }, wantCards: ['gpu-0', 'gpu-1', 'gpu-2'] },
    { name: 'one card less', node: { devices: [{}] }, wantCards: ['gpu-0'] },
    {
      name: 'a card that fell ill',
      node: { devices: [{ healthy: false }, {}] },
      wantCards: ['gpu-0', 'gpu-1'],
    },
    { name: 'more memory', node: { devices: [{ memoryMiB: 9000 }, {}] }, wantCards: ['gpu-0', 'gpu-1'] },
    {
      name: 'less of the count resource',
      node: { devices: [{}, {}], allocatable: { 'nvidia.com/gpu': '3' } },
      wantCards: ['gpu-0', 'gpu-1'],
    },
    {
      name: 'other host resources',
      node: { devices: [{}, {}], allocatable: { cpu: '3', memory: '1Gi' } },
      wantCards: ['gpu-0', 'gpu-1'],
    },
    { name: 'no annotation any longer', node: { allocatable: { 'nvidia.com/gpu': '20' } }, wantCards: [] },
  ];
  it.each(changes)('with $name grows the generation', ({ node, wantCards }) => {
    const state = makeState({ nodes: [{ devices: [{}, {}] }] });
    const before = generationOf(state);
    state.applyNode(nodeObject(node));
    expect(generationOf(state)).toBeGreaterThan(before);
    expect(idsOf(state)).toEqual(wantCards);
  });

  it('changes the count that is free and nothing else when only the count resource changes', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const inventory = state.node('n1')?.inventoryGeneration;
    state.applyNode(nodeObject({ devices: [{}], allocatable: { 'nvidia.com/gpu': '3' } }));
    expect(state.view('n1')?.countFree.get('nvidia.com/gpu')).toBe(3);
    expect(state.node('n1')?.inventoryGeneration).toBe(inventory);
  });

  it('leaves an older view as it was', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const before = state.view('n1');
    const frozen = structuredClone(before);
    state.applyNode(nodeObject({ devices: [{}, {}] }));
    state.applyPod(gpuPod({ nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,0:;' }), 0);
    expect(before).toEqual(frozen);
  });
});

describe('a register that cannot be read', () => {
  it('keeps the last good devices and is reported once', () => {
    const state = makeState({ nodes: [{ devices: twoCards }] });
    const before = generationOf(state);
    const [problem, ...others] = state.applyNode(nodeObject({ devices: twoCards, ...broken }));
    expect(problem).toMatchObject({ vendor: 'NVIDIA' });
    expect(problem?.problem).toContain(register);
    expect(others).toEqual([]);
    expect(state.applyNode(nodeObject({ devices: twoCards, ...broken, resourceVersion: '3' }))).toEqual([]);
    expect(idsOf(state)).toEqual(['gpu-0', 'gpu-1']);
    expect(generationOf(state)).toBe(before);
  });

  it('is reported again when it changes and still cannot be read', () => {
    const state = makeState({ nodes: [{ devices: twoCards, ...broken }] });
    const other = nodeObject({ devices: twoCards, annotations: { [register]: 'nonsense' } });
    expect(state.applyNode(other)).toHaveLength(1);
  });

  it('makes a node that never had a good one unavailable and says why', () => {
    const state = makeState();
    const problems = state.applyNode(nodeObject({ devices: twoCards, ...broken }));
    expect(problems).toHaveLength(1);
    expect(idsOf(state)).toEqual([]);
    expect(state.view('n1')?.unavailable.get('NVIDIA')).toBe(problems[0]?.problem);
  });

  it('is forgotten with the next good one', () => {
    const state = makeState({ nodes: [{ devices: twoCards, ...broken }] });
    expect(state.applyNode(nodeObject({ devices: [{}] }))).toEqual([]);
    expect(idsOf(state)).toEqual(['gpu-0']);
    expect(state.view('n1')?.unavailable.size).toBe(0);
  });

  it("leaves another vendor's devices on offer", () => {
    const state = makeState({ vendors: [...nvidiaVendors, dcuVendor] });
    const dcus = '[{"id":"dcu-0","count":1,"devmem":16384,"devcore":100,"health":true}]';
    const problems = state.applyNode(
      nodeObject({ devices: [{}], annotations: { [register]: 'nonsense', [dcuRegister]: dcus } }),
    );
    expect(problems.map(({ vendor }) => vendor)).toEqual(['NVIDIA']);
    expect(cardsOf(state)).toEqual({ 'dcu-0': '0/0/0' });
  });
});

describe('allocatable 0', () => {
  const stopped = nodeObject({ devices: twoCards, allocatable: { 'nvidia.com/gpu': '0' } });

  it('takes the devices off offer although the annotation stays, and says why', () => {
    const state = makeState({ nodes: [{ devices: twoCards }] });
    expect(state.applyNode(stopped)).toEqual([]);
    expect(idsOf(state)).toEqual([]);
    expect(state.view('n1')?.unavailable.get('NVIDIA')).toContain('allocatable nvidia.com/gpu is 0');
  });

  it('that passes brings the devices back with their charges', () => {
    const state = makeState({ nodes: [{ devices: twoCards }] });
    state.applyPod(gpuPod({ nodeName: 'n1', allocated: 'gpu-1,NVIDIA,3000,30:;' }), 0);
    const before = pictureOf(state, 'n1');
    state.applyNode(stopped);
    state.applyNode(nodeObject({ devices: twoCards }));
    expect(pictureOf(state, 'n1')).toEqual(before);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '1/3000/30' });
  });

  it('takes no card as known for a distrusted allocation, and knows it again afterwards', () => {
    const state = makeState({ trust: 'at-least-request', nodes: [{ devices: [{}, {}] }] });
    state.applyPod(gpuPod({ nodeName: 'n1', allocated: 'gpu-1,NVIDIA,1,0:;' }), 0);
    state.applyNode(nodeObject({ devices: [{}], allocatable: { 'nvidia.com/gpu': '10' } }));
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0 withheld' });
    state.applyNode(nodeObject({ devices: [{}, {}] }));
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '1/3000/0' });
  });
});

describe('a removed node', () => {
  const bound = gpuPod({ nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' });

  it('is unknown, and its pods stay in the ledger', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.applyPod(bound, 0);
    state.removeNode('n1');
    expect(state.view('n1')).toBeUndefined();
    expect(state.idleView('n1')).toBeUndefined();
    expect([...state.nodeNames()]).toEqual([]);
    expect(state.entry(bound.uid)?.state).toBe('bound');
  });

  it('that returns finds its charges again', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.applyPod(bound, 0);
    const before = pictureOf(state, 'n1');
    state.removeNode('n1');
    state.applyNode(nodeObject({ devices: [{}] }));
    expect(pictureOf(state, 'n1')).toEqual(before);
  });

  it('that returns without its pod is idle', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.applyPod(bound, 0);
    state.removeNode('n1');
    state.removePod(bound.uid, 0);
    state.applyNode(nodeObject({ devices: [{}] }));
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0' });
  });

  it('that is gone from node and ledger is forgotten', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.applyPod(bound, 0);
    state.removeNode('n1');
    expect(state.node('n1')).toBeDefined();
    state.removePod(bound.uid, 0);
    expect(state.node('n1')).toBeUndefined();
  });

  it('reads its register again when it returns, although the value is the same', () => {
    const state = makeState({ nodes: [{ devices: [{}], ...broken }] });
    state.removeNode('n1');
    expect(state.applyNode(nodeObject({ devices: [{}], ...broken }))).toHaveLength(1);
  });

  it('that nobody knows is ignored', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.removeNode('n2');
    expect([...state.nodeNames()]).toEqual(['n1']);
  });

  it('never shows an old generation again when it returns', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const before = generationOf(state);
    state.removeNode('n1');
    state.applyNode(nodeObject({ devices: [{}, {}] }));
    expect(generationOf(state)).toBeGreaterThan(before);
  });
});

describe('pods that come before their node', () => {
  it.each(['as-written', 'at-least-request'] as const)(
    'are charged all the same when it comes (%s)',
    (trust) => {
      const pod = gpuPod({ nodeName: 'n1', allocated: 'gpu-1,NVIDIA,3000,30:;' });
      const late = makeState({ trust });
      late.applyPod(pod, 0);
      late.applyNode(nodeObject({ devices: [{}, {}] }));
      const early = makeState({ trust, nodes: [{ devices: [{}, {}] }] });
      early.applyPod(pod, 0);
      expect(pictureOf(late, 'n1')).toEqual(pictureOf(early, 'n1'));
      expect(cardsOf(late)['gpu-1']).toBe('1/3000/30');
    },
  );

  it('do not make a node known', () => {
    const state = makeState();
    state.applyPod(gpuPod({ nodeName: 'n1', allocated: 'gpu-1,NVIDIA,3000,30:;' }), 0);
    expect(state.view('n1')).toBeUndefined();
    expect([...state.nodeNames()]).toEqual([]);
  });
});
