import { afterEach, describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventsAbout } from './harness/events.ts';
import { eventually } from './harness/eventually.ts';
import { startSharing } from './harness/installation.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, findPod, podManifest, untilPhase, untilRefused } from './harness/pods.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

/** A pod that goes around us races a bind: the device plugin serves whichever pod the node's lock names. */
const containers = [{ limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 3000 } }];
const stray = podManifest({
  name: 'stray',
  containers,
  // Admission denies such a pod of our own scheduler.
  schedulerName: 'somebody-else',
  spec: { nodeName: 'gpu-1' },
});

let cluster: Cluster;
let agent: NodeAgent;
let tessera: Tessera;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, [makeMachine('gpu-1', 4)]);
  tessera = await startSharing(cluster);
});

afterEach(async () => {
  agent.setBehaviour('gpu-1', 'serve');
  await clearPods(cluster);
});

/** Until the server knows that its only node is closed. */
function untilClosed(): Promise<true> {
  return eventually('the node is closed', async () => {
    const closed = await tessera.metric('tessera_nodes_closed');
    return closed === 1 ? { done: true } : { not: `${closed} closed nodes` };
  });
}

describe('a pod with nodeName', () => {
  scenario('that is first keeps the node from others, who follow once kubelet has rejected it', async () => {
    agent.setBehaviour('gpu-1', 'hang');
    await cluster.create([stray]);
    await untilClosed();
    await cluster.create([podManifest({ name: 'ours', containers })]);
    const refused = await untilRefused(cluster, 'ours');
    expect(refused.status.conditions?.map(({ message = '' }) => message).join()).toContain('NodeClosed');
    agent.setBehaviour('gpu-1', 'serve');
    await untilPhase(cluster, 'stray', 'Failed');
    await untilPhase(cluster, 'ours', 'Running');
    expect(await tessera.metric('tessera_strays_total{outcome="settled"}')).toBe(1);
    expect(agent.book.faults).toEqual([]);
  });

  scenario('that starts under the lock of another pod makes that one suspect', async () => {
    agent.setBehaviour('gpu-1', 'hang');
    await cluster.create([podManifest({ name: 'ours', containers })]);
    await eventually('the pod is bound', async () => {
      const node = (await findPod(cluster, 'ours'))?.spec.nodeName;
      return node === undefined ? { not: 'unbound' } : { done: true };
    });
    await cluster.create([stray]);
    await untilClosed();
    const running = { name: 'c0', ready: true, restartCount: 0, state: { running: {} } };
    const status = { phase: 'Running', containerStatuses: [{ ...running, image: 'x', imageID: 'x' }] };
    const patch = JSON.stringify({ status });
    await cluster.kubectl(['patch', 'pod', 'stray', '--subresource=status', '--type=merge', '-p', patch]);
    const [event] = await eventually('the owner of the lock is told', async () => {
      const events = await eventsAbout(cluster, 'ours', 'DevicesUncertain');
      return events.length === 0 ? { not: 'no event' } : { done: events };
    });
    expect(event?.message).toContain('default/stray');
    expect(await tessera.metric('tessera_strays_total{outcome="started_under_lock"}')).toBe(1);
  });
});
