/** `tessera defragment` as people run it: who moves, what it prints, and how it ends. */
import { describe, expect, it, jest } from '@jest/globals';
import { findPlan } from '../../src/commands/defragment/find-plan.ts';
import { planJson, planText } from '../../src/commands/defragment/plan-text.ts';
import { targetPod } from '../../src/commands/defragment/target-pod.ts';
import { kubeconfigFor } from '../../src/emulator/api/kubeconfig.ts';
import { EmbeddedApi } from '../kubernetes/support/embedded-api.ts';
import { allocationAnnotations, nvidiaVendors } from '../state/support/device-states.ts';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';
import { makeTemporaryFiles } from '../config/temporary-files.ts';
import { Tessera } from './child-process.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const fileOf = makeTemporaryFiles();

const nodeOf = (name: string) => makeNodeObject({ name, devices: [{ id: `${name}-0`, memoryMiB: 8000 }] });

interface HalfPod {
  readonly node: string;
  readonly percent: number;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly controller?: string;
  readonly deleting?: boolean;
}

/** Named by its node and its percent of the card. */
function podOn({ node, percent, namespace, annotations, controller, deleting }: HalfPod) {
  const pod = makePod({
    name: `p${percent}`,
    nodeName: node,
    phase: 'Running',
    annotations: {
      ...allocationAnnotations(node, `${node}-0,NVIDIA,${80 * percent},${percent}:;`),
      ...annotations,
    },
    containers: [
      { limits: gpuLimits({ count: 1, memoryMiB: 80 * percent, corePercent: percent }), state: 'running' },
    ],
    ...(namespace === undefined ? {} : { namespace }),
    ...(deleting === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  });
  const ownerReferences = controller === undefined ? [] : [{ kind: controller, controller: true }];
  return { ...pod, metadata: { ...pod.metadata, ownerReferences } };
}

let files = 0;
const clusterOf = (...pods: readonly HalfPod[]) =>
  fileOf(
    `cluster-${(files += 1)}.json`,
    JSON.stringify({ kind: 'List', items: [nodeOf('a'), nodeOf('b'), ...pods.map(podOn)] }),
  );

const run = (...args: readonly string[]) => new Tessera(['defragment', ...args]).ended();

async function mustFind(flags: Partial<Parameters<typeof findPlan>[0]>) {
  const found = await findPlan({ mostMoves: 3, ...flags });
  if (!found.ok) throw new Error(found.problem);
  return found.value;
}

describe('tessera defragment', () => {
  it('prints the moves and where the pod goes, and ends with 0', async () => {
    const cluster = clusterOf(
      { node: 'a', percent: 40 },
      { node: 'b', percent: 30, controller: 'ReplicaSet' },
    );
    const { code, stdout, stderr } = await run('--snapshot', cluster, '--cards', '1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'default/wanted fits once 1 pod has moved (no shorter list does):',
        '  1. default/p30: from b (b-0 2400 MiB 30 %) to a (a-0 2400 MiB 30 %)',
        'Then default/wanted fits node b (b-0 8000 MiB 100 %).',
        'This is a proposal: nothing was evicted. Node selectors, affinity, taints and disruption budgets were not looked at.',
        '',
      ].join('\n'),
    );
  });

  it.each([
    { name: 'of kube-system', fixed: { namespace: 'kube-system' } },
    { name: 'that says never', fixed: { annotations: { 'tessera.io/defragment': 'never' } } },
    { name: 'of a DaemonSet', fixed: { controller: 'DaemonSet' } },
    { name: 'of its node', fixed: { controller: 'Node' } },
    { name: 'that is being deleted', fixed: { deleting: true } },
  ])('leaves a pod where it is $name', async ({ fixed }) => {
    const cluster = clusterOf({ node: 'a', percent: 40 }, { node: 'b', percent: 30, ...fixed });
    const found = await mustFind({ snapshot: [cluster], cards: 1 });
    expect(JSON.parse(planJson(found))).toMatchObject({
      version: 1,
      pod: 'default/wanted',
      result: 'moves',
      moves: [{ namespace: 'default', name: 'p40', from: 'a', to: 'b' }],
      isShortest: true,
      withoutController: ['default/p40'],
    });
  });

  it('ends with 1 where no list makes room, for a pod of a file', async () => {
    const cluster = clusterOf({ node: 'a', percent: 60 }, { node: 'b', percent: 50 });
    const limits = gpuLimits({ count: 1, memoryMiB: 6000, corePercent: 75 });
    const file = fileOf('pod.json', JSON.stringify(makePod({ name: 'train', containers: [{ limits }] })));
    const { code, stdout } = await run('--snapshot', cluster, '--pod', file, '--most-moves', '2');
    expect(code).toBe(1);
    expect(stdout).toBe(
      'default/train fits nowhere, and no list of up to 2 moves was found that makes room; up to 2 there is none.\n',
    );
  });

  it('looks at a cluster by its API server and writes nothing', async () => {
    const api = await EmbeddedApi.start();
    try {
      await api.send('POST', '/api/v1/nodes', {
        ...nodeOf('a'),
        metadata: { ...nodeOf('a').metadata, resourceVersion: '' },
      });
      const kubeconfig = fileOf('kubeconfig', kubeconfigFor(api.emulator.url));
      const before = JSON.stringify(await api.read('/api/v1/nodes/a'));
      const found = await mustFind({ kubeconfig, cards: 1, memory: 100 });
      expect(planText(found)).toBe('Nothing has to move: default/wanted fits node a (a-0 100 MiB) now.\n');
      expect(JSON.stringify(await api.read('/api/v1/nodes/a'))).toBe(before);
    } finally {
      await api.close();
    }
  });

  it('ends with 2 where a flag is wrong', async () => {
    const { code, stdout, stderr } = await run('--cards', 'x');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/Write a whole number from 1 to 1024/);
  });

  it.each([
    { name: 'nobody to make room for', flags: {}, want: /^give either --pod or --cards/ },
    { name: 'two', flags: { cards: 1, pod: 'x' }, want: /^give either --pod or --cards/ },
    {
      name: 'an unknown vendor',
      flags: { cards: 1, vendor: 'X' },
      want: /^--vendor: X is not configured; there are NVIDIA/,
    },
    { name: 'no file of that name', flags: { pod: 'none.yaml' }, want: /^none\.yaml: cannot be read/ },
    { name: 'two clusters', flags: { cards: 1, kubeconfig: 'x' }, want: /name two clusters/ },
  ])('refuses when it is given $name', async ({ flags, want }) => {
    const snapshot = [clusterOf({ node: 'a', percent: 10 })];
    expect(await findPlan({ mostMoves: 3, snapshot, ...flags })).toEqual({
      ok: false,
      problem: expect.stringMatching(want) as unknown,
    });
  });
});

