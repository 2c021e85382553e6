import { afterEach, describe, expect, it } from '@jest/globals';
import { migCard } from '../../../src/emulator/node-agent/mig-cards.ts';
import { NodeAgent, type NodeAgentOptions } from '../../../src/emulator/node-agent/node-agent.ts';
import type { NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import { makeLogger } from '../../../src/telemetry/logger.ts';
import { gpuLimits, makeNodeObject, makePod, type PodFields } from '../../support/kubernetes-objects.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryApi, settled } from './memory-api.ts';

const node = '/api/v1/nodes/n1';
const registerKey = 'hami.io/node-nvidia-register';
const machine: NodeDescription = {
  name: 'n1',
  cpu: '32',
  memory: '128Gi',
  gpus: [
    { id: 'gpu-0', type: 'NVIDIA A10', memoryMiB: 24576 },
    { id: 'gpu-1', type: 'NVIDIA A10', memoryMiB: 24576, healthy: false },
  ],
};

function podPath(name: string): string {
  return `/api/v1/namespaces/default/pods/${name}`;
}

let agent: NodeAgent | undefined;

afterEach(async () => {
  await agent?.stop();
});

async function setup(options: Partial<NodeAgentOptions> = {}) {
  const api = new MemoryApi();
  const clock = new ManualClock();
  const made = new NodeAgent({
    client: api,
    clock,
    random: () => 0.5,
    log: makeLogger({ level: 'silent' }),
    ...options,
  });
  agent = made;
  await made.start();
  return { api, clock, agent: made };
}

function boundPod(name: string, fields: PodFields = {}) {
  return makePod({ name, nodeName: 'n1', ...fields });
}

describe('a node', () => {
  it('is registered with its devices, ready and free of the not-ready taint', async () => {
    const { api, agent } = await setup();
    await agent.addNode({ ...machine, taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }] });
    expect(api.get(node)).toMatchObject({
      metadata: {
        labels: { 'kubernetes.io/hostname': 'n1', gpu: 'on' },
        annotations: { [registerKey]: expect.stringContaining('"id":"gpu-0"') },
      },
      spec: { taints: [{ key: 'team' }] },
      status: {
        capacity: { 'nvidia.com/gpu': '20' },
        allocatable: { cpu: '32', memory: '128Gi', pods: '110', 'nvidia.com/gpu': '10' },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
    expect(api.get(node).spec?.['taints']).toHaveLength(1);
  });

  it('without cards says nothing about them', async () => {
    const { api, agent } = await setup();
    await agent.addNode({ ...machine, gpus: [] });
    expect(api.annotation(node, registerKey)).toBeUndefined();
    expect(api.get(node).status?.['allocatable']).toEqual({ cpu: '32', memory: '128Gi', pods: '110' });
  });

  it('that exists is taken over', async () => {
    const { api, agent } = await setup();
    api.put(node, makeNodeObject({ annotations: { other: 'kept' } }));
    await agent.addNode(machine);
    expect(api.annotation(node, 'other')).toBe('kept');
    expect(api.annotation(node, registerKey)).toContain('gpu-1');
    expect(api.get(node).status).toMatchObject({ allocatable: { 'nvidia.com/gpu': '10' } });
  });

  it('loses its taint though somebody else changes it meanwhile', async () => {
    const { api, clock, agent } = await setup();
    api.failNext(`PATCH ${node}`, { kind: 'status', status: 409, reason: 'Conflict', message: 'changed' });
    const added = agent.addNode(machine);
    await settled();
    clock.advance(50);
    await added;
    expect(api.get(node).spec?.['taints']).toEqual([]);
  });

  it('says that it is ready every ten seconds, even after a failure', async () => {
    const { api, clock, agent } = await setup();
    await agent.addNode(machine);
    const heartbeat = () => {
      const [ready] = api.get(node).status?.['conditions'] as { lastHeartbeatTime: string }[];
      return ready!.lastHeartbeatTime;
    };
    api.failNext(`PATCH ${node}/status`, { kind: 'timeout', message: 'slow', ambiguous: true });
    expect(heartbeat()).toBe('2026-01-01T00:00:00Z');
    clock.advance(10_000);
    await settled();
    expect(heartbeat()).toBe('2026-01-01T00:00:00Z');
    clock.advance(10_000);
    await settled();
    expect(heartbeat()).toBe('2026-01-01T00:00:20Z');
  });

  it('publishes its devices in another order now and then when asked to', async () => {
    const chances = [0.9, 0.1];
    let position = 0;
    const random = () => chances[position++ % 2] ?? 0;
    const { api, clock, agent } = await setup({ shuffleMs: 30_000, random });
    position = 1;
    await agent.addNode(machine);
    const idsNow = () => {
      const devices = JSON.parse(api.annotation(node, registerKey) ?? '[]') as { id: string }[];
      return devices.map(({ id }) => id);
    };
    expect(idsNow()).toEqual(['gpu-0', 'gpu-1']);
    position = 0;
    clock.advance(30_000);
    await settled();
    expect(idsNow()).toEqual(['gpu-1', 'gpu-0']);
  });

  it('of an old plugin says every 30 s that it lives, and publishes its devices again', async () => {
    const { api, clock, agent } = await setup();
    await agent.addNode({ ...machine, plugin: { version: '2.7' } });
    const handshake = () => api.annotation(node, 'hami.io/node-handshake');
    expect(handshake()).toBe('Reported 2026-01-01 00:00:00 +0000 UTC m=+0.000000000');
    expect(api.annotation(node, registerKey)).toContain(
      'gpu-0,10,24576,100,NVIDIA-NVIDIA A10,0,true,0,hami-core:',
    );
    // What schedulers of its time do.
    await api.request({
      method: 'PATCH',
      path: node,
      body: { metadata: { annotations: { 'hami.io/node-handshake': 'Requesting_x', [registerKey]: null } } },
      contentType: 'application/merge-patch+json',
      timeoutMs: 1000,
    });
    clock.advance(30_000);
    await settled();
    expect(handshake()).toBe('Reported 2026-01-01 00:00:30 +0000 UTC m=+30.000000000');
    expect(api.annotation(node, registerKey)).toContain('gpu-1,');
  });

  it('of a newer plugin says nothing of that kind', async () => {
    const { api, agent } = await setup();
    await agent.addNode(machine);
    expect(api.annotation(node, 'hami.io/node-handshake')).toBeUndefined();
    expect(api.annotation(node, 'hami.io/node-nvidia-score')).toBeUndefined();
  });

  it('tells how its cards are linked when asked to', async () => {
    const { api, agent } = await setup();
    await agent.addNode({ ...machine, plugin: { publishesLinkScores: true } });
    expect(JSON.parse(api.annotation(node, 'hami.io/node-nvidia-score') ?? '')).toEqual([
      { uuid: 'gpu-0', score: { 'gpu-1': 20 } },
      { uuid: 'gpu-1', score: { 'gpu-0': 20 } },
    ]);
  });

  it('tells when its cards have changed', async () => {
    const { api, agent } = await setup();
    await agent.addNode(machine);
    await agent.updateNode({ ...machine, gpus: machine.gpus.map((gpu) => ({ ...gpu, healthy: true })) });
    expect(api.get(node).status).toMatchObject({ allocatable: { 'nvidia.com/gpu': '20' } });
    expect(api.annotation(node, registerKey)?.match(/"health":true/g)).toHaveLength(2);
  });

  it('that is lost does nothing more', async () => {
    const { api, clock, agent } = await setup();
    await agent.addNode(machine);
    agent.loseNode('n1');
    const before = api.writes.length;
    api.put(podPath('p1'), boundPod('p1'));
    clock.advance(60_000);
    await settled();
    expect(api.writes.length).toBe(before);
  });

  it('cannot be added twice, nor told anything when it is none of the agent’s', async () => {
    const { agent } = await setup();
    await agent.addNode(machine);
    await expect(agent.addNode(machine)).rejects.toThrow('added already');
    expect(() => {
      agent.setBehaviour('n2', 'fail');
    }).toThrow('no node n2');
  });
});

describe('a node with cards of several families', () => {
  const mixed: NodeDescription = {
    ...machine,
    accelerators: [
      { family: 'hygon', cards: [{ id: 'DCU-1' }] },
      { family: 'cambricon', cards: 2 },
      { family: 'ascend', chip: 'Ascend310P', cards: 1 },
      { family: 'ascend', chip: 'Ascend910B3', cards: 1 },
      { family: 'metax-gpu', cards: 1 },
      { family: 'metax-sgpu', cards: 1 },
      { family: 'amd', cards: 1 },
    ],
  };

  it('publishes what each plugin says and offers what each counts', async () => {
    const { api, agent } = await setup();
    await agent.addNode(mixed);
    expect(Object.keys(api.get(node).metadata.annotations ?? {})).toEqual([
      registerKey,
      'hami.io/node-dcu-register',
      'hami.io/node-handshake-dcu',
      'hami.io/node-register-Ascend310P',
      'hami.io/node-handshake-Ascend310P',
      'hami-vnpu-core',
      'hami.io/node-register-Ascend910B3',
      'hami.io/node-handshake-Ascend910B3',
      'metax-tech.com/node-gpu-devices',
      'hami.io/node-amd-register',
    ]);
    expect(api.get(node).status?.['allocatable']).toEqual({
      cpu: '32',
      memory: '128Gi',
      pods: '110',
      'nvidia.com/gpu': '10',
      'hygon.com/dcunum': '4',
      'cambricon.com/mlu.smlu.vcore': '200',
      'cambricon.com/mlu.smlu.vmemory': '192',
      'huawei.com/Ascend310P': '7',
      'huawei.com/Ascend910B3': '4',
      'metax-tech.com/gpu': '1',
      'metax-tech.com/sgpu': '16',
      'amd.com/gpu': '10',
    });
    expect(agent.book.usageOf('n1').size).toBe(10);
  });

  it('has each plugin publish in its own time', async () => {
    const { api, clock, agent } = await setup();
    await agent.addNode(mixed);
    const wiped = Object.fromEntries(
      Object.keys(api.get(node).metadata.annotations ?? {}).map((key) => [key, null]),
    );
    await api.request({
      method: 'PATCH',
      path: node,
      body: { metadata: { annotations: wiped } },
      contentType: 'application/merge-patch+json',
      timeoutMs: 1000,
    });
    clock.advance(30_000);
    await settled();
    const written = Object.keys(api.get(node).metadata.annotations ?? {});
    expect(written).toHaveLength(9);
    // NVIDIA's newer plugins publish once.
    expect(written).not.toContain(registerKey);
  });

  it('loses a family with its plugin, and gains another', async () => {
    const { api, clock, agent } = await setup();
    await agent.addNode({ ...machine, accelerators: [{ family: 'hygon', cards: 1 }] });
    await agent.updateNode({ ...machine, accelerators: [{ family: 'amd', cards: 2 }] });
    expect(api.get(node).status?.['allocatable']).toMatchObject({ 'amd.com/gpu': '20' });
    const handshake = () => api.annotation(node, 'hami.io/node-handshake-dcu');
    const before = handshake();
    clock.advance(30_000);
    await settled();
    expect(handshake()).toBe(before);
    expect(agent.book.usageOf('n1').size).toBe(4);
  });

  it('gives one container cards of two families', async () => {
    const { api, agent } = await setup();
    await agent.addNode(mixed);
    const devices = 'DCU-1,DCU,2000,60:;';
    api.put(
      podPath('p1'),
      boundPod('p1', {
        containers: [
          { limits: { 'hygon.com/dcunum': '1', 'metax-tech.com/gpu': '1', 'other.com/card': '1' } },
        ],
        annotations: {
          'hami.io/vgpu-node': 'n1',
          'hami.io/bind-phase': 'allocating',
          'hami.io/bind-time': '1767225600',
          'hami.io/dcu-devices-to-allocate': devices,
          'hami.io/dcu-devices-allocated': devices,
        },
      }),
    );
    await settled();
    expect(api.get(podPath('p1')).status?.['phase']).toBe('Running');
    expect(agent.book.records.map(({ shares }) => shares[0]?.vendor)).toEqual(['DCU', 'Metax-GPU']);
    expect(agent.book.usageOf('n1').get('DCU-1')).toEqual({ slots: 1, memoryMiB: 2000, corePercent: 60 });
    expect(agent.book.faults).toEqual([]);
  });
});

describe('pods', () => {
  it('bound to a node of the agent run, others do not', async () => {
    const { api, agent } = await setup();
    await agent.addNode(machine);
    api.put(podPath('p1'), boundPod('p1'));
    api.put(podPath('p2'), boundPod('p2', { nodeName: 'n2' }));
    await settled();
    expect(api.get(podPath('p1')).status?.['phase']).toBe('Running');
    expect(api.get(podPath('p2')).status?.['phase']).toBe('Pending');
  });

  it('that were bound before their node was added run, too', async () => {
    const { api, agent } = await setup();
    api.put(podPath('p1'), boundPod('p1'));
    await settled();
    await agent.addNode(machine);
    await settled();
    expect(api.get(podPath('p1')).status?.['phase']).toBe('Running');
  });

  const sharing = {
    containers: [{ limits: gpuLimits({ count: 1 }) }],
    annotations: {
      'hami.io/vgpu-node': 'n1',
      'hami.io/bind-phase': 'allocating',
      'hami.io/bind-time': '1767225600',
      'hami.io/vgpu-devices-to-allocate': 'gpu-0,NVIDIA,3000,30:;',
    },
  };

  it('receive their devices from the plugin of their node', async () => {
    const { api, agent } = await setup();
    await agent.addNode(machine);
    agent.setNextBehaviour('n1', 'fail');
    api.put(podPath('p1'), boundPod('p1', sharing));
    await settled();
    api.put(podPath('p2'), boundPod('p2', sharing));
    await settled();
    expect(api.get(podPath('p1')).status).toMatchObject({ reason: 'UnexpectedAdmissionError' });
    expect(api.get(podPath('p2')).status?.['phase']).toBe('Running');
    expect(agent.book.records.map(({ podUid }) => podUid)).toEqual(['uid-p2']);
    expect(agent.book.faults).toEqual([]);
  });

  it('of a card in MIG mode hold their instance until they end, and have it again where it was', async () => {
    const { api, agent } = await setup();
    const card = { ...migCard('A100-40GB'), id: 'gpu-0' };
    await agent.addNode({ ...machine, gpus: [card] });
    const bound = (name: string) =>
      boundPod(name, {
        ...sharing,
        annotations: {
          ...sharing.annotations,
          'hami.io/vgpu-devices-to-allocate': 'gpu-0,NVIDIA,40448,100:;',
          'hami.io/vgpu-mig-allocations':
            '[{"containerIndex":0,"deviceIndex":0,"gpuUUID":"gpu-0","profile":"7g.40gb","placement":{"start":0,"size":8}}]',
        },
      });
    for (const name of ['p1', 'p2']) {
      api.put(podPath(name), bound(name));
      await settled();
    }
    expect(agent.book.instancesOf('n1')).toMatchObject([{ podUid: 'uid-p1', profile: '7g.40gb' }]);
    expect(api.get(podPath('p2')).status).toMatchObject({ reason: 'UnexpectedAdmissionError' });
    api.remove(podPath('p1'));
    await settled();
    api.put(podPath('p3'), bound('p3'));
    await settled();
    expect(agent.book.instancesOf('n1')).toMatchObject([{ podUid: 'uid-p3' }]);
    expect(agent.book.faults).toEqual([]);
  });

  it('that are gone give their devices back', async () => {
    const { api, agent } = await setup();
    await agent.addNode(machine);
    api.put(podPath('p1'), boundPod('p1', sharing));
    await settled();
    expect(agent.book.usageOf('n1').get('gpu-0')?.memoryMiB).toBe(3000);
    api.remove(podPath('p1'));
    await settled();
    expect(agent.book.usageOf('n1').get('gpu-0')?.memoryMiB).toBe(0);
  });
});
