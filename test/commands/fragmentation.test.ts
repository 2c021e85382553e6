/** `tessera fragmentation`: its figures on a cluster worked out by hand, what it prints, and how it ends. */
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  fragmentationOf,
  type FragmentationReport,
} from '../../src/commands/fragmentation/fragmentation-report.ts';
import { fragmentationJson, fragmentationText } from '../../src/commands/fragmentation/fragmentation-text.ts';
import { lookAtCluster } from '../../src/commands/looked-at-cluster.ts';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';
import { allocationAnnotations } from '../state/support/device-states.ts';
import { makeTemporaryFiles } from '../config/temporary-files.ts';
import { Tessera } from './child-process.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const fileOf = makeTemporaryFiles();

const cardMiB = 8000;

function nodeOf(name: string, type: string) {
  const devices = [0, 1].map((index) => ({ id: `${name}-${index}`, index, type, memoryMiB: cardMiB }));
  return makeNodeObject({ name, devices });
}

/** Holds half of a card. */
function halfOn(node: string, card: number) {
  const value = `${node}-${card},NVIDIA,4000,50:;`;
  return makePod({
    name: `half-${node}-${card}`,
    nodeName: node,
    phase: 'Running',
    annotations: allocationAnnotations(node, value),
    containers: [{ limits: gpuLimits({ count: 1, memoryMiB: 4000, corePercent: 50 }), state: 'running' }],
  });
}

/** Four cards of two types, each half used. */
const halves = fileOf(
  'halves.json',
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      nodeOf('a', 'NVIDIA A100'),
      nodeOf('b', 'NVIDIA L40S'),
      ...['a', 'b'].flatMap((node) => [halfOn(node, 0), halfOn(node, 1)]),
    ],
  }),
);
/** A quarter of the pods wants whole cards, the others half ones. */
const workload = fileOf(
  'workload.yaml',
  [
    'fragmentation:',
    '  workload:',
    '    - { cards: 1, memoryPercent: 100, cores: 100, weight: 1 }',
    '    - { cards: 1, memoryPercent: 50, cores: 50, weight: 3 }',
  ].join('\n'),
);

async function reportOf(flags: Parameters<typeof lookAtCluster>[0]): Promise<FragmentationReport> {
  const looked = await lookAtCluster(flags);
  if (!looked.ok) throw new Error(looked.problem);
  return fragmentationOf(looked.value);
}

describe('on half used cards', () => {
  let report: FragmentationReport;
  beforeAll(async () => {
    report = await reportOf({ snapshot: [halves], config: workload });
  });

  it('half of every card is idle, and of that a quarter is fragmented: all of it to a quarter of the pods', () => {
    expect(report).toMatchObject({ workload: 'given', nodes: 2 });
    expect(report.vendors).toEqual([
      expect.objectContaining({
        vendor: 'NVIDIA',
        cards: 4,
        wholeIdle: 0,
        idleMilli: 2000,
        fragmentedMilli: 500,
      }),
    ]);
    expect(report.vendors[0]?.types).toEqual(
      ['NVIDIA A100', 'NVIDIA L40S'].map((type) => ({
        type,
        cards: 2,
        wholeIdle: 0,
        idleMilli: 1000,
        fragmentedMilli: 250,
      })),
    );
  });

  it('four more halves fit, and no whole card, though two are free in sum', () => {
    const [half, whole] = report.vendors[0]?.classes ?? [];
    expect(half).toEqual({ words: '1x50%/50%', podsPercent: 75, uselessMilli: 0, fits: 4 });
    expect(whole).toMatchObject({ words: '1x100%/100%', podsPercent: 25, uselessMilli: 2000, fits: 0 });
    expect(whole?.scattered).toMatch(/free in sum, but on no single card/);
  });

  it('people get tables, with what is free in sum alone below', () => {
    const lines = fragmentationText(report).split('\n');
    expect(lines[0]).toBe('2 nodes, measured against the configured workload; amounts are in cards.');
    const cells = lines.map((line) => line.split(/ {2,}/));
    expect(cells).toContainEqual(['NVIDIA A100', '2', '0', '1.00', '0.25', '25.0 %']);
    expect(cells).toContainEqual(['all', '4', '0', '2.00', '0.50', '25.0 %']);
    expect(cells).toContainEqual(['1x50%/50%', '75.0 %', '4', '0.00', '0.0 %']);
    expect(cells).toContainEqual(['1x100%/100%', '25.0 %', '0', '2.00', '100.0 %']);
    expect(lines.find((line) => line.startsWith('No more of 1x100%/100% fit: '))).toMatch(
      / on no single card/,
    );
  });

  it('machines get one document, whose ratio is that of the gauge', () => {
    expect(JSON.parse(fragmentationJson(report))).toMatchObject({
      version: 1,
      workload: 'given',
      vendors: [{ vendor: 'NVIDIA', ratio: 0.25, idleMilli: 2000 }],
    });
  });
});

describe('the workload', () => {
  it('is that of the pods where none is given', async () => {
    const report = await reportOf({ snapshot: [halves] });
    expect(report.workload).toBe('learnt');
    const classes = report.vendors[0]?.classes ?? [];
    // Beside what is assumed for as long as few pods were seen.
    expect(classes.find(({ words }) => /^1x\d+MiB\/50%$/.test(words))).toMatchObject({
      fits: 4,
      uselessMilli: 0,
    });
  });
});

describe('without cards', () => {
  it('it says so', async () => {
    const file = fileOf('plain.json', JSON.stringify({ kind: 'List', items: [makeNodeObject(), makePod()] }));
    expect(fragmentationText(await reportOf({ snapshot: [file] }))).toBe('No cards on 1 node.\n');
  });
});

describe('as a process', () => {
  const run = (...args: readonly string[]) => new Tessera(['fragmentation', ...args]).ended();

  it('it prints and ends with 0', async () => {
    const { code, stdout, stderr } = await run('--snapshot', halves, '--config', workload, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ vendors: [{ fragmentedMilli: 500 }] });
  });

  it('it ends with 2 where it cannot look', async () => {
    const broken = fileOf('broken.json', JSON.stringify({ kind: 'List', items: [{ kind: 'Pod', spec: 7 }] }));
    const { code, stdout, stderr } = await run('--snapshot', halves, broken);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^tessera: Pod .*: spec: must be object/);
  });
});
