import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Allocation } from '../../src/model/allocation.ts';
import type { ContainerObject } from '../../src/model/cluster-objects.ts';
import type { ContainerRole } from '../../src/model/container-role.ts';
import { alignEntries, decodeEntries, encodeAllocation } from '../../src/vendors/allocation-codec.ts';
import { makeContainer } from './make-container.ts';
import { makeShare } from './make-share.ts';

const count = 'nvidia.com/gpu';

/** `init`, `sidecar` or `app`, with the number of cards asked for, e.g. `init:0 app:1`. */
function makeContainers(text: string): readonly ContainerObject[] {
  return text.split(' ').map((word, index) => {
    const [role, cards = '0'] = word.split(':');
    return makeContainer({
      name: `c${index}`,
      role: role as ContainerRole,
      limits: cards === '0' ? {} : { [count]: cards },
    });
  });
}

const [a, b] = [makeShare('GPU-a'), makeShare('GPU-b')];

describe('alignEntries finds the container of each entry (spec Appendix D.3)', () => {
  const one = 'GPU-a,NVIDIA,3000,30:;';
  const two = 'GPU-a,NVIDIA,3000,30:;GPU-b,NVIDIA,3000,30:;';
  const cases: { name: string; containers: string; value: string; want: Allocation }[] = [
    {
      name: 'one entry per container: by position',
      containers: 'init:0 app:1',
      value: `;${one}`,
      want: [[], [a]],
    },
    {
      name: 'one entry per container, all asking',
      containers: 'init:1 app:1',
      value: two,
      want: [[a], [b]],
    },
    {
      name: 'one entry per container, a sidecar among them',
      containers: 'sidecar:1 init:0 app:0 app:1',
      value: 'GPU-a,NVIDIA,3000,30:;;;GPU-b,NVIDIA,3000,30:;',
      want: [[a], [], [], [b]],
    },
    {
      name: 'v2.10: the empty entry of an init container lost',
      containers: 'init:0 app:1',
      value: one,
      want: [[], [a]],
    },
    {
      name: 'v2.10: the empty entries of app containers lost',
      containers: 'app:0 app:1 app:0 app:2',
      value: 'GPU-a,NVIDIA,3000,30:;GPU-a,NVIDIA,3000,30:GPU-b,NVIDIA,3000,30:;',
      want: [[], [a], [], [a, b]],
    },
    {
      name: 'v2.10: entries for an asking init and the second app',
      containers: 'init:1 app:0 app:1',
      value: two,
      want: [[a], [], [b]],
    },
    {
      name: 'v2.8: app containers only, init asks for nothing',
      containers: 'init:0 app:0 app:1',
      value: `;${one}`,
      want: [[], [], [a]],
    },
    {
      name: 'v2.8: app containers only, although init asks',
      containers: 'init:1 app:1',
      value: one,
      want: [[], [a]],
    },
    {
      name: 'v2.8: two init and two app containers, all asking',
      containers: 'init:1 init:1 app:1 app:1',
      value: two,
      want: [[], [], [a], [b]],
    },
    {
      name: 'v2.8: a sidecar counts as an init container',
      containers: 'sidecar:1 app:0 app:1',
      value: `;${one}`,
      want: [[], [], [a]],
    },
    {
      name: 'as many entries as containers, but filled where nothing is asked: to the container that asks',
      containers: 'init:0 app:1',
      value: 'GPU-a,NVIDIA,3000,30:;;',
      want: [[], [a]],
    },
    {
      name: 'as many entries as containers, and nobody asks: by position',
      containers: 'init:0 app:0',
      value: `;${one}`,
      want: [[], [a]],
    },
    { name: 'no entry for a pod that asks for nothing', containers: 'app:0', value: '', want: [[]] },
  ];
  it.each(cases)('$name', ({ containers, value, want }) => {
    const entries = decodeEntries(value, 'NVIDIA');
    expect(entries.ok && alignEntries(entries.value, makeContainers(containers), count)).toEqual({
      ok: true,
      value: want,
    });
  });

  it('reads the count from requests where limits name none', () => {
    const containers = [makeContainer(), makeContainer({ requests: { [count]: '1' } })];
    expect(alignEntries([[a]], containers, count)).toEqual({ ok: true, value: [[], [a]] });
  });

  it.each([
    { name: 'more entries than the pod can have', containers: 'app:1', entries: [[a], [b]] },
    {
      name: 'fewer filled entries than asking containers',
      containers: 'app:1 app:1 app:1',
      entries: [[a], [b]],
    },
    { name: 'entries that the plugin has consumed', containers: 'app:1', entries: [[], []] },
  ])('refuses $name', ({ containers, entries }) => {
    const result = alignEntries(entries, makeContainers(containers), count);
    expect(result.ok ? result : result.problem).toEqual(expect.stringContaining(count));
  });
});

