/** What a simulation answers on clusters small enough to be worked out by hand, and what it refuses to answer. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import type { SimulationInputOptions } from '../../src/commands/simulate/inputs.ts';
import { makeRun } from '../../src/commands/simulate/one-run.ts';
import { reportJson } from '../../src/commands/simulate/report-json.ts';
import type { RunRequest } from '../../src/commands/simulate/run-report.ts';
import { readScenario } from '../../src/commands/simulate/scenario.ts';
import {
  contradictionIn,
  parseLoad,
  parseSeeds,
  parseWorkers,
  policiesWith,
} from '../../src/commands/simulate/simulate-flags.ts';
import { answerWhatIf, type WhatIfAsked } from '../../src/commands/simulate/what-if.ts';
import { whatIfJson, whatIfText } from '../../src/commands/simulate/what-if-text.ts';
import { loadConfig } from '../../src/config/load.ts';
import { policyNames } from '../../src/simulator/policy.ts';
import { makeTemporaryFiles } from '../config/temporary-files.ts';

const write = makeTemporaryFiles();
const loaded = loadConfig({ environment: {}, flags: {} });
if (!loaded.ok) throw new Error(loaded.problem);
const { config } = loaded.value;

const nodeHead = 'sn,cpu_milli,memory_mib,gpu,model';
const podHead = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time';
const csv = (name: string, head: string, ...rows: readonly string[]) =>
  write(name, `${[head, ...rows].join('\n')}\n`);

const nodes = csv('nodes.csv', nodeHead, 'n0,32000,65536,2,T4');
const pods = csv(
  'pods.csv',
  podHead,
  'half,1000,1024,1,500,,0,100',
  'whole,1000,1024,1,1000,,50,12902960',
  'typed,1000,1024,1,500,P100,60,12902960',
);
const order = write('orders.jsonl', '{"seed":42,"arrivals":[0,0,1,2,1],"nodeRank":[0]}\n');

/** The document of one run, as the command prints it. */
function documentOf(options: Omit<SimulationInputOptions, 'config'>, request: RunRequest): unknown {
  const scenario = readScenario({ config, ...options });
  if (!scenario.ok) throw new Error(scenario.problem);
  let nowMs = 0;
  const run = makeRun(scenario.value, request, { nowMs: () => (nowMs += 250) });
  if (!run.ok) throw new Error(run.problem);
  const { facts, arrivals } = scenario.value;
  return (JSON.parse(reportJson({ facts, arrivals, runs: [run.value] })) as { runs: unknown[] }).runs[0];
}

