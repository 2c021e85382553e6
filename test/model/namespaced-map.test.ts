import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NamespacedMap } from '../../src/model/namespaced-map.ts';

const part = fc.constantFrom('', 'a', 'b', 'a/b', 'constructor', '__proto__');
const step = fc.record({
  action: fc.constantFrom('set', 'delete'),
  namespace: part,
  name: part,
  value: fc.nat(),
});

describe('a map by namespace and name', () => {
  it('holds what a map by both would', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new NamespacedMap<number>();
        const model = new Map<string, number>();
        for (const { action, namespace, name, value } of steps) {
          const key = JSON.stringify([namespace, name]);
          if (action === 'set') {
            map.set({ namespace, name }, value);
            model.set(key, value);
          } else {
            map.delete({ namespace, name });
            model.delete(key);
          }
          expect(map.get({ namespace, name })).toBe(model.get(key));
          expect(map.size).toBe(model.size);
        }
        const entries = [...map.entries()].map(
          ([{ namespace, name }, value]) => [JSON.stringify([namespace, name]), value] as const,
        );
        expect(new Map(entries)).toEqual(model);
        expect(entries).toHaveLength(model.size);
      }),
    );
  });

  it('may lose entries while it is read', () => {
    const map = new NamespacedMap<number>();
    for (const name of ['a', 'b', 'c']) map.set({ namespace: name, name }, 1);
    for (const [name] of map.entries()) map.delete(name);
    expect(map.size).toBe(0);
  });
});
