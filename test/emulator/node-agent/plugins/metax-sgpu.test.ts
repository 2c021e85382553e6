import { describe, expect, it } from '@jest/globals';
import { makeMetaxSgpu } from '../../../../src/emulator/node-agent/plugins/metax-sgpu.ts';
import { kindOf, sgpuClash } from '../../../../src/emulator/node-agent/plugins/metax-sharing.ts';
import { phaseKey, PluginStage, sharedLock } from './plugin-stage.ts';

const resource = 'metax-tech.com/sgpu';
const toAllocateKey = 'hami.io/metax-sgpu-devices-to-allocate';
const partsKey = 'metax-tech.com/gpu-devices-allocated';
const policyKey = 'metax-tech.com/sgpu-qos-policy';
const classKey = 'metax-tech.com/sgpu-app-class';
const registerKey = 'metax-tech.com/node-gpu-devices';
const containers = [{ limits: { [resource]: '1' } }];
const shared = {
  [toAllocateKey]: 'GPU-123,Metax-SGPU,4096,60:;',
  [partsKey]: '[[{"uuid":"GPU-123","compute":60,"vRam":4096}]]',
};

function stage() {
  return new PluginStage((host) =>
    makeMetaxSgpu(host, () => ({
      family: 'metax-sgpu',
      cards: [
        { id: 'GPU-123', qosPolicy: 'fixed-share', linkZone: 1 },
        { id: 'GPU-456', healthy: false },
      ],
      memoryMiB: 32_768,
    })),
  );
}

function policiesOf(own: PluginStage) {
  const cards = JSON.parse(own.published()[registerKey] ?? '[]') as { qosPolicy: string }[];
  return cards.map(({ qosPolicy }) => qosPolicy);
}

describe('MetaX’s plugin for shared cards publishes', () => {
  it('an object per card, in the order of their index (vendors §8.2)', () => {
    const own = stage();
    expect(JSON.parse(own.published()[registerKey] ?? '[]')).toMatchObject([
      {
        uuid: 'GPU-123',
        bdf: '0000:01:00.0',
        model: 'MXC500',
        totalDevCount: 16,
        totalCompute: 100,
        totalVRam: 32_768,
        numa: 0,
        healthy: true,
        qosPolicy: 'fixed-share',
        linkZone: 1,
      },
      { uuid: 'GPU-456', healthy: false, qosPolicy: '', linkZone: 0 },
    ]);
    expect(own.plugin.offers()).toEqual([{ name: resource, capacity: 32, allocatable: 16 }]);
  });

  it('the policy that pods put on a card', async () => {
    const own = stage();
    const serve = async (annotations: Readonly<Record<string, string>>) => {
      own.lock('p1');
      own.bind('p1', { containers, annotations: { ...shared, ...annotations } });
      await own.given(resource, 1);
      return policiesOf(own)[0];
    };
    expect(await serve({ [policyKey]: 'best-effort' })).toBe('best-effort');
    expect(await serve({ [classKey]: 'online' })).toBe('best-effort');
    const whole = {
      [toAllocateKey]: 'GPU-123,Metax-SGPU,32768,100:;',
      [partsKey]: '[[{"uuid":"GPU-123","compute":100,"vRam":32768}]]',
    };
    expect(await serve({ [policyKey]: 'best-effort', ...whole })).toBe('');
  });
});

