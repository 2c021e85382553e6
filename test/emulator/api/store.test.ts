import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ApiObject } from '../../../src/emulator/api/api-object.ts';
import { ObjectStore } from '../../../src/emulator/api/store.ts';

function namesOf(objects: readonly ApiObject[] | undefined): readonly string[] | undefined {
  return objects?.map(({ metadata }) => metadata.name);
}

describe('ObjectStore', () => {
  it('shows every version as it was, whatever came after', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      kind: fc.constantFrom('put', 'put', 'remove'),
      collection: fc.constantFrom('one', 'two'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new ObjectStore(1000);
        const present = new Map<string, ApiObject>();
        const history: { version: number; want: readonly ApiObject[] }[] = [];
        const snapshot = () =>
          [...present.values()].toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
        history.push({ version: store.version, want: snapshot() });
        for (const [index, { name, kind, collection }] of steps.entries()) {
          const current = store.collection(collection).find(name);
          if (kind === 'remove' && current !== undefined) store.remove(collection, current);
          else if (kind === 'put') store.put(collection, { metadata: { name }, index });
          if (collection === 'one') {
            const after = store.collection('one').find(name);
            if (after === undefined) present.delete(name);
            else present.set(name, after);
          }
          history.push({ version: store.version, want: snapshot() });
        }
        // From the newest to the oldest and back, so that kept snapshots are met in any state.
        for (const { version, want } of [...history.toReversed(), ...history]) {
          expect(store.collection('one').at(version)).toEqual(want);
        }
      }),
    );
  });

  it('gives each change one version more, over all collections', () => {
    const store = new ObjectStore(10);
    const versions = ['one', 'two', 'one'].map(
      (collection, index) =>
        store.put(collection, { metadata: { name: `${index}` } }).metadata.resourceVersion,
    );
    expect(versions.map(Number)).toEqual([2, 3, 4]);
  });

  it('forgets the oldest changes, and says so instead of guessing', () => {
    const store = new ObjectStore(10);
    for (let index = 0; index < 100; index += 1) store.put('one', { metadata: { name: 'a' }, index });
    const collection = store.collection('one');
    expect(collection.eventsAfter(1)).toBeUndefined();
    expect(collection.at(1)).toBeUndefined();
    const kept = collection.eventsAfter(store.version - 10)!;
    expect(kept.map(({ version }) => version)).toEqual(
      Array.from({ length: 10 }, (_, index) => store.version - 9 + index),
    );
    expect(collection.eventsAfter(store.version)).toEqual([]);
  });

  it('forgets everything before now when told', () => {
    const store = new ObjectStore(10);
    store.put('one', { metadata: { name: 'a' } });
    const before = store.version;
    store.put('one', { metadata: { name: 'b' } });
    store.forgetHistory();
    expect(store.collection('one').at(before)).toBeUndefined();
    expect(store.collection('one').eventsAfter(before)).toBeUndefined();
    expect(namesOf(store.collection('one').at(store.version))).toEqual(['a', 'b']);
  });

  it('tells listeners each change once, until they leave', () => {
    const store = new ObjectStore(10);
    const seen: string[] = [];
    const leave = store.collection('one').subscribe(({ type, object, previous }) => {
      seen.push(`${type} ${object.metadata.name} after ${previous?.metadata.resourceVersion ?? 'nothing'}`);
    });
    const first = store.put('one', { metadata: { name: 'a' } });
    store.put('two', { metadata: { name: 'other' } });
    const second = store.put('one', { ...first, changed: true });
    store.remove('one', second);
    leave();
    leave();
    store.put('one', { metadata: { name: 'unseen' } });
    expect(seen).toEqual(['ADDED a after nothing', 'MODIFIED a after 2', 'DELETED a after 4']);
  });

  it('knows the object that was not written for the longest time', () => {
    const store = new ObjectStore(10);
    for (const name of ['a', 'b', 'c', 'a']) store.put('one', { metadata: { name } });
    expect(store.collection('one').stalest?.metadata.name).toBe('b');
  });
});
