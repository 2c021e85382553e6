import { describe, expect, it } from '@jest/globals';
import { AgentApi } from '../../../../src/emulator/node-agent/agent-api.ts';
import type {
  NodeDescription,
  PluginDescription,
} from '../../../../src/emulator/node-agent/node-description.ts';
import { BehaviourSwitch } from '../../../../src/emulator/node-agent/plugin-behaviour.ts';
import { makeNvidia } from '../../../../src/emulator/node-agent/plugins/nvidia.ts';
import { gpuLimits, makeNodeObject, makePod, type PodFields } from '../../../support/kubernetes-objects.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemoryApi, settled } from '../memory-api.ts';

const node = '/api/v1/nodes/n1';
const lockKey = 'hami.io/mutex.lock';
const phaseKey = 'hami.io/bind-phase';
const toAllocateKey = 'hami.io/vgpu-devices-to-allocate';

function pathOf(name: string): string {
  return `/api/v1/namespaces/default/pods/${name}`;
}

/** A pod as a scheduler leaves it behind: bound to n1, annotated, not yet started. */
function boundPod(name: string, toAllocate: string, fields: PodFields = {}) {
  return makePod({
    name,
    nodeName: 'n1',
    containers: [{ limits: gpuLimits({ count: 1 }) }],
    ...fields,
    annotations: {
      'hami.io/vgpu-node': 'n1',
      [phaseKey]: 'allocating',
      'hami.io/bind-time': '1767225600',
      [toAllocateKey]: toAllocate,
      ...fields.annotations,
    },
  });
}

const machine: NodeDescription = {
  name: 'n1',
  cpu: '8',
  memory: '32Gi',
  gpus: [{ id: 'gpu-0', type: 'NVIDIA A10', memoryMiB: 24_576 }],
};

function setup({ lock, plugin: described = {} }: { lock?: string; plugin?: PluginDescription } = {}) {
  const api = new MemoryApi();
  const clock = new ManualClock();
  const behaviour = new BehaviourSwitch();
  api.put(
    node,
    makeNodeObject({ devices: [{}], annotations: lock === undefined ? {} : { [lockKey]: lock } }),
  );
  const made = makeNvidia({ node: 'n1', api: new AgentApi(api), clock, behaviour }, () => ({
    ...machine,
    plugin: described,
  }));
  const books = { podUid: 'whoever', role: 'app' } as const;
  const plugin = {
    allocate: (count: number) => made.allocate({ resource: 'nvidia.com/gpu', count, books }),
  };
  return { api, clock, behaviour, plugin };
}

const lockOf = (name: string) => `2026-01-01T00:00:00Z,default,${name}`;

