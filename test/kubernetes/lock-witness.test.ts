import { describe, expect, it } from '@jest/globals';
import { LockWitness } from '../../src/kubernetes/lock-witness.ts';

const stray = { podUid: 'uid-s', namespace: 'default', name: 'stray', node: 'n1' };
const other = { ...stray, podUid: 'uid-o', name: 'other-stray' };
const owner = (name: string) => ({ namespace: 'team-a', name });
const held = (...names: readonly string[]) => names.map(owner);

describe('the owners of the locks that a stray has seen', () => {
  it.each([
    { name: 'are none where there was no lock', at: held(), then: [held()], want: [] },
    { name: 'include the one it found', at: held('a'), then: [held()], want: [owner('a')] },
    {
      name: 'include those that came later, each once and in order',
      at: held('b'),
      then: [held('b'), held(), held('a'), held('b')],
      want: [owner('b'), owner('a')],
    },
    {
      name: 'include all of several locks',
      at: held('a', 'b'),
      then: [held('b', 'c')],
      want: [owner('a'), owner('b'), owner('c')],
    },
    {
      name: 'leave out the stray itself',
      at: [{ namespace: 'default', name: 'stray' }],
      then: [],
      want: [],
    },
  ])('$name', ({ at, then, want }) => {
    const witness = new LockWitness();
    witness.came(stray, at);
    for (const owners of then) witness.see('n1', owners);
    expect(witness.left(stray)).toEqual(want);
    expect(witness.left(stray)).toEqual([]);
  });

  it('are those of its own node and of its own time', () => {
    const witness = new LockWitness();
    witness.see('n1', held('before'));
    witness.came(stray, held());
    witness.see('n2', held('elsewhere'));
    witness.see('n1', held('a'));
    witness.came(other, held());
    witness.see('n1', held('b'));
    expect(witness.left(stray)).toEqual([owner('a'), owner('b')]);
    witness.see('n1', held('c'));
    expect(witness.left(other)).toEqual([owner('b'), owner('c')]);
  });
});