describe('a run', () => {
  it.each([
    // Two halves on one card leave the other to a whole one.
    { policy: 'bestfit', want: { '0.2': null, '0.3': 25, '0.5': 50, '1.0': 100, '1.5': 100 }, placed: 3 },
    { policy: 'fgd', want: { '0.2': null, '0.3': 25, '0.5': 50, '1.0': 100, '1.5': 100 }, placed: 3 },
    // On two cards they leave it none.
    { policy: 'spread', want: { '0.2': null, '0.3': 25, '0.5': 50, '1.0': 50, '1.5': 50 }, placed: 2 },
  ] as const)('reads the curve of $policy at parts of the demand', ({ policy, want, placed }) => {
    expect(documentOf({ nodes, pods, order, load: 1.5 }, { policy, seed: 42 })).toMatchObject({
      policy,
      seed: 42,
      allocation: want,
      arrived: 5,
      placed,
      arrivedPercent: 175,
      seconds: 0.25,
      decisionsPerSecond: 20,
    });
  });

  it('counts unplaced pods by reason', () => {
    const document = documentOf({ nodes, pods, order, load: 1.5 }, { policy: 'bestfit', seed: 42 });
    expect(document).toMatchObject({
      unplaced: { all: 2, byReason: { CardTypeMismatch: 1, CardInsufficientMemory: 1 } },
    });
  });

  it('lets pods come and leave by the times of their trace', () => {
    // Half a card from 0, a whole one more from 50 on, and at 60 the last, which fits nowhere.
    expect(documentOf({ nodes, pods, times: true }, { policy: 'binpack', seed: 1 })).toMatchObject({
      timed: { peak: 75, mean: Math.round(((25 * 50 + 75 * 10) / 60) * 1e4) / 1e4, placedShare: 66.6667 },
      unplaced: { all: 1, byReason: { CardTypeMismatch: 1 } },
    });
  });

  it('weighs over time what pods give back', () => {
    const leaving = csv(
      'leaving.csv',
      podHead,
      'a,0,0,1,1000,,0,40',
      'b,0,0,1,1000,,10,20',
      'c,0,0,1,500,,100,110',
    );
    // A card for 40 seconds and another for 10, of two cards for 100.
    expect(documentOf({ nodes, pods: leaving, times: true }, { policy: 'binpack', seed: 1 })).toMatchObject({
      timed: { peak: 100, mean: 25, placedShare: 100 },
    });
  });

  it('counts as allocated what pods of a snapshot hold already', () => {
    const register = JSON.stringify([
      { id: 'g0', count: 10, devmem: 1000, devcore: 100, type: 'NVIDIA-T4', health: true },
      { id: 'g1', index: 1, count: 10, devmem: 1000, devcore: 100, type: 'NVIDIA-T4', health: true },
    ]);
    const amounts = { cpu: '32', memory: '64Gi', pods: '110', 'nvidia.com/gpu': '20' };
    const podOf = (name: string, extra: object, spec: object, status: object) => ({
      kind: 'Pod',
      metadata: { name, namespace: 'default', uid: name, ...extra },
      spec: {
        containers: [
          { name: 'main', resources: { limits: { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '500' } } },
        ],
        ...spec,
      },
      status,
    });
    const snapshot = write(
      'snapshot.json',
      JSON.stringify({
        kind: 'List',
        items: [
          {
            kind: 'Node',
            metadata: { name: 'n0', annotations: { 'hami.io/node-nvidia-register': register } },
            status: { capacity: amounts, allocatable: amounts },
          },
          podOf(
            'runs',
            {
              annotations: {
                'hami.io/vgpu-devices-allocated': 'g0,NVIDIA,500,0:;',
                'hami.io/vgpu-node': 'n0',
              },
            },
            { nodeName: 'n0' },
            { phase: 'Running' },
          ),
          podOf('waits', {}, {}, { phase: 'Pending' }),
        ],
      }),
    );
    expect(documentOf({ snapshot }, { policy: 'binpack', seed: 1 })).toMatchObject({
      arrived: 1,
      placed: 1,
      arrivedPercent: 25,
      allocatedPercent: 50,
    });
  });

  it('is made by every policy on the committed part of a trace', () => {
    const part = (name: string) => fileURLToPath(new URL(`../simulator/excerpt/${name}`, import.meta.url));
    const scenario = readScenario({
      config,
      nodes: part('nodes.csv'),
      pods: part('pods.csv'),
      order: part('orders.jsonl'),
      load: 1.3,
    });
    if (!scenario.ok) throw new Error(scenario.problem);
    const { facts, arrivals } = scenario.value;
    const runs = policyNames.map((policy) => {
      const run = makeRun(scenario.value, { policy, seed: 42 }, { nowMs: () => 0 });
      if (!run.ok) throw new Error(run.problem);
      return run.value;
    });
    const document = JSON.parse(reportJson({ facts, arrivals, runs })) as {
      readonly runs: readonly Readonly<Record<'allocation' | 'fragmentation', Record<string, number>>>[];
    };
    for (const { allocation, fragmentation } of document.runs) {
      expect(allocation['0.5']).toBeGreaterThan(40);
      expect(allocation['1.3']).toBeGreaterThan(allocation['0.5'] ?? 0);
      expect(allocation['1.3']).toBeLessThanOrEqual(100);
      // The whole of what is idle at most.
      expect(fragmentation['1.3']).toBeGreaterThan(0);
      expect(fragmentation['1.3']).toBeLessThanOrEqual(100 - (allocation['1.3'] ?? 0) + 1e-4);
    }
  });
});

interface Question extends Omit<SimulationInputOptions, 'config'> {
  readonly asked: WhatIfAsked;
}

function answerOf({ asked, ...options }: Question) {
  return answerWhatIf({ asked, options: { config, ...options }, policies: ['bestfit', 'spread'], seed: 1 });
}

function textOf(question: Question): string {
  const answer = answerOf(question);
  if (!answer.ok) throw new Error(answer.problem);
  return whatIfText(answer.value);
}