describe('Allocate', () => {
  it('serves the pod that the lock names, sets its phase and releases the lock', async () => {
    const { api, plugin } = setup({ lock: lockOf('p2') });
    api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,1000,10:;'));
    api.put(pathOf('p2'), boundPod('p2', 'gpu-0,NVIDIA,3000,30:;'));
    expect(await plugin.allocate(1)).toMatchObject({
      kind: 'given',
      pod: { name: 'p2' },
      container: 'c0',
      shares: [{ deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 30 }],
      instances: [],
      env: {
        NVIDIA_VISIBLE_DEVICES: 'gpu-0',
        CUDA_DEVICE_MEMORY_LIMIT_0: '3000m',
        CUDA_DEVICE_SM_LIMIT: '30',
      },
    });
    expect(api.annotation(pathOf('p2'), toAllocateKey)).toBe(';;');
    expect(api.annotation(pathOf('p2'), phaseKey)).toBe('success');
    expect(api.annotation(node, lockKey)).toBeUndefined();
    expect(api.annotation(pathOf('p1'), toAllocateKey)).toBe('gpu-0,NVIDIA,1000,10:;');
  });

  const waiting = [
    { name: 'no lock', lock: undefined },
    { name: 'a lock without owner', lock: '2026-01-01T00:00:00Z' },
    { name: 'a lock that cannot be read', lock: 'mine' },
  ];
  it.each(waiting)('takes the first pod that waits on the node under $name', async ({ lock }) => {
    const { api, plugin } = setup(lock === undefined ? {} : { lock });
    const decoys: [string, PodFields][] = [
      ['elsewhere', { nodeName: 'n2' }],
      ['running', { phase: 'Running' }],
      ['failed', { annotations: { [phaseKey]: 'failed' } }],
      ['meant-for-n2', { annotations: { 'hami.io/vgpu-node': 'n2' } }],
    ];
    for (const [name, fields] of decoys) {
      api.put(pathOf(name), boundPod(name, 'gpu-0,NVIDIA,1,1:;', fields));
    }
    api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,1000,10:;'));
    expect(await plugin.allocate(1)).toMatchObject({ kind: 'given', pod: { name: 'p1' } });
  });

  it('keeps phase and lock while another container waits', async () => {
    const { api, plugin } = setup({ lock: lockOf('p1') });
    const containers = ['a', 'b'].map((name) => ({ name, limits: gpuLimits({ count: 1 }) }));
    api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,500,3:;gpu-1,NVIDIA,500,3:;', { containers }));
    expect(await plugin.allocate(1)).toMatchObject({ container: 'a', shares: [{ deviceId: 'gpu-0' }] });
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('allocating');
    expect(api.annotation(node, lockKey)).toBe(lockOf('p1'));
    expect(await plugin.allocate(1)).toMatchObject({ container: 'b', shares: [{ deviceId: 'gpu-1' }] });
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('success');
    expect(api.annotation(node, lockKey)).toBeUndefined();
  });

  const failures = [
    {
      name: 'another number of devices',
      toAllocate: 'gpu-0,NVIDIA,1,1:gpu-1,NVIDIA,1,1:;',
      want: 'not matched',
    },
    { name: 'nothing left to give', toAllocate: ';;', want: 'device request not found' },
    { name: 'an entry for no container', toAllocate: ';;gpu-0,NVIDIA,1,1:;', want: 'out of range' },
    { name: 'an unreadable entry', toAllocate: 'gpu-0,NVIDIA,x,1:;', want: 'invalid memory field' },
  ];
  it.each(failures)(
    'refuses over $name, with phase failed and the lock released',
    async ({ toAllocate, want }) => {
      const { api, plugin } = setup({ lock: lockOf('p1') });
      api.put(pathOf('p1'), boundPod('p1', toAllocate));
      expect(await plugin.allocate(1)).toEqual({ kind: 'refused', message: expect.stringContaining(want) });
      expect(api.annotation(pathOf('p1'), phaseKey)).toBe('failed');
      expect(api.annotation(pathOf('p1'), toAllocateKey)).toBe(toAllocate);
      expect(api.annotation(node, lockKey)).toBeUndefined();
    },
  );

  it('refuses when the lock’s pod is gone, and leaves the lock as it is', async () => {
    const { api, plugin } = setup({ lock: lockOf('gone') });
    expect(await plugin.allocate(1)).toMatchObject({ kind: 'refused' });
    expect(api.annotation(node, lockKey)).toBe(lockOf('gone'));
  });

  it('refuses when no pod waits', async () => {
    const { plugin } = setup();
    expect(await plugin.allocate(1)).toEqual({
      kind: 'refused',
      message: expect.stringContaining('no binding pod'),
    });
  });

  it('tries again to release the lock when the node has changed meanwhile', async () => {
    const { api, clock, plugin } = setup({ lock: lockOf('p1') });
    api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,1,1:;'));
    api.failNext(`PATCH ${node}`, { kind: 'status', status: 409, reason: 'Conflict', message: 'changed' });
    const answer = plugin.allocate(1);
    await settled();
    expect(api.annotation(node, lockKey)).toBe(lockOf('p1'));
    clock.advance(100);
    expect(await answer).toMatchObject({ kind: 'given' });
    expect(api.annotation(node, lockKey)).toBeUndefined();
  });

  it('answers one call after the other', async () => {
    const { api, plugin } = setup({ lock: lockOf('p1') });
    const containers = ['a', 'b'].map((name) => ({ name, limits: gpuLimits({ count: 1 }) }));
    api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,5,3:;gpu-1,NVIDIA,5,3:;', { containers }));
    const answers = await Promise.all([plugin.allocate(1), plugin.allocate(1)]);
    expect(answers).toMatchObject([{ container: 'a' }, { container: 'b' }]);
  });
});

