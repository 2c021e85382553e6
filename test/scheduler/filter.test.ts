import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/model/clock.ts';
import { Assumptions } from '../../src/scheduler/assumptions.ts';
import { filter, type FilterDeps } from '../../src/scheduler/filter.ts';
import { Requests } from '../../src/scheduler/requests.ts';
import { Verdicts } from '../../src/placement/verdicts.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuLimits, type NodeFields } from '../support/kubernetes-objects.ts';
import {
  gpuPod,
  ledgerOf,
  makeState,
  nodeObject,
  nvidiaVendors,
  pictureOf,
  podObject,
} from '../state/support/device-states.ts';
import {
  bindBudgetMs,
  binpackBinpack,
  byName,
  byObject,
  flush,
  makeWorld,
  neverBusy,
  verdictOf,
} from './support/scheduler-world.ts';

const gpu = { count: 1, memoryMiB: 3000, corePercent: 30 };
const pod = gpuPod({ gpu });
const full = 'gpu-0,NVIDIA,8192,0:;';

/** As many nodes as kube-scheduler samples at least, none of which has a card. */
const sampleOf = (size: number): readonly NodeFields[] =>
  Array.from({ length: size }, (_, index) => ({ name: `empty-${index}` }));
const namesOf = (nodes: readonly NodeFields[]) => nodes.map(({ name = 'n1' }) => name);

describe('filter', () => {
  it('answers every feasible node, and every other with its reason', () => {
    const world = makeWorld({
      nodes: [
        { name: 'n1', devices: [{}] },
        { name: 'n2', devices: [{ memoryMiB: 2999 }] },
        { name: 'n3', devices: [{}, {}] },
        { name: 'n4', devices: [{ healthy: false }] },
        { name: 'n5' },
        { name: 'n6', devices: [{}], allocatable: { 'nvidia.com/gpu': '0' } },
        { name: 'n8', devices: [{}] },
      ],
    });
    world.pod({ name: 'other', nodeName: 'n8', gpu: { count: 1 }, allocated: full });
    const names = ['n8', 'n7', 'n6', 'n5', 'n4', 'n3', 'n2', 'n1'];
    expect(verdictOf(world.scheduler.filter(byName(pod, ...names)))).toEqual({
      feasible: ['n3', 'n1'],
      refused: {
        n2: 'CardInsufficientMemory',
        n4: 'CardNotHealth',
        n5: 'node unregistered',
        n6: 'node unregistered',
        n7: 'node unregistered',
        n8: 'CardInsufficientMemory',
      },
    });
  });

  it('looks at the named nodes alone', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{}] }] });
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n2')))).toEqual({ feasible: ['n2'], refused: {} });
    expect(verdictOf(world.scheduler.filter(byName(pod)))).toEqual({ feasible: [], refused: {} });
  });

  it('asked twice gives the same answer and changes nothing in the state', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2' }] });
    world.pod({ gpu });
    const generation = world.state.view('n1')?.generation;
    const first = world.scheduler.filter(byName(pod, 'n1', 'n2'));
    const second = world.scheduler.filter(byName(pod, 'n1', 'n2'));
    expect(second).toEqual(first);
    expect(verdictOf(first)).toMatchObject({ feasible: ['n1'] });
    expect(world.state.view('n1')?.generation).toBe(generation);
    expect(ledgerOf(world.state)).toEqual({});
    expect(world.writer.begun).toEqual([]);
  });

  it('refuses no pod for what another one is only expected to take', () => {
    const world = makeWorld({ nodes: [{ devices: [{ slots: 1 }] }] });
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1')))).toMatchObject({ feasible: ['n1'] });
    const other = gpuPod({ name: 'other', gpu });
    expect(verdictOf(world.scheduler.filter(byName(other, 'n1')))).toMatchObject({ feasible: ['n1'] });
  });

  it('counts what drains until its time is over', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    const running = { name: 'old', nodeName: 'n1', allocated: full, running: true };
    world.state.removePod(world.pod(running).uid, world.clock.nowMs());
    world.clock.advance(45_000 - 1);
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1')))).toMatchObject({ feasible: [] });
    world.clock.advance(1);
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1')))).toMatchObject({ feasible: ['n1'] });
  });

  it('answers an error while the state is not complete', () => {
    const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
    state.applyNode(nodeObject({ devices: [{}] }));
    const world = makeWorld({ state });
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1')))).toBe('NotSynced');
    expect(verdictOf(world.scheduler.filter(byName(podObject(), 'n1')))).toBe('NotSynced');
  });

  it('refuses a request that cannot be read on every node, with the field and the fix', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    const unreadable = gpuPod({ gpu: { count: 1, memoryMiB: '16Gi' } });
    const reason =
      'RequestInvalid: container "c0": nvidia.com/gpumem: "16Gi" has a binary suffix, but the value counts MiB; write 16384';
    expect(verdictOf(world.scheduler.filter(byName(unreadable, 'n1', 'n2')))).toEqual({
      feasible: [],
      refused: { n1: reason, n2: reason },
    });
  });

  it('lets a pod without devices pass everywhere, known node or not', () => {
    const world = makeWorld({ nodes: [{}] });
    const nodes = { feasible: ['n1', 'n9'], refused: {} };
    expect(verdictOf(world.scheduler.filter(byName(podObject(), 'n1', 'n9')))).toEqual(nodes);
    expect(verdictOf(world.scheduler.filter(byObject(podObject(), {}, { name: 'n9' })))).toEqual(nodes);
  });

  it('sums the count resource over all pods, whatever the cards would hold', () => {
    const world = makeWorld({ nodes: [{ devices: [{}], allocatable: { 'nvidia.com/gpu': '1' } }] });
    world.pod({
      name: 'foreign',
      nodeName: 'n1',
      schedulerName: 'other',
      gpu: { count: 1, memoryMiB: 1 },
      allocated: 'gpu-0,NVIDIA,1,0:;',
    });
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1')))).toMatchObject({
      refused: { n1: 'NodeCountExhausted' },
    });
  });
});

