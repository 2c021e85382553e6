import { describe, expect, it } from '@jest/globals';
import { admitDevices, type DevicePlugin } from '../../../src/emulator/node-agent/device-admission.ts';
import type { AllocateCall } from '../../../src/emulator/node-agent/plugins/node-plugin.ts';
import { parsePod } from '../../../src/wire/kubernetes.ts';
import { makePod, type PodFields } from '../../support/kubernetes-objects.ts';

function podOf(fields: PodFields) {
  const pod = parsePod(makePod(fields));
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}

/** Two plugins: one with a single resource, one with two. */
function setup({ refuses }: { refuses?: string } = {}) {
  const calls: string[] = [];
  const gifts: { container: string; taken: string }[] = [];
  const pluginOf = (...names: string[]): DevicePlugin => ({
    offers: () => names.map((name) => ({ name, capacity: 4, allocatable: 4 })),
    allocate: ({ resource, count, books }: AllocateCall) => {
      calls.push(`${resource} ${count} ${books.podUid} ${books.role}`);
      return Promise.resolve(
        resource === refuses
          ? { kind: 'refused', message: 'nothing there' }
          : { kind: 'given', shares: [], instances: [], env: {} },
      );
    },
  });
  const plugins = [pluginOf('a.com/card'), pluginOf('b.com/cores', 'b.com/memory')];
  const book = {
    give: (given: { container: string }, meant: { pod: { name: string }; container: string }) => {
      gifts.push({ container: given.container, taken: `${meant.pod.name}/${meant.container}` });
    },
  };
  const admit = (fields: PodFields, others: readonly PodFields[] = []) =>
    admitDevices(podOf(fields), { node: 'n1', plugins, others: others.map(podOf), book });
  return { admit, calls, gifts };
}

describe('kubelet asks', () => {
  it('the plugin of every resource that a container names and the node offers', async () => {
    const { admit, calls, gifts } = setup();
    const containers = [
      { name: 'first', role: 'init' as const, limits: { 'a.com/card': '2' } },
      {
        name: 'main',
        limits: { 'a.com/card': '1', 'b.com/cores': '3', 'b.com/memory': '2', 'b.com/count': '9' },
      },
      { name: 'plain', limits: { cpu: '1' } },
    ];
    expect(await admit({ name: 'p1', containers })).toBeUndefined();
    expect(calls).toEqual([
      'a.com/card 2 uid-p1 init',
      'a.com/card 1 uid-p1 app',
      'b.com/cores 3 uid-p1 app',
      'b.com/memory 2 uid-p1 app',
    ]);
    expect(gifts.map(({ taken }) => taken)).toEqual(['p1/first', 'p1/main', 'p1/main', 'p1/main']);
  });

  it('nobody when any resource is short, other pods included', async () => {
    const { admit, calls } = setup();
    const limits = { 'a.com/card': '1', 'b.com/memory': '3' };
    expect(
      await admit({ containers: [{ limits }] }, [{ name: 'other', containers: [{ limits }] }]),
    ).toContain('unavailable for b.com/memory. Requested: 3, Available: 1');
    expect(calls).toEqual([]);
  });

  it('no further plugin after one has refused', async () => {
    const { admit, calls } = setup({ refuses: 'a.com/card' });
    const limits = { 'a.com/card': '1', 'b.com/memory': '3' };
    expect(await admit({ containers: [{ limits }] })).toContain('nothing there');
    expect(calls).toHaveLength(1);
  });
});
