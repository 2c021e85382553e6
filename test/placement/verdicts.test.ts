import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeNodeView, type NodeView } from '../../src/model/node-view.ts';
import type { NamespaceQuota } from '../../src/model/quota.ts';
import { plan, type PlanRules } from '../../src/placement/planner.ts';
import { shapeOf, Verdicts } from '../../src/placement/verdicts.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { arbitraryPolicies, arbitraryRequest, arbitraryView } from '../support/arbitrary-clusters.ts';
import { makePodRequest } from '../support/requests.ts';
import { makeView } from '../support/views.ts';

const rules: PlanRules = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('spread') };
const quotaOf = (limit: number): NamespaceQuota =>
  new Map([['NVIDIA', { memory: { resource: 'limits.gpumem', quota: 'q', limit, used: 0 } }]]);

/** Counts how often a view's devices are looked at, which a remembered verdict never does. */
function watched(view: NodeView): { readonly view: NodeView; readonly looks: () => number } {
  let looks = 0;
  const seen = new Proxy(view, {
    get: (target, field, receiver): unknown => {
      if (field === 'devices') looks += 1;
      return Reflect.get(target, field, receiver);
    },
  });
  return { view: seen, looks: () => looks };
}

function judge(verdicts: Verdicts, view: NodeView, request = makePodRequest(), under = rules) {
  return verdicts.of(request, shapeOf(request), under).judge(view);
}

describe('remembered verdicts', () => {
  it('are what the planner says, for every request and picture', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryView, { minLength: 1, maxLength: 4 }),
        fc.array(arbitraryRequest(), { minLength: 1, maxLength: 4 }),
        arbitraryPolicies,
        fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 20 }),
        fc.boolean(),
        (drawn, requests, policies, calls, asTheyAre) => {
          // Two nodes, each with pictures from before and after a change; or pictures of nodes that might be.
          const views = drawn.map((view, index) =>
            asTheyAre ? { ...view, slot: index % 2, generation: index } : view,
          );
          const verdicts = new Verdicts();
          for (const [v, r] of calls) {
            const view = views[v % views.length]!;
            const request = requests[r % requests.length]!;
            const planned = plan(view, request, policies);
            const want = planned.ok ? { ok: true, score: planned.score } : planned;
            expect(verdicts.of(request, shapeOf(request), policies).judge(view)).toEqual(want);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are not thought out again for the same picture and another pod of the same shape', () => {
    const { view, looks } = watched(makeView({ devices: [{}] }));
    const verdicts = new Verdicts();
    const first = judge(verdicts, view, makePodRequest({ podUid: 'a', name: 'a' }));
    const before = looks();
    expect(before).toBeGreaterThan(0);
    expect(judge(verdicts, view, makePodRequest({ podUid: 'b', name: 'b', namespace: 'other' }))).toBe(first);
    expect(looks()).toBe(before);
  });

  const other = [
    { name: 'another container name', request: { containers: [{ name: 'x' }] } },
    { name: 'another role', request: { containers: [{ role: 'init' as const }] } },
    { name: 'more memory', request: { containers: [{ memoryMiB: 9000 }] } },
    { name: 'a selector', request: { selectors: { NVIDIA: { avoidIds: ['gpu-0'] } } } },
    { name: 'a count', request: { counts: { 'nvidia.com/gpu': 3 } } },
    { name: 'a node policy', request: { nodePolicy: 'spread' as const } },
    { name: 'a device policy', request: { devicePolicy: parseDevicePolicy('mutex') } },
    { name: 'weights', request: { weights: { slots: 1, cores: 2, memory: 3 } } },
  ];
  it.each(other)('are of one shape: $name makes another', ({ request }) => {
    expect(shapeOf(makePodRequest(request))).not.toBe(shapeOf(makePodRequest()));
  });

  it('are of one quota: other figures of it, or of another namespace, are asked about anew', () => {
    const verdicts = new Verdicts();
    const view = makeView({ devices: [{}] });
    const request = makePodRequest({ containers: [{ memoryMiB: 100 }] });
    const under = (limit: number) => ({ ...rules, quota: quotaOf(limit) });
    expect(judge(verdicts, view, request, under(100)).ok).toBe(true);
    expect(judge(verdicts, view, request, under(99)).ok).toBe(false);
    expect(judge(verdicts, view, request, rules).ok).toBe(true);
    const elsewhere = { ...request, namespace: 'other' };
    expect(judge(verdicts, view, elsewhere, under(99)).ok).toBe(false);
    expect(judge(verdicts, view, request, under(100)).ok).toBe(true);
  });

  it('share one refusal among nodes that are refused alike', () => {
    const verdicts = new Verdicts();
    const request = makePodRequest({ containers: [{ memoryMiB: 9000 }] });
    const one = judge(verdicts, makeView({ name: 'n1', devices: [{}] }), request);
    expect(judge(verdicts, makeView({ name: 'n2', devices: [{}] }), request)).toBe(one);
    expect(judge(verdicts, makeView({ name: 'n3', devices: [{}, {}] }), request)).not.toBe(one);
  });

  it('are bounded: the shape asked about least recently is forgotten, and thought out again', () => {
    const { view, looks } = watched(makeNodeView(makeView({ devices: [{}] })));
    const verdicts = new Verdicts();
    const ask = (memoryMiB: number) => judge(verdicts, view, makePodRequest({ containers: [{ memoryMiB }] }));
    ask(1);
    for (let memoryMiB = 2; memoryMiB <= 256; memoryMiB += 1) ask(memoryMiB);
    const full = looks();
    ask(1);
    expect(looks()).toBe(full);
    ask(257);
    const beyond = looks();
    ask(1);
    expect(looks()).toBe(beyond);
    ask(2);
    expect(looks()).toBeGreaterThan(beyond);
  });
});

describe('verdicts on nodes as they are', () => {
  it('hold for one generation of one slot, wherever the others are', () => {
    const verdicts = new Verdicts();
    const fitting = { ...makeView({ devices: [{}] }), generation: 7 };
    const empty = { ...makeView({ devices: [] }), generation: 8 };
    expect(judge(verdicts, { ...fitting, slot: 5000 })).toMatchObject({ ok: true });
    expect(judge(verdicts, { ...empty, slot: 5000 })).toMatchObject({ ok: false });
    expect(judge(verdicts, { ...empty, slot: 3 })).toMatchObject({ ok: false });
    expect(judge(verdicts, { ...fitting, slot: 3, generation: 9 })).toMatchObject({ ok: true });
  });
});