describe('filter by node objects', () => {
  it('takes usage from the cache where it knows the node, whatever the object says', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    world.pod({ name: 'other', nodeName: 'n1', gpu: { count: 1 }, allocated: full });
    const answer = world.scheduler.filter(byObject(pod, { devices: [{}, {}] }));
    expect(verdictOf(answer)).toEqual({ feasible: [], refused: { n1: 'CardInsufficientMemory' } });
  });

  it('reads nodes that the cache does not know from their own annotations, and forgets them', () => {
    const world = makeWorld();
    const answer = world.scheduler.filter(
      byObject(
        pod,
        { name: 'new', devices: [{}] },
        { name: 'small', devices: [{ memoryMiB: 100 }] },
        { name: 'none' },
      ),
    );
    expect(verdictOf(answer)).toEqual({
      feasible: ['new'],
      refused: { small: 'CardInsufficientMemory', none: 'node unregistered' },
    });
    expect([...world.state.nodeNames()]).toEqual([]);
  });

  it('does not plan on a register that cannot be read', () => {
    const annotations = { 'hami.io/node-nvidia-register': '[null]' };
    const answer = makeWorld().scheduler.filter(byObject(pod, { name: 'bad', devices: [{}], annotations }));
    expect(verdictOf(answer)).toEqual({ feasible: [], refused: { bad: 'node unregistered' } });
  });
});

describe("filter's own deadline", () => {
  /** Time that passes only by asking for it: 10 ms each. */
  const tickingClock = (): Clock => {
    let nowMs = 0;
    return { nowMs: () => (nowMs += 10), after: () => () => undefined };
  };
  const depsWith = (filterDeadlineMs: number, nodes: readonly NodeFields[]): FilterDeps => {
    const clock = tickingClock();
    const state = makeState({ nodes });
    const assumptions = new Assumptions(clock);
    return {
      state,
      assumptions,
      clock,
      filterDeadlineMs,
      ...neverBusy,
      policies: binpackBinpack,
      requests: new Requests(nvidiaVendors),
      verdicts: new Verdicts(),
    };
  };
  const many = sampleOf(640);

  it('turns a late answer into an error', () => {
    const answer = filter(byName(pod, ...namesOf(many)), depsWith(50, many));
    expect(answer).toMatchObject({ kind: 'error', code: 'DeadlineExceeded' });
  });

  it('lets an answer in time pass', () => {
    const answer = filter(byName(pod, ...namesOf(many)), depsWith(1000, many));
    expect(answer).toMatchObject({ kind: 'answered', feasible: [] });
  });

  it('holds as well while it looks outside the sample', () => {
    const sample = sampleOf(100);
    const elsewhere = Array.from({ length: 6400 }, (_, index) => ({ name: `other-${index}` }));
    const clock = { asked: 0 };
    const deps = depsWith(50, [...sample, ...elsewhere]);
    const counting: Clock = {
      ...deps.clock,
      nowMs: () => {
        clock.asked += 1;
        return deps.clock.nowMs();
      },
    };
    filter(byName(pod, ...namesOf(sample)), { ...deps, clock: counting });
    expect(clock.asked).toBeGreaterThan(3);
  });
});

