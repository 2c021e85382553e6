import { describe, expect, it } from '@jest/globals';
import { AgentApi } from '../../../src/emulator/node-agent/agent-api.ts';
import { AllocationBook } from '../../../src/emulator/node-agent/allocation-book.ts';
import type { DevicePlugin } from '../../../src/emulator/node-agent/device-admission.ts';
import { Kubelet } from '../../../src/emulator/node-agent/kubelet.ts';
import type { AllocateAnswer } from '../../../src/emulator/node-agent/plugins/node-plugin.ts';
import { parsePod } from '../../../src/wire/kubernetes.ts';
import { gpuLimits, makePod, type PodFields } from '../../support/kubernetes-objects.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeDevice } from '../../support/views.ts';
import { MemoryApi, settled } from './memory-api.ts';

function pathOf(name: string): string {
  return `/api/v1/namespaces/default/pods/${name}`;
}

const oneCard = [{ limits: gpuLimits({ count: 1 }) }];
const stopped = { deletionTimestamp: '2026-01-01T00:00:00Z' };

/** A kubelet whose plugin gives every pod 1000 MiB of gpu-0, or what `answer` says instead. */
function setup({ allocatable = 10, answer }: { allocatable?: number; answer?: AllocateAnswer } = {}) {
  const api = new MemoryApi();
  const clock = new ManualClock();
  const book = new AllocationBook(clock);
  book.setDevices('n1', [makeDevice({ id: 'gpu-0' })]);
  const asked: number[] = [];
  const released: string[] = [];
  const adopted: string[] = [];
  const forgotten: string[] = [];
  let seen: ReturnType<typeof read> | undefined;
  const plugin: DevicePlugin = {
    offers: () => [{ name: 'nvidia.com/gpu', capacity: 10, allocatable }],
    allocate: ({ count }) => {
      asked.push(count);
      const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 1000, corePercent: 10 };
      const pod = seen!;
      const container = pod.containers.find(({ limits }) => limits['nvidia.com/gpu'] !== undefined)!;
      const given = { pod, container: container.name, shares: [share], instances: [], env: {} };
      return Promise.resolve(answer ?? { kind: 'given', ...given });
    },
    release: (uid) => released.push(uid),
    adopt: ({ uid }) => adopted.push(uid),
    forget: ({ uid }) => {
      forgotten.push(uid);
      return Promise.resolve();
    },
  };
  const kubelet = new Kubelet({
    node: 'n1',
    plugins: () => [plugin],
    api: new AgentApi(api),
    book,
    clock,
  });
  const read = (name: string) => {
    const pod = parsePod(api.get(pathOf(name)));
    if (!pod.ok) throw new Error(pod.problem);
    return pod.value;
  };
  /** Stores a pod of the node and shows it to kubelet, as the watch does. */
  const show = async (name: string, fields: PodFields = {}) => {
    api.put(pathOf(name), makePod({ name, nodeName: 'n1', ...fields }));
    seen = read(name);
    kubelet.see(seen);
    await settled();
  };
  const status = (name: string) => api.get(pathOf(name)).status ?? {};
  return { api, clock, book, asked, released, adopted, forgotten, kubelet, show, status };
}

describe('kubelet runs', () => {
  it('a pod: Running with all containers ready, until it is deleted', async () => {
    const { api, show, status } = setup();
    await show('p1', { containers: [{ name: 'a' }, { name: 'b' }] });
    expect(status('p1')).toMatchObject({
      phase: 'Running',
      containerStatuses: [
        { name: 'a', ready: true, state: { running: {} } },
        { name: 'b', ready: true, state: { running: {} } },
      ],
    });
    await show('p1', { ...stopped, phase: 'Running' });
    expect(api.has(pathOf('p1'))).toBe(false);
    expect(api.writes.slice(-2)).toEqual([`PATCH ${pathOf('p1')}/status`, `DELETE ${pathOf('p1')}`]);
  });

  it('init containers to their end first, and sidecars beside the others', async () => {
    const { api, show, status } = setup();
    await show('p1', {
      containers: [{ name: 'init', role: 'init' }, { name: 'side', role: 'sidecar' }, { name: 'app' }],
    });
    expect(api.writes).toEqual([`PATCH ${pathOf('p1')}/status`, `PATCH ${pathOf('p1')}/status`]);
    expect(status('p1')).toMatchObject({
      phase: 'Running',
      initContainerStatuses: [
        { name: 'init', state: { terminated: { exitCode: 0 } } },
        { name: 'side', state: { running: {} } },
      ],
      containerStatuses: [{ name: 'app', state: { running: {} } }],
    });
  });

  it('a pod for its seconds and then reports that it ended well', async () => {
    const { clock, book, released, show, status } = setup();
    await show('p1', { annotations: { 'tessera.io/run-seconds': '1.5' }, containers: oneCard });
    clock.advance(1499);
    await settled();
    expect(status('p1')['phase']).toBe('Running');
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(1);
    expect(released).toEqual([]);
    clock.advance(1);
    await settled();
    expect(released).toEqual(['uid-p1']);
    expect(status('p1')).toMatchObject({
      phase: 'Succeeded',
      containerStatuses: [{ state: { terminated: { exitCode: 0 } } }],
    });
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(0);
  });

  it('a deleted pod’s containers for as long as they take to stop', async () => {
    const { api, clock, book, show } = setup();
    const annotations = { 'tessera.io/stop-seconds': '5' };
    await show('p1', { annotations, containers: oneCard });
    await show('p1', { annotations, containers: oneCard, phase: 'Running', ...stopped });
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(1);
    clock.advance(5000);
    await settled();
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(0);
    expect(api.has(pathOf('p1'))).toBe(false);
  });

  it('containers on after a forced deletion until they have stopped, and writes nothing more', async () => {
    const { api, clock, book, forgotten, kubelet, show } = setup();
    await show('p1', { annotations: { 'tessera.io/stop-seconds': '5' }, containers: oneCard });
    api.remove(pathOf('p1'));
    const before = api.writes.length;
    kubelet.forget('uid-p1');
    await settled();
    expect(forgotten).toEqual(['uid-p1']);
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(1);
    clock.advance(5000);
    await settled();
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(0);
    expect(api.writes.length).toBe(before);
  });

  it('a pod that ran before, without admitting it again', async () => {
    const { clock, asked, adopted, show, status } = setup();
    const annotations = { 'tessera.io/run-seconds': '1' };
    await show('p1', { annotations, containers: oneCard, phase: 'Running' });
    expect(asked).toEqual([]);
    expect(adopted).toEqual(['uid-p1']);
    clock.advance(1000);
    await settled();
    expect(status('p1')['phase']).toBe('Succeeded');
  });

  it('nothing any more once the machine is off', async () => {
    const { api, clock, kubelet, show } = setup();
    await show('p1', { annotations: { 'tessera.io/run-seconds': '1' } });
    const before = api.writes.length;
    kubelet.stop();
    clock.advance(1000);
    await show('p2');
    expect(api.writes.length).toBe(before);
  });
});