describe('the pod that is asked for by flags', () => {
  it('asks in the words of its vendor', () => {
    const pod = targetPod(
      { cards: 2, memory: 4096, cores: 30, type: 'A100', namespace: 'team' },
      nvidiaVendors,
    );
    expect(pod).toMatchObject({
      ok: true,
      value: {
        namespace: 'team',
        annotations: { 'nvidia.com/use-gputype': 'A100' },
        containers: [{ limits: gpuLimits({ count: 2, memoryMiB: 4096, corePercent: 30 }) }],
      },
    });
  });
});

describe('the text', () => {
  const pod = { namespace: 'team', name: 'p' };
  const text = (plan: Parameters<typeof planText>[0]['plan']) =>
    planText({ pod, plan, withoutController: [] });

  it('says when it does not know whether a shorter list is there', () => {
    const share = { vendor: 'NVIDIA', deviceId: 'g', memoryMiB: 1, corePercent: 0 };
    const move = { ...pod, podUid: 'u', from: 'a', to: 'b', held: [[share]], allocation: [[share]] };
    const plan = {
      kind: 'moves',
      moves: [move],
      node: 'a',
      allocation: [[share]],
      isShortest: false,
    } as const;
    expect(text(plan)).toContain('(the shortest list that was found; there may be a shorter one)');
  });

  it.each([
    { name: 'no nodes', plan: { kind: 'never' } as const, want: / There are no nodes\.\n$/ },
    {
      name: 'a host that is too small',
      plan: { kind: 'never', refusal: { code: 'HostInsufficientCpu' } } as const,
      want: / Most say: HostInsufficientCpu\.\n$/,
    },
    {
      name: 'what cannot be understood',
      plan: { kind: 'invalid', problems: ['gpumem: "x"'] } as const,
      want: /^What team\/p asks for cannot be understood: gpumem: "x"\.\n$/,
    },
  ])('names $name', ({ plan, want }) => {
    expect(text(plan)).toMatch(want);
  });
});