describe('a node whose binds wait too long for their turn', () => {
  const small = { count: 1, memoryMiB: 100 };

  /** A world in which a bind of n1 is under way, which has taken so long that the next ones will, too. */
  async function worldWithBusy(nodes: readonly NodeFields[]) {
    const world = makeWorld({ nodes });
    void world.bind(world.pod({ name: 'slow', gpu: small }));
    await flush();
    world.clock.advance(0.8 * bindBudgetMs);
    return world;
  }

  it('is left out while another one would do', async () => {
    const world = await worldWithBusy([{ devices: [{}] }, { name: 'n2', devices: [{}] }]);
    expect(verdictOf(world.scheduler.filter(byName(gpuPod({ gpu: small }), 'n1', 'n2')))).toEqual({
      feasible: ['n2'],
      refused: { n1: 'NodeBusy' },
    });
  });

  it('makes filter answer an error where no other would do, for nothing else would bring the pod back', async () => {
    const world = await worldWithBusy([{ devices: [{}] }, { name: 'n2' }]);
    expect(world.scheduler.filter(byName(gpuPod({ gpu: small }), 'n1', 'n2'))).toEqual({
      kind: 'error',
      code: 'NodesBusy',
      message: 'it fits 1 of the nodes, but too many binds wait there for their turn; retrying',
    });
  });

  it('is refused for its cards where those are what is missing', async () => {
    const world = await worldWithBusy([{ devices: [{}] }]);
    const large = gpuPod({ gpu: { count: 2 } });
    expect(verdictOf(world.scheduler.filter(byName(large, 'n1')))).toEqual({
      feasible: [],
      refused: { n1: 'NodeInsufficientDevice' },
    });
  });
});

describe('a pod that fits only outside the sample', () => {
  const sample = sampleOf(100);
  const world = () => makeWorld({ nodes: [...sample, { name: 'good', devices: [{}] }] });

  it('is asked to come again, at most three times, and then refused', () => {
    const { scheduler } = world();
    const ask = () => verdictOf(scheduler.filter(byName(pod, ...namesOf(sample))));
    expect([ask(), ask(), ask()]).toEqual(['OutsideSample', 'OutsideSample', 'OutsideSample']);
    expect(ask()).toMatchObject({ feasible: [], refused: { 'empty-0': 'node unregistered' } });
  });

  it('has its three times, changed or not; another pod has its own', () => {
    const { scheduler } = world();
    const ask = (resourceVersion: string, name = 'pod-1') =>
      verdictOf(scheduler.filter(byName(gpuPod({ gpu, name, resourceVersion }), ...namesOf(sample))));
    for (const version of ['1', '2', '3']) expect(ask(version)).toBe('OutsideSample');
    expect(ask('4')).not.toBe('OutsideSample');
    expect(ask('1', 'other')).toBe('OutsideSample');
  });

  it('has them anew once it was forgotten', () => {
    const { scheduler } = world();
    const ask = () => verdictOf(scheduler.filter(byName(pod, ...namesOf(sample))));
    for (let time = 0; time < 4; time += 1) ask();
    scheduler.forget(pod.uid);
    expect(ask()).toBe('OutsideSample');
  });

  it('is told so only from a hundred names on: fewer are no sample', () => {
    const { scheduler } = world();
    expect(verdictOf(scheduler.filter(byName(pod, ...namesOf(sample.slice(1)))))).toMatchObject({
      feasible: [],
    });
  });

  it('is not told so when node objects were sent: their sender chose them', () => {
    const { scheduler } = world();
    expect(verdictOf(scheduler.filter(byObject(pod, ...sample)))).toMatchObject({ feasible: [] });
  });

  it('is not told so when it fits nowhere', () => {
    const { scheduler } = world();
    const tooLarge = gpuPod({ gpu: { count: 1, memoryMiB: 9000 } });
    expect(verdictOf(scheduler.filter(byName(tooLarge, ...namesOf(sample))))).toMatchObject({ feasible: [] });
  });
});

