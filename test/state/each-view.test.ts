/** Walks over many nodes find exactly what looking each up by its name finds, whatever came before. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeState, nodeObject } from './support/device-states.ts';

const name = fc.constantFrom('n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'nobody');
const step = fc.oneof(
  fc.record({ kind: fc.constant('come' as const), name }),
  fc.record({ kind: fc.constant('go' as const), name }),
  fc.record({ kind: fc.constant('walk' as const), names: fc.array(name), inOrder: fc.boolean() }),
);

describe('a walk over named nodes', () => {
  it('shows each its own view, in the order of the names, also where nodes come and go under one name', () => {
    let walked = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const state = makeState({
          nodes: ['n0', 'n1', 'n2', 'n3'].map((first) => ({ name: first, devices: [{}] })),
        });
        for (const at of steps) {
          if (at.kind === 'come') state.applyNode(nodeObject({ name: at.name, devices: [{}] }));
          else if (at.kind === 'go') state.removeNode(at.name);
          else {
            const shown: unknown[] = [];
            const cameToTheLast = state.eachView(at, (node, view) => {
              shown.push([node, view]);
              return true;
            });
            expect(cameToTheLast).toBe(true);
            expect(shown).toEqual(at.names.map((node) => [node, state.view(node)]));
            walked += shown.filter((entry) => (entry as [string, unknown])[1] !== undefined).length;
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(walked).toBeGreaterThan(200);
  });

  it('ends where it is told to', () => {
    const state = makeState({ nodes: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });
    const shown: string[] = [];
    const cameToTheLast = state.eachView({ names: ['a', 'b', 'c'], inOrder: true }, (node) => {
      shown.push(node);
      return node !== 'b';
    });
    expect([cameToTheLast, ...shown]).toEqual([false, 'a', 'b']);
  });
});