describe('an allocation survives its annotation', () => {
  const int32 = fc.nat({ max: 2 ** 31 - 1 });
  const anyShare = fc
    .tuple(fc.stringMatching(/^GPU-[0-9a-f-]{1,8}$/), int32, int32)
    .map(([deviceId, memoryMiB, corePercent]) => makeShare(deviceId, memoryMiB, corePercent));
  const anyContainer = fc.record({
    role: fc.constantFrom<ContainerRole>('init', 'sidecar', 'app'),
    shares: fc.array(anyShare, { maxLength: 4 }),
  });
  /** Init containers come first in every pod, and there is an app container. */
  const pods = fc.array(anyContainer, { maxLength: 5 }).chain((init) =>
    fc.array(fc.array(anyShare, { maxLength: 4 }), { minLength: 1, maxLength: 4 }).map((apps) => {
      const front = init.filter(({ role }) => role !== 'app');
      const all = [...front, ...apps.map((shares) => ({ role: 'app' as const, shares }))];
      return {
        containers: all.map(({ role, shares }) =>
          makeContainer({ role, limits: shares.length > 0 ? { [count]: String(shares.length) } : {} }),
        ),
        allocation: all.map(({ shares }) => shares),
        initCount: front.length,
      };
    }),
  );
  const filled = pods.filter(({ allocation }) => allocation.some((shares) => shares.length > 0));

  function readBack(written: Allocation, containers: readonly ContainerObject[]) {
    const entries = decodeEntries(encodeAllocation(written, 'NVIDIA') ?? '', 'NVIDIA');
    return entries.ok ? alignEntries(entries.value, containers, count) : entries;
  }

  it('as we write it', () => {
    fc.assert(
      fc.property(filled, ({ containers, allocation }) => {
        expect(readBack(allocation, containers)).toEqual({ ok: true, value: allocation });
      }),
    );
  });

  it('as v2.10 writes it, without empty entries', () => {
    fc.assert(
      fc.property(filled, ({ containers, allocation }) => {
        const written = allocation.filter((shares) => shares.length > 0);
        expect(readBack(written, containers)).toEqual({ ok: true, value: allocation });
      }),
    );
  });

  it('as v2.8 writes it, but for the init containers that it leaves out', () => {
    fc.assert(
      fc.property(filled, ({ containers, allocation, initCount }) => {
        const written = allocation.slice(initCount);
        fc.pre(written.some((shares) => shares.length > 0));
        const want = allocation.map((shares, index) => (index < initCount ? [] : shares));
        expect(readBack(written, containers)).toEqual({ ok: true, value: want });
      }),
    );
  });

  it('and no share is lost or doubled, whatever the entries and the containers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(anyShare, { maxLength: 2 }), { maxLength: 5 }),
        pods,
        (entries, { containers }) => {
          const result = alignEntries(entries, containers, count);
          if (!result.ok) return;
          expect(result.value).toHaveLength(containers.length);
          expect(result.value.flat()).toEqual(entries.flat());
        },
      ),
      { numRuns: 1000 },
    );
  });
});