describe('a filter that leaves one node', () => {
  const nodes = [{ devices: [{}] }, { name: 'n2', devices: [{}] }];
  const first = gpuPod({ name: 'first', gpu: { count: 1, memoryMiB: 6000 } });
  const second = gpuPod({ name: 'second', gpu: { count: 1, memoryMiB: 6000 } });
  const winnerOf = (world: ReturnType<typeof makeWorld>) =>
    world.scheduler.prioritize(byName(second, 'n1', 'n2')).priorities.find(({ Score }) => Score === 10)?.Host;

  it('expects the pod there, and ranks the next one elsewhere', () => {
    const world = makeWorld({ nodes });
    expect(winnerOf(world)).toBe('n1');
    world.scheduler.filter(byName(first, 'n1'));
    expect(winnerOf(world)).toBe('n2');
  });

  it('expects it no longer when the pod is filtered again without such an end', () => {
    const world = makeWorld({ nodes });
    world.scheduler.filter(byName(first, 'n1'));
    world.scheduler.filter(byName(first, 'n1', 'n2'));
    expect(winnerOf(world)).toBe('n1');
  });

  it('expects it no longer when the pod is forgotten', () => {
    const world = makeWorld({ nodes });
    world.scheduler.filter(byName(first, 'n1'));
    world.scheduler.forget(first.uid);
    expect(winnerOf(world)).toBe('n1');
  });

  it('expects nothing of a pod without devices', () => {
    const world = makeWorld({ nodes });
    const before = pictureOf(world.state, 'n1');
    world.scheduler.filter(byName(podObject({ containers: [{ limits: gpuLimits({}) }] }), 'n1'));
    expect(winnerOf(world)).toBe('n1');
    expect(pictureOf(world.state, 'n1')).toEqual(before);
  });
});

describe('a pod that fitted nowhere a moment ago', () => {
  const whole = { count: 1, memoryMiB: 8192 };
  const full8 = Array.from({ length: 100 }, (_, index) => ({
    name: `full-${index}`,
    devices: [{ memoryMiB: 100 }],
  }));

  it('is refused again while nothing has changed, and sees at once what did, wherever it is', () => {
    const world = makeWorld({ nodes: [...full8, { name: 'other' }] });
    const ask = (name: string) =>
      verdictOf(world.scheduler.filter(byName(gpuPod({ name, gpu: whole }), ...namesOf(full8))));
    expect(ask('a')).toMatchObject({ feasible: [] });
    expect(ask('b')).toMatchObject({ feasible: [] });
    world.node({ name: 'other', devices: [{}] });
    expect(ask('c')).toBe('OutsideSample');
    world.node({ name: 'other', devices: [{ memoryMiB: 100 }] });
    expect(ask('d')).toMatchObject({ feasible: [] });
    world.node({ name: 'new', devices: [{}] });
    expect(ask('e')).toBe('OutsideSample');
    world.state.removeNode('new');
    expect(ask('f')).toMatchObject({ feasible: [] });
  });

  it('sees a node whose pods have gone', () => {
    const world = makeWorld({ nodes: [...full8, { name: 'other', devices: [{}] }] });
    world.pod({ name: 'holder', nodeName: 'other', allocated: full });
    const ask = (name: string) =>
      verdictOf(world.scheduler.filter(byName(gpuPod({ name, gpu: whole }), ...namesOf(full8))));
    expect(ask('a')).toMatchObject({ feasible: [] });
    world.state.removePod('uid-holder', world.clock.nowMs());
    expect(ask('b')).toBe('OutsideSample');
  });
});
