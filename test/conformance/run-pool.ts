/** Many runs on a few threads. A run that throws ends all of them: its figures could not be compared anyway. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Run, RunFigures } from './experiment.ts';

const mostThreads = 2;

/** The figures in the order of the runs. */
export async function runAll(folder: string, runs: readonly Run[]): Promise<readonly RunFigures[]> {
  const done: RunFigures[] = [];
  const queue = runs.entries();
  const workers = Array.from(
    { length: Math.min(mostThreads, availableParallelism()) },
    () => new Worker(new URL('./run-worker.ts', import.meta.url), { workerData: folder }),
  );
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (const [index, run] of queue) done[index] = await runOn(worker, run);
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return done;
}

function runOn(worker: Worker, run: Run): Promise<RunFigures> {
  return new Promise((resolve, reject) => {
    const settle = () => worker.off('message', onFigures).off('error', onError);
    const onFigures = (figures: RunFigures) => {
      settle();
      resolve(figures);
    };
    const onError = (cause: unknown) => {
      settle();
      const { variant, policy, seed } = run;
      reject(new Error(`${policy} on ${variant}, seed ${seed}, failed`, { cause }));
    };
    worker.on('message', onFigures).on('error', onError);
    worker.postMessage(run);
  });
}
