/** Runs on worker threads: results in the order asked, and every way in which a worker can fail told as a sentence. */
import { describe, expect, it, jest } from '@jest/globals';
import type { RunRequest } from '../../src/commands/simulate/run-report.ts';
import { runOnWorkers } from '../../src/commands/simulate/worker-pool.ts';
import type { PolicyName } from '../../src/simulator/policy.ts';

// Threads take their time to start on a machine that is busy.
jest.setTimeout(30_000);

/** A worker from source text, with the port at hand; it says it is ready, and does `onRun` with every request. */
function workerThat(
  onRun: string,
  first = `port.postMessage({ kind: 'ready', facts: workerData, warnings: [] });`,
): URL {
  const source = `
    import { parentPort as port, workerData, threadId } from 'node:worker_threads';
    const done = (request, more) => port.postMessage({ kind: 'done', report: { ...request, ...more } });
    port.on('message', (request) => { ${onRun} });
    ${first}`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

const requestsOf = (...policies: readonly PolicyName[]): readonly RunRequest[] =>
  policies.map((policy, index) => ({ policy, seed: index }));

const run = (entry: URL, requests: readonly RunRequest[], workers = 2) =>
  runOnWorkers({ entry, inputs: { nodes: 3 }, requests, workers });

describe('runs on worker threads', () => {
  it('come in the order asked, whichever ends first', async () => {
    // The first run is held back until the other worker has done the rest.
    const entry = workerThat(`
      const gate = new Int32Array(workerData.gate);
      if (request.seed === 0) Atomics.wait(gate, 0, 0);
      if (request.seed === 3) { Atomics.store(gate, 0, 1); Atomics.notify(gate, 0); }
      done(request, {});
    `);
    const requests = requestsOf('fgd', 'bestfit', 'random', 'spread');
    const inputs = { nodes: 3, gate: new SharedArrayBuffer(4) };
    const result = await runOnWorkers({ entry, inputs, requests, workers: 2 });
    expect(result).toMatchObject({ ok: true, value: { runs: requests, facts: { nodes: 3 } } });
  });

  it('never take more workers than there are runs', async () => {
    const result = await run(
      workerThat('done(request, { arrived: threadId })'),
      requestsOf('fgd', 'random'),
      64,
    );
    if (!result.ok) throw new Error(result.problem);
    const threads = result.value.runs.map(({ arrived }) => arrived);
    expect(Math.max(...threads) - Math.min(...threads)).toBeLessThanOrEqual(1);
  });

  it('tell how far all of them are together', async () => {
    const told: (readonly [number, number])[] = [];
    const entry = workerThat(`port.postMessage({ kind: 'progress', part: 0.5 }); done(request, {});`);
    await runOnWorkers({
      entry,
      inputs: {},
      requests: requestsOf('fgd', 'random'),
      workers: 1,
      onProgress: (...progress) => told.push(progress),
    });
    expect(told).toEqual([
      [0.25, 0],
      [0.5, 1],
      [0.75, 1],
      [1, 2],
    ]);
  });

  it.each([
    {
      name: 'inputs that cannot be read',
      entry: workerThat(
        '',
        `port.postMessage({ kind: 'refused', problem: 'pods.csv: no such file' }); port.unref();`,
      ),
      want: 'pods.csv: no such file',
    },
    {
      name: 'a run that cannot be made, with its name',
      entry: workerThat(`port.postMessage({ kind: 'failed', problem: 'no order for seed 1' })`),
      want: 'fgd, seed 0: no order for seed 1',
    },
    {
      name: 'an error in a run',
      entry: workerThat(`throw new Error('card 7 is in two places')`),
      want: 'fgd, seed 0: a worker failed: Error: card 7 is in two places',
    },
    {
      name: 'a module that cannot be loaded',
      entry: workerThat('', 'throw new Error("broken")'),
      want: 'a worker failed: Error: broken',
    },
    {
      name: 'a worker that ends in the middle of a run',
      entry: workerThat('process.exit(3)'),
      want: 'fgd, seed 0: a worker ended with code 3 before its work was done',
    },
    {
      name: 'a worker that ends before it has begun',
      entry: workerThat('', 'process.exit(0)'),
      want: 'a worker ended with code 0 before its work was done',
    },
  ])('end with $name', async ({ entry, want }) => {
    expect(await run(entry, requestsOf('fgd'), 1)).toEqual({ ok: false, problem: want });
  });

  it('end all when one fails', async () => {
    // The second worker would never come to an end by itself.
    const entry = workerThat(
      `if (request.seed === 0) port.postMessage({ kind: 'failed', problem: 'no' }); else for (;;);`,
    );
    expect(await run(entry, requestsOf('fgd', 'random'))).toEqual({ ok: false, problem: 'fgd, seed 0: no' });
  });
});
