/** The policy that learns the workload from the pods that come, and that nothing it judged before is remembered. */
import { describe, expect, it } from '@jest/globals';
import type { PodRequest } from '../../src/model/request.ts';
import type { Scoring } from '../../src/placement/scoring.ts';
import { shapeOf } from '../../src/placement/verdicts.ts';
import { arrivalsOf } from '../../src/simulator/arrivals.ts';
import { makeLearningFragmentation } from '../../src/simulator/policies/learning-fragmentation.ts';
import { makePolicy } from '../../src/simulator/policies/policies.ts';
import type { SimulatedPolicy } from '../../src/simulator/policy.ts';
import { replay } from '../../src/simulator/replay.ts';
import { requestMix, type SimulatedPod } from '../../src/simulator/simulated-pod.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { type ContainerFields, makePodRequest } from '../support/requests.ts';
import { makeView } from '../support/views.ts';

const defaults = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
const views = [0, 1, 2].map((at) =>
  makeView({ name: `n${at}`, devices: [{ type: `t${at}` }, { type: `t${at}` }] }),
);
const random = () => 0;

function podOf(fields: ContainerFields, problems: readonly string[] = []): SimulatedPod {
  const request = makePodRequest({ containers: [fields] });
  return { request, shape: shapeOf(request), problems };
}

function nodesOf(policy: SimulatedPolicy, pods: readonly SimulatedPod[]) {
  const arrivals = arrivalsOf(pods.map((_, pod) => pod));
  const { placements } = replay({ views, pods, arrivals, policy, random, fragmentedMilli: () => 0 });
  return placements.map((placement) => (placement.ok ? placement.node : undefined));
}

describe('a policy that learns', () => {
  it('judges by others after twenty pods, then after as many again, and at last every 250', () => {
    const policy = makeLearningFragmentation({ views, defaults, random });
    const { request } = podOf({ memoryMiB: 1000, corePercent: 10 });
    const changes: number[] = [];
    for (let pod = 1; pod <= 1400; pod += 1) {
      const before = policy.rules.scoring;
      policy.learn?.(request);
      if (policy.rules.scoring !== before) changes.push(pod);
    }
    expect(changes).toEqual([20, 40, 80, 160, 320, 570, 820, 1070, 1320]);
  });

  it('is told of every pod that can be understood, before it is placed', () => {
    const told: PodRequest[] = [];
    const pods = [podOf({}), podOf({}, ['unreadable']), podOf({ memoryMiB: 999_999 })];
    const policy = { ...makePolicy('binpack', { views, mix: [], defaults, random }) };
    nodesOf({ ...policy, learn: (request) => told.push(request) }, pods);
    expect(told).toEqual([pods[0]!.request, pods[2]!.request]);
  });

  it('goes by what it judges now, also of nodes that it judged before', () => {
    const preferring = (wanted: string): Scoring => ({
      rateShare: () => 0,
      rateNode: ({ view }) => (view.devices[0]?.device.type === wanted ? 100 : 0),
    });
    const scorings = ['t0', 't2', 't2', 't1', 't0'].map(preferring);
    let arrived = 0;
    let rules = { ...defaults, nodePolicy: 'fragmentation' as const, scoring: scorings[0]! };
    const policy: SimulatedPolicy = {
      name: 'fragmentation',
      get rules() {
        return rules;
      },
      choice: 'highest',
      learn: () => {
        rules = { ...rules, scoring: scorings[arrived]! };
        arrived += 1;
      },
    };
    const pod = podOf({ memoryMiB: 100 });
    expect(nodesOf(policy, Array(5).fill(pod) as SimulatedPod[])).toEqual([0, 2, 2, 1, 0]);
  });

  it('comes to place pods as one that was told the workload', () => {
    const lessons = Array.from({ length: 200 }, (_, index) =>
      podOf({ memoryPercent: index % 2 === 0 ? 70 : 30, corePercent: index % 2 === 0 ? 70 : 30 }),
    );
    const learning = makeLearningFragmentation({ views, defaults, random });
    for (const { request } of lessons) learning.learn?.(request);
    const told = makePolicy('fragmentation', { views, mix: requestMix(lessons), defaults, random });
    // Three large ones on three cards leave three others whole; small ones fill up the large.
    const pods = [0, 2, 4, 1, 3, 5].map((index) => lessons[index]!);
    expect(nodesOf(learning, pods)).toEqual(nodesOf(told, pods));
  });
});
