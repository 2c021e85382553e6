import { describe, expect, it } from '@jest/globals';
import { makeCambricon } from '../../../../src/emulator/node-agent/plugins/cambricon.ts';
import { pathOf, phaseKey, PluginStage } from './plugin-stage.ts';
import { settled } from '../memory-api.ts';

const cores = 'cambricon.com/mlu.smlu.vcore';
const memory = 'cambricon.com/mlu.smlu.vmemory';
const lockKey = 'cambricon.com/dsmlu.lock';
const assignedKey = 'CAMBRICON_DSMLU_ASSIGHED';
const profileKey = 'CAMBRICON_DSMLU_PROFILE';
const instanceKey = 'CAMBRICON_DSMLU_PROFILE_INSTANCE';
const time = '2026-01-01T00:00:00Z';
const containers = [{ limits: { 'cambricon.com/vmlu': '1', [cores]: '10', [memory]: '10' } }];
const waiting = { [assignedKey]: 'false', [profileKey]: '1_10_10' };

function stage() {
  return new PluginStage((host) =>
    makeCambricon(host, () => ({ family: 'cambricon', cards: [{ id: 'MLU-a' }, { id: 'MLU-b' }] })),
  );
}

describe('Cambricon’s plugin offers', () => {
  it('percents and units of memory, and no vmlu (vendors §3.2)', () => {
    const { plugin } = stage();
    expect(stage().published()).toEqual({});
    expect(plugin.offers()).toEqual([
      { name: cores, capacity: 200, allocatable: 200 },
      { name: memory, capacity: 192, allocatable: 192 },
    ]);
  });

  it('the resources of a model under its name', () => {
    const own = new PluginStage((host) =>
      makeCambricon(host, () => ({ family: 'cambricon', cards: 1, model: 'mlu370' })),
    );
    expect(own.plugin.offers().map(({ name }) => name)).toEqual([
      'cambricon.com/mlu370.smlu.vcore',
      'cambricon.com/mlu370.smlu.vmemory',
    ]);
  });
});

