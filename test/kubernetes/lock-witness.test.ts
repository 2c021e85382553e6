import { describe, expect, it } from '@jest/globals';
import { LockWitness } from '../../src/kubernetes/lock-witness.ts';

const stray = { podUid: 'uid-s', namespace: 'default', name: 'stray', node: 'n1' };
const other = { ...stray, podUid: 'uid-o', name: 'other-stray' };
const lockOf = (name: string, at = '2026-01-01T00:00:00Z') => `${at},team-a,${name}`;
const owner = (name: string) => ({ namespace: 'team-a', name });

describe('the owners of the locks that a stray has seen', () => {
  it.each([
    { name: 'are none where there was no lock', at: undefined, then: [undefined], want: [] },
    { name: 'include the one it found', at: lockOf('a'), then: [undefined], want: [owner('a')] },
    {
      name: 'include those that came later, each once and in order',
      at: lockOf('b'),
      then: [lockOf('b', '2026-01-01T00:00:09Z'), undefined, lockOf('a'), lockOf('b')],
      want: [owner('b'), owner('a')],
    },
    {
      name: 'include nobody for a lock that names nobody',
      at: '2026-01-01T00:00:00Z',
      then: ['nonsense'],
      want: [],
    },
    {
      name: 'leave out the stray itself',
      at: '2026-01-01T00:00:00Z,default,stray',
      then: [],
      want: [],
    },
  ])('$name', ({ at, then, want }) => {
    const witness = new LockWitness();
    witness.came(stray, at);
    for (const lock of then) witness.see('n1', lock);
    expect(witness.left(stray)).toEqual(want);
    expect(witness.left(stray)).toEqual([]);
  });

  it('are those of its own node and of its own time', () => {
    const witness = new LockWitness();
    witness.see('n1', lockOf('before'));
    witness.came(stray, undefined);
    witness.see('n2', lockOf('elsewhere'));
    witness.see('n1', lockOf('a'));
    witness.came(other, undefined);
    witness.see('n1', lockOf('b'));
    expect(witness.left(stray)).toEqual([owner('a'), owner('b')]);
    witness.see('n1', lockOf('c'));
    expect(witness.left(other)).toEqual([owner('b'), owner('c')]);
  });
});
