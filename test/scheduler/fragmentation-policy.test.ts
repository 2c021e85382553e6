import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '../../src/model/node-view.ts';
import { WorkloadMix } from '../../src/placement/fragmentation/workload-mix.ts';
import { FragmentationPolicy } from '../../src/scheduler/fragmentation-policy.ts';
import { makePodRequest } from '../support/requests.ts';
import { makeView } from '../support/views.ts';

const small = makePodRequest({ containers: [{ memoryMiB: 1024, corePercent: 10 }] });
const large = makePodRequest({ containers: [{ memoryMiB: 8192, corePercent: 100 }] });

/** A policy that knows a hundred small pods, on nodes that a test may change. */
function setUp(given: ConstructorParameters<typeof FragmentationPolicy>[0]['given'] = []) {
  const cluster = {
    views: [makeView({ name: 'n1', devices: Array.from({ length: 100 }, () => ({})) })],
    looks: 0,
  };
  const policy = new FragmentationPolicy({
    views: (): Iterable<NodeView> => {
      cluster.looks += 1;
      return cluster.views;
    },
    given,
    mix: new WorkloadMix(),
  });
  for (let pods = 0; pods < 100; pods += 1) policy.note(small);
  return { policy, cluster };
}

describe('the scoring in force', () => {
  it('is made when somebody first asks for it, and no sooner', () => {
    const { policy, cluster } = setUp();
    policy.refresh();
    expect(policy.classes()).toHaveLength(1);
    expect(cluster.looks).toBe(0);
    expect(policy.scoring).toBe(policy.scoring);
    expect(cluster.looks).toBe(1);
  });

  it('stays whatever is noted, until it is looked at', () => {
    const { policy } = setUp();
    const before = policy.scoring;
    for (let pods = 0; pods < 100; pods += 1) policy.note(large);
    expect(policy.scoring).toBe(before);
    policy.refresh();
    expect(policy.scoring).not.toBe(before);
  });

  it.each([
    { name: 'one pod in fifty is another', pods: 2, wantOther: false },
    { name: 'one pod in thirty is another', pods: 4, wantOther: true },
  ])('when $name: is another is $wantOther', ({ pods, wantOther }) => {
    const { policy } = setUp();
    const { scoring } = policy;
    const classes = policy.classes();
    for (let noted = 0; noted < pods; noted += 1) policy.note(large);
    policy.refresh();
    expect(policy.scoring !== scoring).toBe(wantOther);
    expect(policy.classes() !== classes).toBe(wantOther);
  });

  it('drifts in many small steps, too', () => {
    const { policy } = setUp();
    const { scoring } = policy;
    for (let noted = 0; noted < 4; noted += 1) {
      policy.note(large);
      policy.refresh();
    }
    expect(policy.scoring).not.toBe(scoring);
  });

  it.each([
    { name: 'a card more of a hundred', types: [{}], wantOther: false },
    { name: 'three cards more of a hundred', types: [{}, {}, {}], wantOther: true },
    { name: 'a card of a new type', types: [{ type: 'NVIDIA H100' }], wantOther: true },
  ])('with $name: is another is $wantOther', ({ types, wantOther }) => {
    const { policy, cluster } = setUp();
    const { scoring } = policy;
    cluster.views.push(makeView({ name: 'n2', devices: types }));
    policy.refresh();
    expect(policy.scoring !== scoring).toBe(wantOther);
  });

  it('stays when the nodes come in another order', () => {
    const { policy, cluster } = setUp();
    cluster.views.push(makeView({ name: 'n2', devices: [{ type: 'NVIDIA H100' }] }));
    const { scoring } = policy;
    cluster.views.reverse();
    policy.refresh();
    expect(policy.scoring).toBe(scoring);
  });
});

describe('a workload that is given', () => {
  const given = [
    {
      vendor: 'NVIDIA',
      count: 1,
      memory: { kind: 'percent', percent: 100 },
      corePercent: 100,
      cpuMilli: 0,
      memoryMiB: 0,
      weight: 1,
    } as const,
  ];

  it('is in force whatever is learnt', () => {
    const { policy } = setUp(given);
    const { scoring } = policy;
    expect(policy.classes()).toBe(given);
    for (let pods = 0; pods < 100; pods += 1) policy.note(large);
    policy.refresh();
    expect(policy.classes()).toBe(given);
    expect(policy.scoring).toBe(scoring);
  });
});