describe('Allocate of MLUs (vendors §3.8)', () => {
  it('makes the instance at the first call and says so at the second', async () => {
    const own = stage();
    own.annotateNode({ [lockKey]: time });
    own.bind('p1', { containers, annotations: waiting });
    const gift = {
      pod: { name: 'p1' },
      container: 'c0',
      shares: [{ vendor: 'MLU', deviceId: 'MLU-b', memoryMiB: 2560, corePercent: 10 }],
      oddities: [],
    };
    expect(await own.given(cores, 10)).toMatchObject(gift);
    expect(own.ofPod('p1', assignedKey)).toBe('false');
    expect(own.ofNode(lockKey)).toBe(time);
    expect(await own.given(memory, 10)).toMatchObject(gift);
    expect(own.ofPod('p1', assignedKey)).toBe('true');
    expect(own.ofPod('p1', instanceKey)).toBe('1_257_1_1');
    expect(own.ofNode(lockKey)).toBeUndefined();
    // It does not know HAMi's bind phase.
    expect(own.ofPod('p1', phaseKey)).toBe('allocating');
  });

  it('uses a profile again, and an instance’s number when its pod has ended', async () => {
    const own = stage();
    const instanceOf = async (name: string, profile = '1_10_10') => {
      own.bind(name, { containers, annotations: { ...waiting, [profileKey]: profile } });
      await own.given(cores, 10);
      await own.given(memory, 10);
      return own.ofPod(name, instanceKey);
    };
    expect(await instanceOf('p1')).toBe('1_257_1_1');
    expect(await instanceOf('p2')).toBe('1_513_1_2');
    expect(await instanceOf('p3', '0_10_10')).toBe('2_256_0_1');
    own.plugin.release?.('uid-p1');
    expect(await instanceOf('p4')).toBe('1_257_1_1');
  });

  const failures = [
    {
      name: 'no pod that waits',
      annotations: { [assignedKey]: 'true', [profileKey]: '1_10_10' },
      want: 'no dynamic smlu candidate',
    },
    {
      name: 'the other spelling alone',
      annotations: { CAMBRICON_DSMLU_ASSIGNED: 'false', [profileKey]: '1_10_10' },
      want: 'no dynamic smlu candidate',
    },
    { name: 'a pod that runs', phase: 'Running', want: 'no dynamic smlu candidate' },
    {
      name: 'a pod without limits on its resources',
      limits: { 'cambricon.com/vmlu': '1' },
      want: 'no dynamic smlu candidate',
    },
    { name: 'no profile', annotations: { [assignedKey]: 'false' }, want: `${profileKey} not found` },
    {
      name: 'a profile in another form',
      annotations: { ...waiting, [profileKey]: '1_10' },
      want: 'invalid pod annotation 1_10',
    },
    {
      name: 'a slot without a card',
      annotations: { ...waiting, [profileKey]: '2_10_10' },
      want: 'no card in slot 2',
    },
  ];
  it.each(failures)(
    'fails over $name, and leaves pod and lock alone',
    async ({ annotations = waiting, phase = 'Pending', limits = containers[0]!.limits, want }) => {
      const own = stage();
      own.annotateNode({ [lockKey]: time });
      own.bind('p1', { containers: [{ limits }], annotations, phase });
      const before = own.api.writes.length;
      expect(await own.allocate(cores, 10)).toEqual({
        kind: 'refused',
        message: expect.stringContaining(want),
      });
      expect(own.api.writes.length).toBe(before);
      expect(own.ofNode(lockKey)).toBe(time);
    },
  );

  it('fails over two pods that wait, and over a pod with two containers', async () => {
    const own = stage();
    own.bind('p1', { containers, annotations: waiting });
    own.bind('p2', { containers, annotations: waiting });
    expect(await own.allocate(cores, 10)).toMatchObject({
      message: expect.stringContaining('pods large than one'),
    });
    own.api.remove(pathOf('p2'));
    own.bind('p1', { containers: [...containers, ...containers], annotations: waiting });
    expect(await own.allocate(cores, 10)).toMatchObject({
      message: expect.stringContaining('containers of dynamic smlu candidate pod large than one'),
    });
  });

  it('says that a profile is wrong which differs from what kubelet counts', async () => {
    const own = stage();
    own.bind('p1', { containers, annotations: { ...waiting, [profileKey]: '1_20_10' } });
    expect((await own.given(cores, 10)).oddities).toEqual([
      `pod default/p1 asked for 10 of ${cores} and its profile has 20`,
    ]);
    expect((await own.given(memory, 10)).oddities).toEqual([]);
  });
});

describe('the lock of Cambricon’s plugin is removed', () => {
  it('when the plugin starts', async () => {
    const own = stage();
    own.annotateNode({ [lockKey]: time });
    await own.plugin.start?.();
    expect(own.ofNode(lockKey)).toBeUndefined();
  });

  const gone = [
    { name: 'when a pod goes that still waited', annotations: waiting, want: undefined },
    { name: 'by no pod that had been served', annotations: { [assignedKey]: 'true' }, want: time },
  ];
  it.each(gone)('$name', async ({ annotations, want }) => {
    const own = stage();
    own.annotateNode({ [lockKey]: time });
    own.bind('p1', { containers, annotations });
    const pod = await own.pod('p1');
    own.api.remove(pathOf('p1'));
    await own.plugin.forget?.(pod);
    expect(own.ofNode(lockKey)).toBe(want);
  });

  it('a second time by a plugin that saw no answer, whoever holds it then', async () => {
    const own = stage();
    own.bind('p1', { containers, annotations: waiting });
    await own.given(cores, 10);
    own.behaviour.setNext('answer-twice');
    await own.given(memory, 10);
    own.annotateNode({ [lockKey]: time });
    own.clock.advance(1000);
    await settled();
    expect(own.ofNode(lockKey)).toBeUndefined();
  });
});

describe('Cambricon’s plugin told to', () => {
  it.each(['fail', 'crash'] as const)('%s writes nothing', async (behaviour) => {
    const own = stage();
    own.bind('p1', { containers, annotations: waiting });
    const before = own.api.writes.length;
    own.behaviour.setNext(behaviour);
    expect(await own.allocate(cores, 10)).toMatchObject({ kind: 'refused' });
    expect(own.api.writes.length).toBe(before);
  });
});
