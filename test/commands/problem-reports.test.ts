import { describe, expect, it } from '@jest/globals';
import { type ProblemReports, problemReports } from '../../src/commands/problem-reports.ts';
import type { ObjectEvent } from '../../src/kubernetes/event-recorder.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { makeRecordingLog, metricValue } from '../http/served-app.ts';
import { nodeObject, podObject } from '../state/support/device-states.ts';

function world() {
  const events: ObjectEvent[] = [];
  const metrics = makeMetrics({ processMetrics: false });
  const { log, lines } = makeRecordingLog();
  const reports = problemReports({ metrics, log, events: { report: (event) => events.push(event) } });
  return { reports, events, metrics, lines };
}

const cases = [
  {
    name: "a node's register",
    kind: 'register',
    problem: 'register: not JSON',
    tell: (reports: ProblemReports, problem: string) => {
      const node = nodeObject({ name: 'n1', resourceVersion: '7' });
      reports.onRegisterProblem(node, { vendor: 'NVIDIA', problem });
    },
    want: {
      object: { kind: 'Node', name: 'n1', uid: 'n1' },
      reason: 'DeviceRegisterMalformed',
      message: 'what the NVIDIA device plugin published cannot be read: register: not JSON',
      topic: 'NVIDIA',
      // Another malformed value is news even if it is malformed in the same way.
      cause: '7',
    },
  },
  {
    name: "a pod's allocation",
    kind: 'allocation',
    problem: 'too few fields',
    tell: (reports: ProblemReports, problem: string) => {
      const pod = podObject({ name: 'p', namespace: 'team-a' });
      reports.onAllocationProblem(pod, { annotation: 'a/b', problem });
    },
    want: {
      object: { kind: 'Pod', namespace: 'team-a', name: 'p', uid: 'uid-p' },
      reason: 'DeviceAllocationMalformed',
      message: 'a/b cannot be used: too few fields',
      topic: 'a/b',
    },
  },
  {
    name: "a quota's limit",
    kind: 'quota',
    problem: '"many" is not a number',
    tell: (reports: ProblemReports, problem: string) => {
      const quota = { namespace: 'team-a', name: 'gpus', resourceVersion: '9', hard: {} };
      reports.onQuotaProblem(quota, { resource: 'limits.x', problem });
    },
    want: {
      object: { kind: 'ResourceQuota', namespace: 'team-a', name: 'gpus' },
      reason: 'ResourceQuotaMalformed',
      message: 'limits.x: "many" is not a number',
      topic: 'limits.x',
      cause: '9',
    },
  },
] as const;

describe('what cannot be read', () => {
  it.each(cases)(
    'is counted, logged and told on its object: $name',
    async ({ kind, problem, tell, want }) => {
      const { reports, events, metrics, lines } = world();
      tell(reports, problem);
      expect(events).toEqual([{ ...want, type: 'Warning' }]);
      expect(await metricValue(metrics, `tessera_malformed_total{kind="${kind}"}`)).toBe(1);
      expect(lines.map(({ level }) => level)).toEqual(['warn']);
    },
  );

  it.each(cases)('makes a line of the log that has a bound, however long the value: $name', ({ tell }) => {
    const { reports, lines } = world();
    const problem = `invalid field: "${'0'.repeat(200_000)}"`;
    tell(reports, problem);
    expect(lines).toMatchObject([{ fields: { reason: `${problem.slice(0, 999)}…` } }]);
  });

  it.each([
    { feed: 'nodes', kind: 'node' },
    { feed: 'pods', kind: 'pod' },
    { feed: 'resourcequotas', kind: 'quota' },
  ] as const)('is counted where a whole object of the feed $feed is', async ({ feed, kind }) => {
    const { reports, events, metrics } = world();
    reports.onMalformed(feed, 'no name', { namespace: '', name: '', uid: '', resourceVersion: '' });
    expect(await metricValue(metrics, `tessera_malformed_total{kind="${kind}"}`)).toBe(1);
    expect(events).toEqual([]);
  });
});