describe('kubelet admits', () => {
  it('pods up to the node’s count of cards, and refuses the next', async () => {
    const { show, status } = setup({ allocatable: 2 });
    await show('p1', { containers: oneCard });
    await show('p2', { containers: oneCard });
    await show('p3', { containers: oneCard });
    expect(status('p2')['phase']).toBe('Running');
    expect(status('p3')).toMatchObject({
      phase: 'Failed',
      reason: 'UnexpectedAdmissionError',
      message: expect.stringContaining('Requested: 1, Available: 0'),
    });
  });

  it('init containers’ cards as a peak, not as a sum', async () => {
    const { asked, show, status } = setup({ allocatable: 2 });
    const limits = gpuLimits({ count: 2 });
    await show('p1', { containers: [{ role: 'init', limits }, { limits }] });
    expect(status('p1')['phase']).toBe('Running');
    expect(asked).toEqual([2, 2]);
  });

  it('a pod again after another has ended', async () => {
    const { clock, show, status } = setup({ allocatable: 1 });
    await show('p1', { containers: oneCard, annotations: { 'tessera.io/run-seconds': '1' } });
    clock.advance(1000);
    await settled();
    await show('p2', { containers: oneCard });
    expect(status('p2')['phase']).toBe('Running');
  });

  it('no pod that the plugin refuses, and deletes it when asked', async () => {
    const { api, book, released, show, status } = setup({
      answer: { kind: 'refused', message: 'no such card' },
    });
    await show('p1', { containers: oneCard });
    expect(status('p1')).toMatchObject({
      phase: 'Failed',
      reason: 'UnexpectedAdmissionError',
      message: expect.stringContaining('no such card'),
    });
    expect(released).toEqual(['uid-p1']);
    expect(book.usageOf('n1').get('gpu-0')?.slots).toBe(0);
    await show('p1', { phase: 'Failed', ...stopped });
    expect(api.has(pathOf('p1'))).toBe(false);
  });

  it('no pod that was deleted before its turn', async () => {
    const { api, asked, show } = setup();
    await show('p1', { containers: oneCard, ...stopped });
    expect(asked).toEqual([]);
    expect(api.has(pathOf('p1'))).toBe(false);
  });
});

describe('kubelet writes', () => {
  it('a status until the server takes it', async () => {
    const { api, clock, show, status } = setup();
    const lost = { kind: 'transport', message: 'connection refused', ambiguous: false } as const;
    api.failNext(`PATCH ${pathOf('p1')}/status`, lost);
    api.failNext(`PATCH ${pathOf('p1')}/status`, lost);
    await show('p1');
    clock.advance(100);
    await settled();
    expect(status('p1')['phase']).toBe('Pending');
    clock.advance(200);
    await settled();
    expect(status('p1')['phase']).toBe('Running');
  });

  it('no status to a pod that merely has the name', async () => {
    const { api, clock, show, status } = setup();
    await show('p1', { annotations: { 'tessera.io/run-seconds': '1' } });
    api.put(pathOf('p1'), makePod({ name: 'p1', uid: 'another' }));
    clock.advance(1000);
    await settled();
    expect(status('p1')['phase']).toBe('Pending');
  });
});

describe('a bug in the agent', () => {
  it('becomes a fault in the book', async () => {
    const { api, book, show } = setup();
    api.request = () => Promise.reject(new TypeError('broken'));
    await show('p1');
    expect(book.faults).toEqual([expect.stringContaining('TypeError: broken')]);
  });
});
