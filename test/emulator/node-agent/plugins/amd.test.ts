import { describe, expect, it } from '@jest/globals';
import { makeAmd } from '../../../../src/emulator/node-agent/plugins/amd.ts';
import { phaseKey, PluginStage, sharedLock } from './plugin-stage.ts';

const resource = 'amd.com/gpu';
const toAllocateKey = 'hami.io/amd-devices-to-allocate';
const unitsKey = 'hami.io/amd-cu-allocated';
const card = '66ff74a1-0000-1000-80d7-8f9f1f3ab001';
const product = 'AMD Instinct MI300X';
const containers = [{ limits: { [resource]: '1' } }];

function stage() {
  return new PluginStage((host) =>
    makeAmd(host, () => ({ family: 'amd', cards: [{ id: card }, { id: 'second', healthy: false }] })),
  );
}

function allocation(value: string) {
  return { [toAllocateKey]: value, 'hami.io/amd-devices-allocated': value };
}

const quarter = `${card},${product},20000,76:;`;

describe('AMD’s plugin publishes', () => {
  it('its cards with their compute units, and no sign of life (vendors §14.2)', () => {
    const { plugin } = stage();
    expect(stage().published()).toEqual({
      'hami.io/node-amd-register':
        `[{"id":"${card}","count":10,"devmem":196288,"devcore":304,"type":"${product}","health":true,"custominfo":{"pciBDF":"0000:05:00.0"}},` +
        `{"id":"second","index":1,"count":10,"devmem":196288,"devcore":304,"type":"${product}","health":true,"custominfo":{"pciBDF":"0000:06:00.0"}}]`,
    });
    expect(plugin.offers()).toEqual([{ name: resource, capacity: 20, allocatable: 10 }]);
  });
});

describe('Allocate of AMD GPUs', () => {
  it('gives compute units and writes down which (vendors §14.8)', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: allocation(quarter) });
    expect(await own.given(resource, 1)).toMatchObject({
      container: 'c0',
      shares: [{ vendor: 'AMD', deviceId: card, memoryMiB: 20_000, corePercent: 76, kind: '0-75' }],
      env: {
        HSA_CU_MASK: '0:0-75',
        ROCR_VISIBLE_DEVICES: card,
        HIP_DEVICE_MEMORY_LIMIT: '20000m',
        LD_AUDIT: '/usr/local/vgpu/libamvgpu.so',
      },
      oddities: [],
    });
    expect(own.ofPod('p1', unitsKey)).toBe(`{"${card}":"0-75"}`);
    expect(own.ofPod('p1', toAllocateKey)).toBe(';');
    expect(own.ofPod('p1', phaseKey)).toBe('success');
    expect(own.ofNode(sharedLock)).toBeUndefined();
  });

  it('leaves the units of other pods alone, but not of those that have ended', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('p0', { phase: 'Running', annotations: { [unitsKey]: `{"${card}":"0-9,12-100"}` } });
    own.bind('over', { phase: 'Succeeded', annotations: { [unitsKey]: `{"${card}":"0-303"}` } });
    own.bind('p1', { containers, annotations: allocation(quarter) });
    expect(await own.given(resource, 1)).toMatchObject({ env: { HSA_CU_MASK: '0:10-11,101-174' } });
  });

  it('numbers a container’s cards from zero', async () => {
    const own = stage();
    own.lock('p1');
    const value = `second,${product},1000,10:${card},${product},1000,304:;`;
    own.bind('p1', { containers: [{ limits: { [resource]: '2' } }], annotations: allocation(value) });
    expect(await own.given(resource, 2)).toMatchObject({
      env: { HSA_CU_MASK: '0:0-9;1:0-303', ROCR_VISIBLE_DEVICES: `second,${card}` },
    });
    expect(own.ofPod('p1', unitsKey)).toBe(`{"${card}":"0-303","second":"0-9"}`);
  });

  it('is done after the first container, so that the second finds no pod (vendors §14.11)', async () => {
    const own = stage();
    own.lock('p1');
    const two = [...containers, ...containers];
    own.bind('p1', { containers: two, annotations: allocation(`${quarter}${quarter}`) });
    expect(await own.given(resource, 1)).toMatchObject({ container: 'c0' });
    expect(own.ofPod('p1', phaseKey)).toBe('success');
    expect(await own.allocate(resource, 1)).toEqual({
      kind: 'refused',
      message: 'no binding pod found on node n1',
    });
  });

  const failures = [
    {
      name: 'no lock',
      lock: undefined,
      value: quarter,
      want: 'the lock of node n1 is not that of pod default/p1',
    },
    { name: 'a lock without owner', lock: '2026-01-01T00:00:00Z', value: quarter, want: 'is not that of' },
    { name: 'too few free units', value: `${card},${product},1,305:;`, want: 'no 305 free' },
    { name: 'a percentage of nothing', value: `${card},${product},1,0:;`, want: 'no 0 free' },
    { name: 'a card that it does not have', value: `stranger,${product},1,1:;`, want: 'stranger not found' },
    { name: 'another number of cards', value: `${quarter.slice(0, -1)}${quarter}`, want: 'not matched' },
  ];
  it.each(failures)('fails over $name', async ({ value, want, ...given }) => {
    const own = stage();
    const lock = 'lock' in given ? given.lock : '2026-01-01T00:00:00Z,default,p1';
    own.annotateNode(lock === undefined ? {} : { [sharedLock]: lock });
    own.bind('p1', { containers, annotations: allocation(value) });
    expect(await own.allocate(resource, 1)).toEqual({
      kind: 'refused',
      message: expect.stringContaining(want),
    });
    expect(own.ofPod('p1', phaseKey)).toBe('failed');
    expect(own.ofPod('p1', unitsKey)).toBeUndefined();
  });

  it('fails when two pods have the same units already', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('a', { phase: 'Running', annotations: { [unitsKey]: `{"${card}":"0-9"}` } });
    own.bind('b', { phase: 'Running', annotations: { [unitsKey]: `{"${card}":"9"}` } });
    own.bind('p1', { containers, annotations: allocation(quarter) });
    expect(await own.allocate(resource, 1)).toMatchObject({
      message: `compute unit 9 of card ${card} has two owners`,
    });
  });

  it('says that a card under the family’s word is wrong', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: allocation(`${card},AMD,20000,76:;`) });
    expect((await own.given(resource, 1)).oddities).toEqual([`card ${card} is written down as AMD`]);
  });
});
