/** `tessera simulate` as people run it: the document, the tables, and a sentence for wrong uses. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { makeTemporaryFiles } from '../config/temporary-files.ts';
import { Tessera } from './child-process.ts';

// A process needs a second of its own, and more on a busy machine.
jest.setTimeout(60_000);

const write = makeTemporaryFiles();
/** Two cards on one node; two halves fit beside a whole one if they share a card. */
const nodes = write('nodes.csv', 'sn,cpu_milli,memory_mib,gpu,model\nn0,32000,65536,2,T4\n');
const pods = write(
  'pods.csv',
  [
    'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time',
    'half,1000,1024,1,500,,LS,Running,0,100,0',
    'whole,1000,1024,1,1000,,LS,Running,50,12902960,50',
    'typed,1000,1024,1,500,P100,LS,Running,60,12902960,60\n',
  ].join('\n'),
);
const order = write(
  'orders.jsonl',
  [
    '{"seed":42,"arrivals":[0,0,1,2,1],"nodeRank":[0]}',
    '{"seed":43,"arrivals":[1,1,2,2,2,1],"nodeRank":[0]}\n',
  ].join('\n'),
);
const workload = ['--nodes', nodes, '--pods', pods];
const ordered = [...workload, '--order', order];

const simulate = (...args: readonly string[]) => new Tessera(['simulate', ...args]).ended();

interface Document {
  readonly runs: readonly Record<string, unknown>[];
}

describe('tessera simulate', () => {
  it('prints one JSON document with the runs in the order asked', async () => {
    const { code, stdout, stderr } = await simulate(
      ...ordered,
      ...[
        '--policy',
        'spread',
        '--policy',
        'fgd',
        '--seeds',
        '42,43',
        '--load',
        '1.5',
        '--json',
        '--workers',
        '3',
      ],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { runs } = JSON.parse(stdout) as Document;
    expect(runs.map(({ policy, seed }) => ({ policy, seed }))).toEqual([
      { policy: 'spread', seed: 42 },
      { policy: 'spread', seed: 43 },
      { policy: 'fgd', seed: 42 },
      { policy: 'fgd', seed: 43 },
    ]);
    // Spread puts the halves on two cards, so that the whole one fits nowhere; FGD puts them on one.
    expect(runs[0]).toMatchObject({
      allocation: { '0.2': null, '0.3': 25, '1.0': 50, '1.5': 50 },
      arrived: 5,
      placed: 2,
    });
  });

  it('prints tables, and writes the files that are asked for', async () => {
    const file = join(dirname(nodes), 'curves.csv');
    const { code, stdout, stderr } = await simulate(...ordered, '--policy', 'binpack', '--csv', file);
    expect(stdout).toContain('2 cards on 1 node, 3 pods coming one after the other; 1 policy, 1 seed.');
    expect(stdout).toMatch(/^binpack +42 +50\.00 /m);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(file, 'utf8')).toMatch(/^policy,seed,/);
  });
});

describe('a wrong use of tessera simulate', () => {
  it.each([
    {
      name: 'a flag that cannot be read',
      args: [...ordered, '--policy', 'best'],
      want: 'There is no policy "best"; there are fragmentation, binpack, spread,',
    },
    {
      name: 'inputs that do not fit together, found by a worker',
      args: [...ordered, '--seeds', '42,44', '--policy', 'binpack'],
      want: `tessera: simulate: binpack, seed 44: ${order}: no order for seed 44; there are 42, 43`,
    },
    {
      name: 'a file that cannot be written, before anything is run',
      args: [...ordered, '--report', '/no/such/place/report.html'],
      want: 'tessera: simulate: /no/such/place/report.html: cannot be written: ',
    },
  ])('is told in a sentence: $name', async ({ args, want }) => {
    const { code, stdout, stderr } = await simulate(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(want);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
