import { describe, expect, it } from '@jest/globals';
import { makeHygon } from '../../../../src/emulator/node-agent/plugins/hygon.ts';
import { phaseKey, PluginStage, sharedLock } from './plugin-stage.ts';

const resource = 'hygon.com/dcunum';
const toAllocateKey = 'hami.io/dcu-devices-to-allocate';
const limits = { [resource]: '1' };
const containers = [{ limits }];

function stage() {
  return new PluginStage((host) =>
    makeHygon(host, () => ({
      family: 'hygon',
      cards: [{ id: 'DCU-T6N01' }, { id: 'DCU-T6N02', healthy: false }],
    })),
  );
}

/** Both annotations, as schedulers write them. */
function allocation(value: string) {
  return { [toAllocateKey]: value, 'hami.io/dcu-devices-allocated': value };
}

describe('Hygon’s plugin publishes', () => {
  it('nine fields per card, every card healthy, and a sign of life (vendors §1.2, §4.2)', () => {
    const { plugin } = stage();
    expect(stage().published()).toEqual({
      'hami.io/node-dcu-register':
        'DCU-T6N01,4,32752,100,DCU-K100_AI,0,true,0,hami:DCU-T6N02,4,32752,100,DCU-K100_AI,0,true,1,hami:',
      'hami.io/node-handshake-dcu': 'Reported 2026-01-01 00:00:30 +0000 UTC m=+30.000000000',
    });
    expect(plugin.publishMs()).toBe(30_000);
    expect(plugin.offers()).toEqual([{ name: resource, capacity: 8, allocatable: 4 }]);
  });

  it('nothing without cards', () => {
    const none = new PluginStage((host) => makeHygon(host, () => ({ family: 'hygon', cards: 0 })));
    expect(none.published()).toEqual({});
    expect(none.plugin.offers()).toEqual([]);
  });
});

describe('Allocate of DCUs', () => {
  it('gives the lock’s pod its entry, and is done when no DCU is left (vendors §4.8)', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: allocation('DCU-T6N01,DCU,2000,60:;') });
    const given = await own.given(resource, 1);
    expect(given).toMatchObject({
      pod: { name: 'p1' },
      container: 'c0',
      shares: [{ vendor: 'DCU', deviceId: 'DCU-T6N01', memoryMiB: 2000, corePercent: 60 }],
      oddities: [],
    });
    expect(own.ofPod('p1', toAllocateKey)).toBe(';');
    expect(own.ofPod('p1', phaseKey)).toBe('success');
    expect(own.ofNode(sharedLock)).toBeUndefined();
  });

  it('drops empty entries and still means the right containers', async () => {
    const own = stage();
    own.lock('p1');
    const value = ';DCU-T6N01,DCU,2000,60:;;DCU-T6N01,DCU,1000,30:DCU-T6N02,DCU,1000,30:;';
    own.bind('p1', { containers: [{}, { limits }, {}, { limits }], annotations: allocation(value) });
    expect(await own.given(resource, 1)).toMatchObject({ container: 'c1', oddities: [] });
    expect(own.ofPod('p1', toAllocateKey)).toBe(';DCU-T6N01,DCU,1000,30:DCU-T6N02,DCU,1000,30:;');
    expect(own.ofPod('p1', phaseKey)).toBe('allocating');
    expect(await own.given(resource, 2)).toMatchObject({ container: 'c3', oddities: [] });
    expect(own.ofPod('p1', toAllocateKey)).toBe(';');
    expect(own.ofPod('p1', phaseKey)).toBe('success');
  });

  it('finds its pod without a lock only while that is allocating (vendors §19.13)', async () => {
    const own = stage();
    const annotations = allocation('DCU-T6N01,DCU,2000,60:;');
    own.bind('p0', { containers, annotations: { ...annotations, [phaseKey]: 'success' } });
    expect(await own.allocate(resource, 1)).toMatchObject({ kind: 'refused' });
    own.bind('p1', { containers, annotations });
    expect(await own.given(resource, 1)).toMatchObject({ pod: { name: 'p1' } });
  });

  const failures = [
    { name: 'another number of cards', value: 'DCU-T6N01,DCU,1,1:DCU-T6N02,DCU,1,1:;', want: 'not matched' },
    { name: 'nothing to hand out', value: ';;', want: 'device request not found' },
    { name: 'a card that it does not have', value: 'DCU-T6N09,DCU,1,1:;', want: 'uuid DCU-T6N09' },
    { name: 'an id without its prefix', value: 'T6N01,DCU,1,1:;', want: 'uuid T6N01' },
    { name: 'a device without its colon', value: 'DCU-T6N01,DCU,1,1;', want: 'another form' },
    { name: 'three fields', value: 'DCU-T6N01,DCU,1:;', want: 'another form' },
    { name: 'a value that does not end', value: 'DCU-T6N01,DCU,1,1:', want: 'does not end' },
    { name: 'another key', value: undefined, want: `has no ${toAllocateKey}` },
  ];
  it.each(failures)('fails over $name', async ({ value, want }) => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: value === undefined ? {} : allocation(value) });
    expect(await own.allocate(resource, 1)).toEqual({
      kind: 'refused',
      message: expect.stringContaining(want),
    });
    expect(own.ofPod('p1', phaseKey)).toBe('failed');
    expect(own.ofNode(sharedLock)).toBeUndefined();
  });

  const odd = [
    {
      name: 'a card under another word',
      annotations: allocation('DCU-T6N01,DCU-K100_AI,2000,60:;'),
      want: 'DCU DCU-T6N01 is written down as DCU-K100_AI',
    },
    {
      name: 'a missing record of the allocation',
      annotations: { [toAllocateKey]: 'DCU-T6N01,DCU,2000,60:;' },
      want: 'pod default/p1: hami.io/dcu-devices-allocated: allocation "" does not end with ";"',
    },
  ];
  it.each(odd)('gives all the same over $name, and says that it is wrong', async ({ annotations, want }) => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations });
    expect((await own.given(resource, 1)).oddities).toEqual([want]);
  });
});