describe('a plugin', () => {
  const withInit = [
    { name: 'prepare', role: 'init' as const },
    { name: 'main', limits: gpuLimits({ count: 1 }) },
  ];

  const ages = [
    { version: '2.9', toAllocate: ';gpu-0,NVIDIA,1,1:;', want: { kind: 'given', container: 'main' } },
    { version: '2.10', toAllocate: ';gpu-0,NVIDIA,1,1:;', want: { kind: 'given', container: 'main' } },
    { version: '2.7', toAllocate: 'gpu-0,NVIDIA,1,1:;', want: { kind: 'given', container: 'main' } },
    { version: '2.8', toAllocate: 'gpu-0,NVIDIA,1,1:;', want: { kind: 'given', container: 'main' } },
  ] as const;
  it.each(ages)('of v$version counts the containers of its time', async ({ version, toAllocate, want }) => {
    const { api, plugin } = setup({ lock: lockOf('p1'), plugin: { version } });
    api.put(pathOf('p1'), boundPod('p1', toAllocate, { containers: withInit }));
    expect(await plugin.allocate(1)).toMatchObject(want);
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('success');
  });

  it.each(['2.7', '2.8'] as const)(
    'of v%s dies of an entry beyond the app containers, with phase and lock left behind',
    async (version) => {
      const { api, plugin } = setup({ lock: lockOf('p1'), plugin: { version } });
      api.put(pathOf('p1'), boundPod('p1', ';gpu-0,NVIDIA,1,1:;', { containers: withInit }));
      expect(await plugin.allocate(1)).toEqual({ kind: 'refused', message: 'the device plugin went away' });
      expect(api.annotation(pathOf('p1'), phaseKey)).toBe('allocating');
      expect(api.annotation(node, lockKey)).toBe(lockOf('p1'));
    },
  );

  const retries = [
    { version: '2.8', want: 'refused' },
    { version: '2.9', want: 'given' },
  ] as const;
  it.each(retries)(
    'of v$version: a pod whose phase is success already is $want without a lock',
    async ({ version, want }) => {
      const { api, plugin } = setup({ plugin: { version } });
      const annotations = { [phaseKey]: 'success' };
      api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,1,1:;', { annotations }));
      expect(await plugin.allocate(1)).toMatchObject({ kind: want });
    },
  );

  it('that scales memory says so to the container', async () => {
    const { api, plugin } = setup({ lock: lockOf('p1'), plugin: { memoryScaling: 2 } });
    api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,1,1:;'));
    expect(await plugin.allocate(1)).toMatchObject({ env: { CUDA_OVERSUBSCRIBE: 'true' } });
  });
});

describe('a plugin told to', () => {
  function withPod() {
    const parts = setup({ lock: lockOf('p1') });
    parts.api.put(pathOf('p1'), boundPod('p1', 'gpu-0,NVIDIA,1,1:;'));
    return parts;
  }

  it('fail reports it as the real one does, once', async () => {
    const { api, behaviour, plugin } = withPod();
    behaviour.setNext('fail');
    expect(await plugin.allocate(1)).toMatchObject({ kind: 'refused' });
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('failed');
    expect(api.annotation(node, lockKey)).toBeUndefined();
    api.put(pathOf('p2'), boundPod('p2', 'gpu-0,NVIDIA,1,1:;'));
    expect(await plugin.allocate(1)).toMatchObject({ kind: 'given', pod: { name: 'p2' } });
  });

  it('crash leaves phase and lock behind', async () => {
    const { api, behaviour, plugin } = withPod();
    behaviour.setNext('crash');
    expect(await plugin.allocate(1)).toMatchObject({ kind: 'refused' });
    expect(api.annotation(pathOf('p1'), phaseKey)).toBe('allocating');
    expect(api.annotation(node, lockKey)).toBe(lockOf('p1'));
  });

  it('hang does nothing until it is told otherwise', async () => {
    const { api, behaviour, plugin } = withPod();
    behaviour.set('hang');
    const answer = plugin.allocate(1);
    await settled();
    expect(api.writes).toEqual([]);
    behaviour.set('serve');
    expect(await answer).toMatchObject({ kind: 'given' });
  });

  it('answer twice repeats its final writes, and spares a lock that is another pod’s by then', async () => {
    const { api, clock, behaviour, plugin } = withPod();
    behaviour.setNext('answer-twice');
    await plugin.allocate(1);
    api.put(node, makeNodeObject({ annotations: { [lockKey]: lockOf('p2') } }));
    const before = api.writes.length;
    clock.advance(1000);
    await settled();
    expect(api.writes.slice(before)).toEqual([`PATCH ${pathOf('p1')}`]);
    expect(api.annotation(node, lockKey)).toBe(lockOf('p2'));
  });
});
