/** What holds of every answer of preempt, whatever is on the nodes and whatever kube-scheduler has chosen. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { plan } from '../../src/placement/planner.ts';
import { preempt } from '../../src/scheduler/preempt.ts';
import { Requests } from '../../src/scheduler/requests.ts';
import { rulesFor } from '../../src/scheduler/rules.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { NodeVictims } from '../../src/wire/preemption.ts';
import { gpuPod, makeState, nvidiaVendors, pictureOf, podObject } from '../state/support/device-states.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { binpackBinpack } from './support/scheduler-world.ts';

const nodeNames = ['n1', 'n2'] as const;
const priority = 5;
const timeless = { clock: new ManualClock(), filterDeadlineMs: 1000 };

interface Tenant {
  readonly node: (typeof nodeNames)[number];
  readonly card: number;
  readonly memoryMiB: number;
  readonly corePercent: number;
  readonly priority: number;
  readonly namespace: string;
  readonly kind: 'bound' | 'draining' | 'without-cards';
}

interface Case {
  readonly tenants: readonly Tenant[];
  readonly given: readonly boolean[];
  readonly wanted: { readonly count: number; readonly memoryMiB: number; readonly corePercent: number };
  readonly countOfNode: number;
  readonly limitMiB: number | undefined;
}

const tenant: fc.Arbitrary<Tenant> = fc.record({
  node: fc.constantFrom(...nodeNames),
  card: fc.nat({ max: 1 }),
  memoryMiB: fc.constantFrom(500, 2000, 4000, 8192),
  corePercent: fc.constantFrom(0, 0, 30, 100),
  priority: fc.nat({ max: 7 }),
  namespace: fc.constantFrom('default', 'default', 'other'),
  kind: fc.constantFrom('bound', 'bound', 'bound', 'bound', 'draining', 'without-cards'),
});

const someCase: fc.Arbitrary<Case> = fc.record({
  tenants: fc.array(tenant, { minLength: 1, maxLength: 8 }),
  given: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  wanted: fc.record({
    count: fc.constantFrom(1, 1, 2),
    memoryMiB: fc.constantFrom(1000, 4000, 8192),
    corePercent: fc.constantFrom(0, 50, 100),
  }),
  countOfNode: fc.constantFrom(3, 4, 20),
  limitMiB: fc.constantFrom(undefined, undefined, 4000, 10_000),
});

function podOf(tenant: Tenant, index: number): PodObject {
  const { node, card, memoryMiB, corePercent, namespace, kind } = tenant;
  const fields = { name: `tenant-${index}`, namespace, nodeName: node };
  const pod =
    kind === 'without-cards'
      ? podObject(fields)
      : gpuPod({
          ...fields,
          running: kind === 'draining',
          gpu: { count: 1, memoryMiB, corePercent },
          allocated: `gpu-${card},NVIDIA,${memoryMiB},${corePercent}:;`,
        });
  return { ...pod, priority: tenant.priority };
}

/** The case's cluster without some of its pods, as if they had never been there. */
function stateOf({ tenants, countOfNode, limitMiB }: Case, without: ReadonlySet<string>): DeviceState {
  const allocatable = { 'nvidia.com/gpu': String(countOfNode) };
  const state = makeState({ nodes: nodeNames.map((name) => ({ name, devices: [{}, {}], allocatable })) });
  for (const [index, tenant] of tenants.entries()) {
    const pod = podOf(tenant, index);
    if (without.has(pod.uid)) continue;
    state.applyPod(pod, 0);
    if (tenant.kind === 'draining') state.removePod(pod.uid, 0);
  }
  if (limitMiB !== undefined) {
    const hard = { 'limits.nvidia.com/gpumem': String(limitMiB) };
    state.applyQuota({ namespace: 'default', name: 'q', resourceVersion: '1', hard });
  }
  return state;
}

describe('an answer of preempt', () => {
  it('makes the pod fit, keeps what was given, adds only what is needed and may be evicted', () => {
    let answered = 0;
    let completed = 0;
    fc.assert(
      fc.property(someCase, (cluster) => {
        const { tenants, given, wanted } = cluster;
        const pod = { ...gpuPod({ name: 'urgent', gpu: wanted }), priority };
        const { request } = readPodRequest(pod, nvidiaVendors);
        const fitsWithout = (node: string, uids: Iterable<string>) => {
          const state = stateOf(cluster, new Set(uids));
          const view = state.view(node);
          return (
            view !== undefined &&
            plan(view, request, rulesFor(request, { state, policies: binpackBinpack })).ok
          );
        };
        const givenOn = (node: string) =>
          tenants.flatMap((tenant, index) =>
            tenant.node === node && given[index] === true && tenant.kind !== 'draining'
              ? [`uid-tenant-${index}`]
              : [],
          );
        const victims = new Map(
          nodeNames.map((node): [string, NodeVictims] => [
            node,
            { podUids: givenOn(node), pdbViolations: givenOn(node).length },
          ]),
        );
        const state = stateOf(cluster, new Set());
        const before = nodeNames.map((node) => pictureOf(state, node));
        const answer = preempt(
          { pod, victims },
          { state, policies: binpackBinpack, requests: new Requests(nvidiaVendors), ...timeless },
        );
        expect(nodeNames.map((node) => pictureOf(state, node))).toEqual(before);
        if (answer.kind === 'error') throw new Error(answer.code);

        const mayLeave = ({ node: at, kind, ...tenant }: Tenant, node: string) =>
          at === node && kind === 'bound' && tenant.priority < priority;
        for (const node of nodeNames) {
          const chosen = givenOn(node);
          const got = answer.victims.get(node);
          if (got === undefined) {
            const all = tenants.flatMap((tenant, index) =>
              mayLeave(tenant, node) ? [`uid-tenant-${index}`] : [],
            );
            const hopeless = !fitsWithout(node, [...chosen, ...all]);
            expect(hopeless || (chosen.length === 0 && fitsWithout(node, []))).toBe(true);
            continue;
          }
          answered += 1;
          expect(got.pdbViolations).toBe(chosen.length);
          expect(got.podUids).not.toEqual([]);
          expect(new Set(got.podUids).size).toBe(got.podUids.length);
          expect(got.podUids).toEqual(expect.arrayContaining(chosen));
          expect(fitsWithout(node, got.podUids)).toBe(true);
          const added = got.podUids.filter((uid) => !chosen.includes(uid));
          if (added.length > 0) completed += 1;
          for (const uid of added) {
            const tenant = tenants[Number(uid.replace('uid-tenant-', ''))]!;
            expect(mayLeave(tenant, node)).toBe(true);
            expect(
              fitsWithout(
                node,
                got.podUids.filter((other) => other !== uid),
              ),
            ).toBe(false);
          }
        }
      }),
      { numRuns: 500 },
    );
    // Else the property has said nothing.
    expect(answered).toBeGreaterThan(50);
    expect(completed).toBeGreaterThan(50);
  });
});
