/** What is told of pods that were bound past us. */
import { describe, expect, it } from '@jest/globals';
import { StrayReports } from '../../src/commands/stray-reports.ts';
import type { ObjectEvent } from '../../src/kubernetes/event-recorder.ts';
import type { NamespacedName } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { makeRecordingLog, metricValue } from '../http/served-app.ts';
import { gpuPod, type GpuPodFields, nvidiaVendors } from '../state/support/device-states.ts';

const ours = { name: 'ours', namespace: 'team-a', nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,0:;' };
const stray = { name: 'stray', nodeName: 'n1' };
const oursAsOwner = { namespace: 'team-a', name: 'ours' };

/** A node `n1` as the watches tell of it. */
function world({ leading = true } = {}) {
  const events: ObjectEvent[] = [];
  const metrics = makeMetrics({ processMetrics: false });
  const { log, lines } = makeRecordingLog();
  const owners: { now: readonly NamespacedName[] } = { now: [] };
  const state = new DeviceState({
    vendors: nvidiaVendors,
    trustOf: () => 'as-written',
    onStray: (change) => {
      reports.tell(change);
    },
  });
  const reports = new StrayReports({
    metrics,
    log,
    events: { report: (event) => events.push(event) },
    locks: { ownersOn: () => owners.now },
    entriesOf: (node) => state.entriesOf(node),
    isLeader: () => leading,
  });
  return {
    events,
    lines,
    pod: (fields: GpuPodFields) => state.applyPod(gpuPod(fields), 0),
    gone: (name: string) => {
      state.removePod(`uid-${name}`, 0);
    },
    lock: (...now: readonly NamespacedName[]) => {
      owners.now = now;
      reports.seeNode('n1');
    },
    counted: async (outcome: string) => metricValue(metrics, `tessera_strays_total{outcome="${outcome}"}`),
  };
}

describe('a pod bound past us that starts', () => {
  const orders: readonly { name: string; play: (w: ReturnType<typeof world>) => void }[] = [
    {
      name: 'which came under the lock',
      play: (w) => {
        w.lock(oursAsOwner);
        w.pod(stray);
      },
    },
    {
      name: 'before which the lock was taken unawares',
      play: (w) => {
        w.pod(stray);
        w.lock(oursAsOwner);
      },
    },
    {
      name: 'for which the plugin has taken the lock away already',
      play: (w) => {
        w.lock(oursAsOwner);
        w.pod(stray);
        w.lock();
      },
    },
  ];
  it.each(orders)('flags the owner of the lock: one $name', async ({ play }) => {
    const w = world();
    w.pod(ours);
    play(w);
    expect(w.events).toEqual([]);
    w.pod({ ...stray, phase: 'Running', running: true });
    expect(w.events).toEqual([
      {
        object: { kind: 'Pod', namespace: 'team-a', name: 'ours', uid: 'uid-ours' },
        type: 'Warning',
        reason: 'DevicesUncertain',
        message: expect.stringContaining('default/stray'),
        topic: 'devices',
        cause: 'uid-stray',
      },
    ]);
    expect(w.events[0]?.message).toContain('Delete both');
    expect(w.lines.at(-1)).toMatchObject({
      level: 'warn',
      fields: { pod: 'default/stray', owner: 'team-a/ours' },
    });
    expect(await w.counted('started_under_lock')).toBe(1);
    expect(await w.counted('started')).toBe(0);
  });

  it('is logged and counted where the owner is over already', async () => {
    const w = world();
    w.lock(oursAsOwner);
    w.pod(stray);
    w.pod({ ...ours, phase: 'Failed' });
    w.pod({ ...stray, running: true });
    expect(w.events).toEqual([]);
    expect(w.lines.at(-1)).toMatchObject({ level: 'warn' });
    expect(await w.counted('started_under_lock')).toBe(1);
  });

  it('flags nobody where no lock was held meanwhile', async () => {
    const w = world();
    w.pod(ours);
    w.lock(oursAsOwner);
    w.lock();
    w.pod(stray);
    w.pod({ ...stray, running: true });
    expect(w.events).toEqual([]);
    expect(await w.counted('started')).toBe(1);
    expect(await w.counted('started_under_lock')).toBe(0);
  });

  it('is told by the leader alone', async () => {
    const w = world({ leading: false });
    w.pod(ours);
    w.lock(oursAsOwner);
    w.pod(stray);
    w.pod({ ...stray, running: true });
    expect(w.events).toEqual([]);
    expect(w.lines).toEqual([]);
    expect(await w.counted('started_under_lock')).toBe(0);
  });
});

describe('a pod bound past us that never starts', () => {
  it.each([
    {
      name: 'that kubelet rejects',
      end: (w: ReturnType<typeof world>) => w.pod({ ...stray, phase: 'Failed' }),
    },
    {
      name: 'that is deleted',
      end: (w: ReturnType<typeof world>) => {
        w.gone('stray');
      },
    },
  ])('is counted and flags nobody: one $name', async ({ end }) => {
    const w = world();
    w.pod(ours);
    w.lock(oursAsOwner);
    w.pod(stray);
    end(w);
    expect(w.events).toEqual([]);
    expect(w.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(await w.counted('settled')).toBe(1);
  });
});
