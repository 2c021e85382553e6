/** The demo's machines and pods: the same for the same seed, and of every kind that the demo is to show. */
import { describe, expect, it } from '@jest/globals';
import { demoNodes } from '../../src/emulator/demo-cluster.ts';
import { examplePods } from '../../src/emulator/demo-cluster-pods.ts';
import { pickWeighted, seededRandom } from '../../src/emulator/demo-cluster-random.ts';

const take = (count: number, seed: number) => {
  const pods = examplePods('default', seededRandom(seed));
  return Array.from({ length: count }, () => pods.next().value);
};
const namesOf = (pods: readonly object[]) =>
  pods.map((pod) => (pod as { metadata: { name: string } }).metadata.name);

describe('demoNodes', () => {
  it('are a dozen of several kinds, one with a sick card and one without cards', () => {
    const nodes = demoNodes(12);
    expect(nodes).toHaveLength(12);
    const types = new Set(nodes.flatMap(({ gpus }) => gpus.map(({ type }) => type)));
    expect(types.size).toBe(6);
    expect(nodes.filter(({ gpus }) => gpus.some(({ healthy }) => healthy === false))).toHaveLength(1);
    expect(nodes.filter(({ gpus }) => gpus.length === 0)).toHaveLength(1);
  });

  it.each([1, 5, 30])('%d have names of their own', (count) => {
    expect(new Set(demoNodes(count).map(({ name }) => name)).size).toBe(count);
  });
});

describe('examplePods', () => {
  it('repeat with their seed, and only with it', () => {
    expect(take(50, 7)).toEqual(take(50, 7));
    expect(take(50, 7)).not.toEqual(take(50, 8));
  });

  it('have names of their own and come in every kind', () => {
    const names = namesOf(take(300, 1));
    expect(new Set(names).size).toBe(300);
    const kinds = new Set(names.map((name) => name.replace(/-\d+$/, '')));
    expect([...kinds].sort()).toEqual([
      'batch',
      'inference',
      'llm-training',
      'notebook',
      'pipeline',
      'too-big',
      'training',
    ]);
  });
});

describe('chance', () => {
  it('is spread evenly over [0, 1)', () => {
    const random = seededRandom(1);
    const tenths = Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const value = random();
      tenths[Math.floor(value * 10)]! += 1;
    }
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it.each([
    { value: 0, want: 'a' },
    { value: 0.24, want: 'a' },
    { value: 0.26, want: 'b' },
    { value: 0.999, want: 'b' },
  ])('of $value picks $want by weight', ({ value, want }) => {
    const items = [
      [1, 'a'],
      [3, 'b'],
    ] as const;
    expect(pickWeighted(items, () => value)).toBe(want);
  });

  it('cannot pick from nothing', () => {
    expect(() => pickWeighted([], () => 0)).toThrow(RangeError);
  });
});
