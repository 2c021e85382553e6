import { describe, expect, it } from '@jest/globals';
import { parseRegister } from '../../src/vendors/register.ts';
import { parseNode, parsePod } from '../../src/wire/kubernetes.ts';
import { gpuLimits, makeNodeObject, makePod } from './kubernetes-objects.ts';
import { makeDevice } from './views.ts';

describe('the raw object builders', () => {
  it('make a node whose register announces exactly the given devices', () => {
    const devices = [{ healthy: false }, { id: 'GPU-b', memoryMiB: 40960, numa: 1, mode: 'mig' }];
    const node = parseNode(makeNodeObject({ name: 'n7', devices }));
    if (!node.ok) throw new Error(node.problem);
    expect(node.value.allocatable['nvidia.com/gpu']).toBe('20');
    expect(parseRegister(node.value.annotations['hami.io/node-nvidia-register'] ?? '', 'NVIDIA')).toEqual({
      ok: true,
      value: devices.map((device, index) => makeDevice({ index, ...device })),
    });
  });

  it('make a pod that reads back with its roles, amounts and states', () => {
    const pod = parsePod(
      makePod({
        name: 'train',
        nodeName: 'n1',
        containers: [
          { name: 'fetch', role: 'init', state: { exitCode: 0 } },
          { name: 'proxy', role: 'sidecar', state: 'running' },
          { name: 'main', limits: gpuLimits({ count: 1, memoryMiB: 3000 }), state: 'waiting' },
        ],
      }),
    );
    if (!pod.ok) throw new Error(pod.problem);
    expect(pod.value).toMatchObject({ uid: 'uid-train', nodeName: 'n1', running: true, initFinished: true });
    expect(pod.value.containers.map(({ name, role }) => `${name}:${role}`)).toEqual([
      'fetch:init',
      'proxy:sidecar',
      'main:app',
    ]);
    expect(pod.value.containers[2]?.limits).toEqual({ 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '3000' });
  });
});
