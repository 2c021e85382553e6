/** What kube-scheduler gets from the preempt verb, and from filter where the verb is in use. */
import { describe, expect, it } from '@jest/globals';
import { expectGolden } from '../support/golden.ts';
import { makePod } from '../support/kubernetes-objects.ts';
import { type Answer, ask, post } from './exchange.ts';
import { brokenPod, largePod, plainPod, sampleNodes, samplePods } from './sample-cluster.ts';
import { makeServedApp, metricValue, type ServedAppFields } from './served-app.ts';

/** Takes a card of `a100` as a whole. */
function holder(name: string, card: string, priority: number) {
  const value = `${card},NVIDIA,40960,0:;`;
  const pod = makePod({
    name,
    nodeName: 'a100',
    phase: 'Running',
    annotations: {
      'hami.io/vgpu-node': 'a100',
      'hami.io/vgpu-devices-allocated': value,
      'hami.io/vgpu-devices-to-allocate': value,
    },
    containers: [{ name: 'main', limits: { 'nvidia.com/gpu': '1' }, state: 'running' }],
  });
  return { ...pod, spec: { ...pod.spec, priority } };
}

const low = holder('low', 'GPU-a0', 10);
const middle = holder('middle', 'GPU-a1', 20);
const urgent = { ...largePod, spec: { ...largePod.spec, priority: 1000 } };
const makeApp = (fields: ServedAppFields = {}) =>
  makeServedApp({ nodes: sampleNodes, pods: [...samplePods, low, middle], ...fields });
const meta = (byNode: Readonly<Record<string, readonly string[]>>, pod: object = urgent) => ({
  Pod: pod,
  NodeNameToVictims: null,
  NodeNameToMetaVictims: Object.fromEntries(
    Object.entries(byNode).map(([node, uids]) => [
      node,
      { Pods: uids.map((UID) => ({ UID })), NumPDBViolations: 0 },
    ]),
  ),
});

describe('preempt on the wire', () => {
  it('answers as pinned', async () => {
    const { app } = makeApp();
    const answers: Answer[] = [
      await ask(app, 'victims that make room stay, a node that is too small goes', '/preempt', {
        ...meta({ a100: ['uid-middle'], t4: ['uid-other'] }),
      }),
      await ask(app, 'none given: the least important pod', '/preempt', meta({ a100: [], cpu: [] })),
      await ask(app, 'one given that holds no card: another beside it', '/preempt', {
        Pod: urgent,
        NodeNameToVictims: { a100: { Pods: [{ metadata: { uid: 'uid-web' } }], NumPDBViolations: 1 } },
        NodeNameToMetaVictims: null,
      }),
      await ask(app, 'a pod as important as those in its way', '/preempt', {
        ...meta({ a100: [] }, { ...largePod, metadata: { ...largePod.metadata, uid: 'uid-meek' } }),
      }),
      await ask(app, 'a pod without cards', '/preempt', meta({ cpu: ['uid-web'] }, plainPod)),
      await ask(app, 'a request that cannot be understood', '/preempt', meta({ a100: [] }, brokenPod)),
      await ask(app, 'no node', '/preempt', meta({})),
    ];
    expectGolden('http-preempt', answers);
  });

  it.each([
    { name: 'a state that is not complete', fields: { synced: false }, body: meta({ a100: [] }), want: 503 },
    { name: 'a body that is no JSON', fields: {}, body: '{"Pod": {', want: 400 },
    { name: 'a body without victims', fields: {}, body: { Pod: urgent }, want: 400 },
    { name: 'a body in another form', fields: {}, body: [], want: 400 },
    { name: 'a body beyond the limit', fields: {}, body: ' '.repeat(1024 * 1024 + 1), want: 413 },
  ])('answers $name with a status that is an error, for the form has no other', async (given) => {
    const { app, lines } = makeApp(given.fields);
    const response = await post(app, '/preempt', given.body);
    expect(response.status).toBe(given.want);
    expect(response.text).not.toBe('');
    expect(lines).toEqual([expect.objectContaining({ level: 'warn' })]);
  });

  it('reads keys in any case', async () => {
    const { app } = makeApp();
    const response = await post(app, '/preempt', {
      pod: urgent,
      nodenametometavictims: { a100: { pods: [{ uid: 'uid-low' }] } },
    });
    expect(response.body).toEqual({
      NodeNameToMetaVictims: { a100: { Pods: [{ UID: 'uid-low' }], NumPDBViolations: 0 } },
    });
  });

  it('measures its time and counts bodies that cannot be read', async () => {
    const { app, metrics } = makeApp();
    await post(app, '/preempt', meta({ a100: [] }));
    await post(app, '/preempt', { Pod: urgent });
    expect(await metricValue(metrics, 'tessera_preempt_duration_seconds_count')).toBe(2);
    expect(await metricValue(metrics, 'tessera_malformed_total{kind="body"}')).toBe(1);
  });
});

describe('filter on the wire', () => {
  it('tells nodes that evictions could free from the others', async () => {
    const { app } = makeApp({
      wrapScheduler: (inner) => ({
        ...inner,
        filter: (args) => {
          const answer = inner.filter(args);
          return answer.kind === 'error' ? answer : { ...answer, resolvable: new Set(['a100']) };
        },
      }),
    });
    const response = await post(app, '/filter', { Pod: urgent, NodeNames: ['a100', 't4', 'cpu'] });
    expect(response.body).toEqual({
      Nodes: null,
      NodeNames: [],
      FailedNodes: { a100: 'CardInsufficientMemory' },
      FailedAndUnresolvableNodes: {
        cpu: 'node unregistered',
        t4: 'CardInsufficientMemory, CardNotHealth',
      },
      Error: '',
    });
  });
});