const howMany = { kind: 'how-many' } as const;
const half = csv('half.csv', podHead, 'half,1000,1024,1,500,,,');

describe('how many pods fit', () => {
  it('is told of copies of one', () => {
    expect(textOf({ asked: howMany, nodes, pods: half })).toBe(`On 2 cards on 1 node, for 1 pod:
bestfit: 4 copies fit; then CardInsufficientMemory (1 node).
spread: 4 copies fit; then CardInsufficientMemory (1 node).
`);
  });

  it('is told of several in turn', () => {
    const two = csv('two.csv', podHead, 'a,1000,1024,1,500,,,', 'b,1000,1024,1,250,,,');
    expect(textOf({ asked: howMany, nodes, pods: two })).toContain(
      'bestfit: 5 pods fit, 2 times all 2; then CardInsufficientMemory (1 node).',
    );
  });

  it('ends where a node takes no more pods, though these ask for nothing', () => {
    const none = csv('none.csv', podHead, 'none,0,0,0,0,,,');
    expect(textOf({ asked: howMany, nodes, pods: none })).toContain(
      'bestfit: 1001 copies fit; then HostTooManyPods (1 node).',
    );
  });

  it('is a document, too', () => {
    const answer = answerOf({ asked: howMany, nodes, pods: half });
    if (!answer.ok) throw new Error(answer.problem);
    expect(JSON.parse(whatIfJson(answer.value))).toMatchObject({
      version: 1,
      question: 'how-many',
      cluster: { nodes: 1, cards: 2 },
      answers: [
        {
          policy: 'bestfit',
          placed: 4,
          sets: 4,
          refusals: [{ reason: 'CardInsufficientMemory', nodes: 1 }],
        },
        { policy: 'spread' },
      ],
    });
  });
});

describe('how many nodes pods need', () => {
  const shape = csv('shape.csv', nodeHead, 'new,32000,65536,1,P100');
  const three = csv('three.csv', podHead, 'a,0,0,1,1000,P100,,', 'b,0,0,1,600,P100,,', 'c,0,0,1,600,,,');
  const asked = { kind: 'add-node', file: shape } as const;

  it.each([
    {
      name: 'beside those there are',
      options: { nodes },
      want: 'On 2 cards on 1 node, for 3 pods:\nbestfit: 2 more nodes for 3 of 3 pods.\n',
    },
    {
      name: 'where there is none yet',
      options: {},
      want: 'On no node yet, for 3 pods:\nbestfit: 3 more nodes for 3 of 3 pods.\n',
    },
  ])('is told $name', ({ options, want }) => {
    expect(textOf({ asked, pods: three, ...options })).toContain(want);
  });

  it('is told with the pods that no such node helps', () => {
    const other = csv('other.csv', podHead, 'a,0,0,1,1000,P100,,', 'b,0,0,1,600,V100,,', 'c,0,0,2,1000,,,');
    expect(textOf({ asked, pods: other })).toMatch(
      /bestfit: 1 more node for 1 of 3 pods; the others fit no such node: \w+ 1, \w+ 1\./,
    );
  });
});

describe('a wrong use', () => {
  const bare = write('bare.json', JSON.stringify({ kind: 'Node', metadata: { name: 'n' } }));
  const without = csv('without.csv', nodeHead, 'n0,32000,65536,0,');

  it.each([
    {
      name: 'a file that there is not',
      options: { nodes, pods: '/nowhere/pods.csv' },
      want: '/nowhere/pods.csv: ',
    },
    {
      name: 'a load that the order does not reach',
      options: { nodes, pods, order, load: 5 },
      want: 'does not reach a load of 5',
      atRun: true,
    },
    {
      name: 'a seed without an order',
      options: { nodes, pods, order },
      seed: 44,
      want: 'no order for seed 44; there are 42',
      atRun: true,
    },
    { name: 'no cluster', options: { pods }, want: '--nodes' },
    {
      name: 'a snapshot without cards',
      options: { snapshot: bare, pods: half },
      want: `${bare}: no node has a card of a family that is configured`,
    },
    {
      name: 'a trace without cards',
      options: { nodes: without, pods: half },
      want: `${without}: no node has a card of a family that is configured`,
    },
  ])('is refused: $name', ({ options, want, seed = 42, atRun = false }) => {
    const scenario = readScenario({ config, ...options });
    expect(scenario.ok).toBe(atRun);
    const result = scenario.ok
      ? makeRun(scenario.value, { policy: 'binpack', seed }, { nowMs: () => 0 })
      : scenario;
    expect(result).toEqual({ ok: false, problem: expect.stringContaining(want) });
  });

  it.each([
    {
      name: 'more nodes than one',
      file: csv('pair.csv', nodeHead, 'a,1,1,1,T4', 'b,1,1,1,T4'),
      want: 'pair.csv: holds 2 nodes; wanted is the one that more would look like',
    },
    { name: 'no node', file: write('empty.json', '{"kind":"List","items":[]}'), want: 'holds 0 nodes' },
    { name: 'no file', file: '/nowhere/node.json', want: '/nowhere/node.json: ' },
  ])('is refused as a shape: $name', ({ file, want }) => {
    expect(answerOf({ asked: { kind: 'add-node', file }, pods: half })).toEqual({
      ok: false,
      problem: expect.stringContaining(want),
    });
  });
});

