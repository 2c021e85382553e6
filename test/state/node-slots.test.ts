/** The slots by which tables know nodes: dense, one node's at a time, and on pictures of nodes as they are alone. */
import { describe, expect, it } from '@jest/globals';
import { asPossible, withMoreUsed } from '../../src/model/node-view.ts';
import { makeState, nodeObject } from './support/device-states.ts';

const device = { id: 'gpu-0' };

describe('the slot of a node', () => {
  it('is its own, dense, and stays with it through changes', () => {
    const state = makeState({
      nodes: [
        { name: 'a', devices: [device] },
        { name: 'b', devices: [device] },
      ],
    });
    expect([state.view('a')?.slot, state.view('b')?.slot]).toEqual([0, 1]);
    state.applyNode(nodeObject({ name: 'a', devices: [device, { id: 'gpu-1' }] }));
    expect(state.view('a')?.slot).toBe(0);
  });

  it('goes to another node once the first is forgotten, which then has another generation', () => {
    const state = makeState({
      nodes: [
        { name: 'a', devices: [device] },
        { name: 'b', devices: [device] },
      ],
    });
    const before = state.view('a');
    state.removeNode('a');
    state.applyNode(nodeObject({ name: 'c', devices: [device] }));
    state.applyNode(nodeObject({ name: 'd', devices: [device] }));
    const after = state.view('c');
    expect([after?.slot, state.view('d')?.slot]).toEqual([0, 2]);
    expect(after?.generation).not.toBe(before?.generation);
  });

  it('is not on pictures of what might be', () => {
    const state = makeState({ nodes: [{ name: 'a', devices: [device] }] });
    const view = state.view('a');
    if (view === undefined) throw new Error('no view');
    const more = { usage: new Map(), slices: new Map() };
    const pictures = [
      withMoreUsed(view, more),
      asPossible(view),
      state.viewWithout('a', []),
      state.idleView('a'),
    ];
    expect(pictures.map((picture) => picture?.slot)).toEqual([undefined, undefined, undefined, undefined]);
  });
});
