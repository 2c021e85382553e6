import { describe, expect, it } from '@jest/globals';
import { admit } from '../../src/admission/admit.ts';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import { plan } from '../../src/placement/planner.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { parseAdmissionReview } from '../../src/wire/admission-review.ts';
import { parseNode } from '../../src/wire/kubernetes.ts';
import { loadServerConfig } from '../../bench/processes/server-config.ts';
import { makeCluster, sealKeyOf } from '../../bench/workload/cluster.ts';
import { podOf } from '../../bench/workload/fill.ts';
import { publishedAnew } from '../../bench/workload/node-object.ts';
import { drawImpossiblePod, drawPod, drawPodOf, podKinds } from '../../bench/workload/pod-mix.ts';
import { asSentToExtenders, pendingPod } from '../../bench/workload/pod-object.ts';
import { reviewOf } from '../../bench/workload/review.ts';

const size = { nodes: 20, cards: 8, until: { fill: 0.7 }, seed: 7 } as const;
const config = loadServerConfig();
const vendors = makeVendors(config);
const policies = policiesFrom(config, vendors);

describe('the cluster of a benchmark', () => {
  const { nodes, pods, fill, state, descriptions } = makeCluster(size);

  it('is the same for the same seed, and another for another', () => {
    expect(makeCluster(size).pods).toEqual(pods);
    expect(makeCluster(size).nodes).toEqual(nodes);
    expect(makeCluster({ ...size, seed: 8 }).pods).not.toEqual(pods);
  });

  it('is as full as it was asked to be, and no card is over-committed', () => {
    expect(fill).toBeGreaterThanOrEqual(0.7);
    expect(fill).toBeLessThan(0.75);
    for (const name of state.nodeNames()) {
      const keys = state.view(name)?.devices.map(({ device }) => `${device.vendor}/${device.id}`) ?? [];
      expect(keys).toHaveLength(8);
      expect(state.node(name)?.overCommitted(keys)).toBeUndefined();
    }
  });

  it('is charged by the server as it was filled: every allocation is sealed with the key of its Secret', () => {
    const sealer = new Sealer(sealKeyOf(size.seed), vendors);
    expect(pods.map((pod) => sealer.isSealed(podOf(pod)))).toEqual(pods.map(() => true));
    const other = new Sealer(sealKeyOf(size.seed + 1), vendors);
    expect(pods.some((pod) => other.isSealed(podOf(pod)))).toBe(false);
  });

  it('takes as many pods as it is told, or says that it is full', () => {
    expect(makeCluster({ ...size, until: { pods: 100 } }).pods).toHaveLength(100);
    expect(() => makeCluster({ ...size, nodes: 1, until: { pods: 1000 } })).toThrow('the machines are full');
  });

  it('publishes its cards in another order without changing one', () => {
    const random = seededRandom(1);
    const again = new DeviceState({ vendors, trustOf: () => 'as-written' });
    let moved = 0;
    for (const [index, node] of nodes.entries()) {
      const description = descriptions[index]!;
      const annotations = { ...node.metadata.annotations, ...publishedAnew(description, random) };
      if (JSON.stringify(annotations) !== JSON.stringify(node.metadata.annotations)) moved += 1;
      const parsed = parseNode({ ...node, metadata: { ...node.metadata, annotations } });
      if (!parsed.ok) throw new Error(parsed.problem);
      expect(again.applyNode(parsed.value)).toEqual([]);
      expect(again.idleView(description.name)?.devices).toEqual(state.idleView(description.name)?.devices);
    }
    expect(moved).toBeGreaterThan(nodes.length / 2);
  });
});

describe('the pods of a benchmark', () => {
  const { state } = makeCluster({ ...size, until: { pods: 0 } });
  const fitsSomewhere = (wish: ReturnType<typeof drawPod>) => {
    const { request, problems } = readPodRequest(podOf(pendingPod({ number: 1, wish })), vendors);
    expect(problems).toEqual([]);
    return [...state.nodeNames()].some((name) => plan(state.view(name)!, request, policies).ok);
  };

  it.each(podKinds.map((kind) => ({ name: kind })))('of the kind $name fit an idle cluster', ({ name }) => {
    const random = seededRandom(3);
    for (let draw = 0; draw < 20; draw += 1) expect(fitsSomewhere(drawPodOf(name, random))).toBe(true);
  });

  it('that are to fit nowhere fit nowhere', () => {
    const random = seededRandom(3);
    for (let draw = 0; draw < 20; draw += 1) expect(fitsSomewhere(drawImpossiblePod(random))).toBe(false);
  });

  it('are of every kind sooner or later', () => {
    const random = seededRandom(1);
    const drawn = new Set(Array.from({ length: 500 }, () => drawPod(random).kind));
    expect([...drawn].sort()).toEqual([...podKinds].sort());
  });

  it('are as large as those of real clusters, and are sent on without field owners', () => {
    const pod = pendingPod({ number: 1, wish: drawPod(seededRandom(1)) });
    const sent = JSON.stringify(asSentToExtenders(pod));
    expect(sent.length).toBeGreaterThan(3000);
    expect(sent).not.toContain('managedFields');
    expect(JSON.stringify(pod).length).toBeGreaterThan(sent.length);
  });

  it.each([
    { name: 'with cards are changed by admission', wish: drawPod(seededRandom(1)), wantChanged: true },
    { name: 'without cards are not', wish: undefined, wantChanged: false },
  ])('$name', ({ wish, wantChanged }) => {
    const review = parseAdmissionReview(reviewOf(1, wish));
    if (!review.ok) throw new Error(review.problem);
    const { schedulerNames, forceOverwriteDefaultScheduler } = config;
    const answer = admit(review.value, { state, policies, schedulerNames, forceOverwriteDefaultScheduler });
    expect(answer.allowed).toBe(true);
    expect(answer.allowed && answer.patch.length > 0).toBe(wantChanged);
  });
});