describe('a flag', () => {
  it.each([
    { name: 'one policy', read: () => policiesWith('fgd'), want: ['fgd'] },
    { name: 'one more policy', read: () => policiesWith('random', ['fgd']), want: ['fgd', 'random'] },
    { name: 'a policy twice', read: () => policiesWith('fgd,fgd', ['fgd']), want: ['fgd'] },
    { name: 'all policies', read: () => policiesWith('all'), want: policyNames },
    { name: 'one seed', read: () => parseSeeds('42'), want: [42] },
    { name: 'lists and ranges of seeds', read: () => parseSeeds('1,42-44,43'), want: [1, 42, 43, 44] },
    { name: 'a load', read: () => parseLoad('1.3'), want: 1.3 },
    { name: 'a load in hundredths', read: () => parseLoad('0.29'), want: 0.29 },
    { name: 'workers', read: () => parseWorkers('3'), want: 3 },
  ])('is read: $name', ({ read, want }) => {
    expect(read()).toEqual(want);
  });

  const seeds = 'Write up to 1000 whole numbers, as in 42, 42,43 or 42-51.';
  const load =
    "Write how many times the cluster's cards are asked for, 0.01 to 10 in hundredths; 1.3 is 130 %.";
  it.each([
    {
      name: 'no policy',
      read: () => policiesWith('best'),
      want: `There is no policy "best"; there are ${policyNames.join(', ')}, and all.`,
    },
    { name: 'a load of nothing', read: () => parseLoad('0'), want: load },
    { name: 'a load finer than the figures', read: () => parseLoad('1.333'), want: load },
    { name: 'a load beyond sense', read: () => parseLoad('10.01'), want: load },
    { name: 'a load in other words', read: () => parseLoad('1e0'), want: load },
    { name: 'a range of seeds that ends before it begins', read: () => parseSeeds('43-42'), want: seeds },
    { name: 'an empty seed', read: () => parseSeeds('42,'), want: seeds },
    { name: 'too many seeds', read: () => parseSeeds('0-999,2000'), want: seeds },
    { name: 'too many at once', read: () => parseSeeds('0-9007199254740991'), want: seeds },
    { name: 'no worker', read: () => parseWorkers('0'), want: 'Write a whole number from 1 to 256.' },
  ])('is refused in a sentence: $name', ({ read, want }) => {
    expect(read).toThrow(new InvalidArgumentError(want));
  });

  const seeded = { seeds: [42] };
  it.each([
    { name: 'a comparison', flags: { load: 1.3, csv: 'x' }, want: undefined },
    { name: 'one question', flags: { howMany: true, json: true }, want: undefined },
    {
      name: 'two questions',
      flags: { howMany: true, addNode: 'x' },
      want: 'ask one of --how-many and --add-node',
    },
    { name: 'a load of copies', flags: { howMany: true, load: 1 }, want: '--load has no part in --how-many' },
    {
      name: 'a page of nodes',
      flags: { addNode: 'x', report: 'y' },
      want: '--report has no part in --add-node',
    },
  ])('is not passed over: $name', ({ flags, want }) => {
    expect(contradictionIn({ ...seeded, ...flags })).toBe(want);
  });
});
