import { describe, expect, it } from '@jest/globals';
import type { ApiObject } from '../../../src/emulator/api/api-object.ts';
import { podColumns } from '../../../src/emulator/api/pod-table.ts';

const nowMs = Date.UTC(2026, 0, 1, 1);

function cellsOf(pod: ApiObject): Record<string, string | number> {
  return Object.fromEntries(podColumns.map(({ name, cell }) => [name, cell(pod, nowMs)]));
}

interface PodState {
  readonly spec?: object;
  readonly status: object;
  readonly deleted?: true;
}

function podIn({ spec = {}, status, deleted }: PodState): ApiObject {
  return {
    metadata: {
      name: 'p',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(deleted === undefined ? {} : { deletionTimestamp: '2026-01-01T01:00:00Z' }),
    },
    spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
    status,
  };
}

const running = { ready: true, restartCount: 0, state: { running: {} } };
const ended = (exitCode: number, reason?: string) => ({
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } },
});

describe('the columns of pods', () => {
  it.each([
    {
      name: 'a new pod',
      pod: { status: { phase: 'Pending' } },
      want: { Ready: '0/2', Status: 'Pending', Age: '60m' },
    },
    {
      name: 'a gated pod',
      pod: {
        status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] },
      },
      want: { Status: 'SchedulingGated' },
    },
    {
      name: 'a pod with its own reason',
      pod: { status: { phase: 'Failed', reason: 'Evicted' } },
      want: { Status: 'Evicted' },
    },
    {
      name: 'one container ready, one waiting',
      pod: {
        status: {
          phase: 'Pending',
          containerStatuses: [running, { state: { waiting: { reason: 'ImagePullBackOff' } } }],
        },
      },
      want: { Ready: '1/2', Status: 'ImagePullBackOff' },
    },
    {
      name: 'both running',
      pod: { status: { phase: 'Running', containerStatuses: [running, running] } },
      want: { Ready: '2/2', Status: 'Running' },
    },
    {
      name: 'restarts with the time of the last',
      pod: {
        status: {
          phase: 'Running',
          containerStatuses: [
            {
              ...running,
              restartCount: 3,
              lastState: { terminated: { finishedAt: '2026-01-01T00:55:00Z' } },
            },
            running,
          ],
        },
      },
      want: { Restarts: '3 (5m ago)' },
    },
    {
      name: 'ended by a signal',
      pod: {
        status: {
          phase: 'Failed',
          containerStatuses: [{ state: { terminated: { exitCode: 137, signal: 9 } } }],
        },
      },
      want: { Status: 'Signal:9' },
    },
    {
      name: 'one ended well, one running and ready',
      pod: {
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [ended(0, 'Completed'), running],
        },
      },
      want: { Status: 'Running' },
    },
    {
      name: 'one ended well, one running, the pod not ready',
      pod: { status: { phase: 'Running', containerStatuses: [ended(0, 'Completed'), running] } },
      want: { Status: 'NotReady' },
    },
    {
      name: 'one ended well, one badly',
      pod: { status: { phase: 'Failed', containerStatuses: [ended(0, 'Completed'), ended(1, 'Error')] } },
      want: { Status: 'Error' },
    },
    {
      name: 'an init container that runs',
      pod: {
        spec: { initContainers: [{ name: 'i' }, { name: 'j' }] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', ...ended(0) },
            { name: 'j', state: { running: {} } },
          ],
        },
      },
      want: { Status: 'Init:1/2', Ready: '0/2' },
    },
    {
      name: 'an init container that failed',
      pod: {
        spec: { initContainers: [{ name: 'i' }] },
        status: { phase: 'Failed', initContainerStatuses: [{ name: 'i', ...ended(2) }] },
      },
      want: { Status: 'Init:ExitCode:2' },
    },
    {
      name: 'a sidecar counted with the others',
      pod: {
        spec: { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
        status: {
          phase: 'Running',
          initContainerStatuses: [
            { name: 's', ready: true, started: true, restartCount: 1, state: { running: {} } },
          ],
          containerStatuses: [running, running],
        },
      },
      want: { Status: 'Running', Ready: '3/3', Restarts: '1' },
    },
    {
      name: 'a pod on its way out',
      pod: { deleted: true, status: { phase: 'Running', containerStatuses: [running, running] } },
      want: { Status: 'Terminating' },
    },
    {
      name: 'an ended pod on its way out',
      pod: { deleted: true, status: { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] } },
      want: { Status: 'Completed' },
    },
    {
      name: 'a pod of a lost node',
      pod: { deleted: true, status: { phase: 'Running', reason: 'NodeLost' } },
      want: { Status: 'Unknown' },
    },
    {
      name: 'wide columns',
      pod: {
        spec: { nodeName: 'n1', readinessGates: [{ conditionType: 'G' }, { conditionType: 'H' }] },
        status: {
          podIPs: [{ ip: '10.0.0.1' }],
          nominatedNodeName: 'n2',
          conditions: [{ type: 'G', status: 'True' }],
        },
      },
      want: { IP: '10.0.0.1', Node: 'n1', 'Nominated Node': 'n2', 'Readiness Gates': '1/2' },
    },
  ] as readonly { name: string; pod: PodState; want: object }[])('show $name', ({ pod, want }) => {
    expect(cellsOf(podIn(pod))).toMatchObject(want);
  });
});
