import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ContainerRole, effectiveAmount } from '../../src/model/container-role.ts';

type Step = readonly [ContainerRole, number];

const amountOf = (pod: readonly Step[]) =>
  effectiveAmount(
    pod.map(([role]) => role),
    (index) => pod[index]![1],
  );

/** Lives the pod: starts its containers one by one, lets init containers end, and notes the most that ever ran. */
function peakOfLife(pod: readonly Step[]): number {
  const running = new Map<number, number>();
  let peak = 0;
  const look = () => {
    peak = Math.max(
      peak,
      [...running.values()].reduce((sum, amount) => sum + amount, 0),
    );
  };
  for (const [index, [role, amount]] of pod.entries()) {
    running.set(index, amount);
    look();
    if (role === 'init') running.delete(index);
  }
  return peak;
}

describe('effectiveAmount is the most a pod holds at any moment', () => {
  const cases: { name: string; pod: readonly Step[]; want: number }[] = [
    { name: 'no container holds nothing', pod: [], want: 0 },
    {
      name: 'app containers add up',
      pod: [
        ['app', 2],
        ['app', 3],
      ],
      want: 5,
    },
    {
      name: 'init containers take turns, and a small peak hides behind the apps',
      pod: [
        ['init', 1],
        ['init', 2],
        ['app', 3],
      ],
      want: 3,
    },
    {
      name: 'an init container larger than all apps together is the peak',
      pod: [
        ['init', 9],
        ['init', 2],
        ['app', 3],
        ['app', 4],
      ],
      want: 9,
    },
    {
      name: 'a sidecar runs beside the apps',
      pod: [
        ['sidecar', 2],
        ['app', 3],
      ],
      want: 5,
    },
    {
      name: 'an init container after a sidecar runs beside it',
      pod: [
        ['sidecar', 2],
        ['init', 4],
        ['app', 3],
      ],
      want: 6,
    },
    {
      name: 'an init container before a sidecar does not (KEP-753: order matters)',
      pod: [
        ['init', 4],
        ['sidecar', 2],
        ['app', 1],
      ],
      want: 4,
    },
    {
      name: 'only the sidecars started before it count beside an init container',
      pod: [
        ['sidecar', 1],
        ['init', 5],
        ['sidecar', 10],
        ['app', 0],
      ],
      want: 11,
    },
    {
      name: 'several sidecars and init containers in turn: 1, 1+2, 1+5, 1+3, 1+3+2, then 1+3+1',
      pod: [
        ['sidecar', 1],
        ['init', 2],
        ['init', 5],
        ['sidecar', 3],
        ['init', 2],
        ['app', 1],
      ],
      want: 6,
    },
    { name: 'a pod of sidecars alone holds them all', pod: [['sidecar', 4]], want: 4 },
  ];
  it.each(cases)('$name', ({ pod, want }) => {
    expect(amountOf(pod)).toBe(want);
    expect(peakOfLife(pod)).toBe(want);
  });

  it('agrees with living the pod step by step', () => {
    const amount = fc.nat({ max: 20 });
    const starting = fc.array(fc.tuple(fc.constantFrom<ContainerRole>('init', 'sidecar'), amount));
    const apps = fc.array(fc.tuple(fc.constant<ContainerRole>('app'), amount));
    fc.assert(
      fc.property(starting, apps, (first, then) => {
        expect(amountOf([...first, ...then])).toBe(peakOfLife([...first, ...then]));
      }),
      { numRuns: 2000 },
    );
  });
});