describe('Allocate of MetaX’s shared cards (vendors §8.8)', () => {
  it('gives what the vendor’s own annotation says', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: { ...shared, [policyKey]: 'best-effort' } });
    expect(await own.given(resource, 1)).toMatchObject({
      container: 'c0',
      shares: [
        { vendor: 'Metax-SGPU', deviceId: 'GPU-123', memoryMiB: 4096, corePercent: 60, kind: '/best-effort' },
      ],
      oddities: [],
    });
    expect(own.ofPod('p1', toAllocateKey)).toBe(';;');
    expect(own.ofPod('p1', phaseKey)).toBe('success');
    expect(own.ofNode(sharedLock)).toBeUndefined();
  });

  it('takes no compute from an online pod’s card, and finds containers by position', async () => {
    const own = stage();
    own.lock('p1');
    const annotations = {
      [classKey]: 'online',
      [toAllocateKey]: ';GPU-123,Metax-SGPU,4096,0:;',
      [partsKey]: '[[],[{"uuid":"GPU-123","vRam":4096}]]',
    };
    own.bind('p1', { containers: [{}, ...containers], annotations });
    expect(await own.given(resource, 1)).toMatchObject({
      container: 'c1',
      shares: [{ memoryMiB: 4096, corePercent: 0, kind: 'online/' }],
      oddities: [],
    });
  });

  const failures = [
    { name: 'no annotation of its own', parts: undefined, want: `has no ${partsKey}` },
    { name: 'one list for all containers', parts: '[{"uuid":"GPU-123"}]', want: 'a container is no array' },
    { name: 'a misspelled key', parts: '[[{"uuid":"GPU-123","vram":4096}]]', want: 'the key vram' },
    {
      name: 'a zero written out',
      parts: '[[{"uuid":"GPU-123","compute":0,"vRam":1}]]',
      want: 'compute is no amount',
    },
    { name: 'a card that it does not have', parts: '[[{"uuid":"GPU-9","vRam":1}]]', want: 'no card GPU-9' },
    { name: 'another number of cards', parts: '[[]]', want: 'not matched' },
  ];
  it.each(failures)('fails over $name', async ({ parts, want }) => {
    const own = stage();
    own.lock('p1');
    const without = { [toAllocateKey]: shared[toAllocateKey] };
    own.bind('p1', {
      containers,
      annotations: parts === undefined ? without : { ...shared, [partsKey]: parts },
    });
    expect(await own.allocate(resource, 1)).toEqual({
      kind: 'refused',
      message: expect.stringContaining(want),
    });
    expect(own.ofPod('p1', phaseKey)).toBe('failed');
  });

  const odd = [
    { name: 'amounts that differ', parts: '[[{"uuid":"GPU-123","compute":50,"vRam":4096}]]' },
    { name: 'a container too many', parts: '[[{"uuid":"GPU-123","compute":60,"vRam":4096}],[]]' },
  ];
  it.each(odd)('says that $name are wrong', async ({ parts }) => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: { ...shared, [partsKey]: parts } });
    expect((await own.given(resource, 1)).oddities).toEqual([
      `pod default/p1: ${partsKey} says something else than ${toAllocateKey}`,
    ]);
  });
});

describe('on one card of MetaX (vendors §8.6)', () => {
  const online = kindOf({ [classKey]: 'online' }, 0);
  const offline = kindOf({ [classKey]: 'offline', [policyKey]: 'best-effort' }, 30);
  const offlineFixed = kindOf({ [classKey]: 'offline', [policyKey]: 'fixed-share' }, 30);
  const plain = kindOf({ [policyKey]: 'best-effort' }, 30);
  const plainFixed = kindOf({ [policyKey]: 'fixed-share' }, 30);
  const alone = kindOf({ [policyKey]: 'fixed-share' }, 100);

  const pairs = [
    { name: 'pods of one policy', kind: plain, other: plain, want: undefined },
    {
      name: 'pods of two policies',
      kind: plain,
      other: plainFixed,
      want: 'QoS policy best-effort beside fixed-share',
    },
    { name: 'a pod after one that took all compute', kind: plain, other: alone, want: undefined },
    {
      name: 'a pod with a class beside one without',
      kind: online,
      other: plain,
      want: 'a pod with an app class beside one without',
    },
    {
      name: 'a pod without a class beside one with',
      kind: plain,
      other: offline,
      want: 'a pod with an app class beside one without',
    },
    { name: 'an online pod that joins an offline one', kind: online, other: offline, want: undefined },
    {
      name: 'an offline pod that joins an online one',
      kind: offline,
      other: online,
      want: 'an offline pod on the card of an online one',
    },
    {
      name: 'offline pods of two policies',
      kind: offline,
      other: offlineFixed,
      want: 'QoS policy best-effort beside fixed-share',
    },
    { name: 'two online pods', kind: online, other: online, want: undefined },
  ];
  it.each(pairs)('$name: $want', ({ kind, other, want }) => {
    expect(sgpuClash(kind, other)).toBe(want);
  });
});
