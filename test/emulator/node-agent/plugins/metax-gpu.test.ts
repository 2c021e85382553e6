import { describe, expect, it } from '@jest/globals';
import { makeMetaxGpu } from '../../../../src/emulator/node-agent/plugins/metax-gpu.ts';
import { PluginStage } from './plugin-stage.ts';

const resource = 'metax-tech.com/gpu';

function stage() {
  return new PluginStage((host) =>
    makeMetaxGpu(host, () => ({
      family: 'metax-gpu',
      cards: [{ id: 'GPU-a' }, { id: 'GPU-ill', healthy: false }, { id: 'GPU-c' }],
      losses: { 1: 0, 2: 110 },
      scores: { 1: 100, 2: 50 },
    })),
  );
}

const idsOf = ({ shares }: { shares: readonly { deviceId: string }[] }) =>
  shares.map(({ deviceId }) => deviceId);

describe('MetaX’s plugin for whole cards', () => {
  it('offers its cards and publishes points by count alone (vendors §7.2, §7.7)', () => {
    const own = stage();
    expect(own.published()).toEqual({
      'metax-tech.com/gpu.topology.losses': '{"1":0,"2":110}',
      'metax-tech.com/gpu.topology.scores': '{"1":100,"2":50}',
    });
    expect(own.plugin.offers()).toEqual([{ name: resource, capacity: 3, allocatable: 2 }]);
  });

  it('picks healthy cards that nobody has, whoever asks, and knows no pod', async () => {
    const own = stage();
    const first = await own.given(resource, 1);
    expect(first).not.toHaveProperty('pod');
    expect(idsOf(first)).toEqual(['GPU-a']);
    expect(await own.allocate(resource, 2, 'uid-p2')).toMatchObject({ kind: 'refused' });
    expect(await own.allocate(resource, 1, 'uid-p2')).toMatchObject({ shares: [{ deviceId: 'GPU-c' }] });
    own.plugin.release?.('uid-p1');
    expect(await own.allocate(resource, 1, 'uid-p3')).toMatchObject({ shares: [{ deviceId: 'GPU-a' }] });
    expect(own.api.writes).toEqual([]);
  });

  it('gives an init container’s card to its successor, once', async () => {
    const own = stage();
    expect(await own.allocate(resource, 1, 'uid-p1', 'init')).toMatchObject({
      shares: [{ deviceId: 'GPU-a' }],
    });
    expect(idsOf(await own.given(resource, 1))).toEqual(['GPU-a']);
    expect(idsOf(await own.given(resource, 1))).toEqual(['GPU-c']);
  });

  it.each(['fail', 'crash'] as const)('refuses when told to %s', async (behaviour) => {
    const own = stage();
    own.behaviour.setNext(behaviour);
    expect(await own.allocate(resource, 1)).toMatchObject({ kind: 'refused' });
  });
});
