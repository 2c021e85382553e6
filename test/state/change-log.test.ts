import { describe, expect, it } from '@jest/globals';
import { ChangeLog } from '../../src/state/change-log.ts';
import { makeState, nodeObject } from './support/device-states.ts';

describe('the log of changes', () => {
  it('tells each name once, and nothing to who is up to date', () => {
    const log = new ChangeLog();
    const start = log.position;
    for (const name of ['a', 'b', 'a']) log.note(name);
    expect([...(log.since(start) ?? [])]).toEqual(['a', 'b']);
    expect(log.since(log.position)?.size).toBe(0);
  });

  it('keeps so many changes at least, and says when a reader is too far behind', () => {
    const log = new ChangeLog(3);
    const positions = Array.from({ length: 20 }, (_, index) => {
      log.note(`n${index}`);
      return log.position;
    });
    expect([...(log.since(positions[16]!) ?? [])]).toEqual(['n17', 'n18', 'n19']);
    expect(log.since(0)).toBeUndefined();
  });

  it('has every node of a state that may be judged differently since', () => {
    const state = makeState({ nodes: [{ name: 'a', devices: [{}] }] });
    const before = state.changePosition;
    state.applyNode(nodeObject({ name: 'b', devices: [{}] }));
    expect([...(state.changedSince(before) ?? [])]).toEqual(['b']);
    const later = state.changePosition;
    state.applyNode(nodeObject({ name: 'b', devices: [{}], resourceVersion: '2' }));
    expect(state.changedSince(later)?.size).toBe(0);
  });
});
