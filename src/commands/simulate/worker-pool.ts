/**
 * Runs side by side on worker threads. Each worker reads the inputs itself, once, and is given one run after the other.
 * The results come in the order of the requests, whichever ends first; the first fault ends everything, because half a
 * comparison is none.
 */
import { Worker } from 'node:worker_threads';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { RunReport, RunRequest, ScenarioFacts } from './run-report.ts';
import type { WorkerMessage } from './worker-messages.ts';

export interface PoolJob {
  /** The module that a worker starts with. */
  readonly entry: URL;
  /** Handed to every worker as its `workerData`. */
  readonly inputs: unknown;
  readonly requests: readonly RunRequest[];
  /** At most; there are never more than runs. */
  readonly workers: number;
  /** Told how much of all runs is done, 0 to 1, and how many runs are. */
  readonly onProgress?: (part: number, runsDone: number) => void;
}

export interface PoolResult {
  readonly facts: ScenarioFacts;
  readonly warnings: readonly string[];
  /** In the order of the requests. */
  readonly runs: readonly RunReport[];
}

/** Refuses with the first fault of any worker, and names the run. All threads have ended when it answers. */
export async function runOnWorkers(job: PoolJob): Promise<Parsed<PoolResult>> {
  const { entry, inputs, requests } = job;
  const count = Math.max(1, Math.min(job.workers, requests.length));
  const workers = Array.from({ length: count }, () => new Worker(entry, { workerData: inputs }));
  try {
    return await new Promise((resolve) => {
      follow(workers, job, resolve);
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function follow(
  workers: readonly Worker[],
  { requests, onProgress }: PoolJob,
  resolve: (result: Parsed<PoolResult>) => void,
): void {
  const runs = new Array<RunReport | undefined>(requests.length);
  const parts = new Array<number>(requests.length).fill(0);
  let next = 0;
  let done = 0;
  for (const worker of workers) {
    let current: number | undefined;
    let ready: Pick<PoolResult, 'facts' | 'warnings'> | undefined;
    const progress = (part: number) => {
      if (current === undefined) return;
      parts[current] = part;
      onProgress?.(parts.reduce((sum, value) => sum + value, 0) / parts.length, done);
    };
    const refuse = (problem: string) => {
      const run = current === undefined ? undefined : requests[current];
      resolve(unparsable(run === undefined ? problem : `${run.policy}, seed ${run.seed}: ${problem}`));
    };
    const giveNext = () => {
      const request = requests[next];
      current = request === undefined ? undefined : next;
      if (request === undefined) return;
      next += 1;
      worker.postMessage(request);
    };
    worker.on('message', (message: WorkerMessage) => {
      switch (message.kind) {
        case 'ready':
          ready = message;
          giveNext();
          break;
        case 'progress':
          progress(message.part);
          break;
        case 'done':
          if (current === undefined || ready === undefined) break;
          runs[current] = message.report;
          done += 1;
          progress(1);
          if (done < requests.length) giveNext();
          else resolve(parsed({ ...ready, runs: runs.filter((run) => run !== undefined) }));
          break;
        case 'refused':
        case 'failed':
          refuse(message.problem);
          break;
      }
    });
    worker.on('error', (error: unknown) => {
      refuse(`a worker failed: ${String(error)}`);
    });
    // After an answer this changes nothing: a promise is resolved once.
    worker.on('exit', (code) => {
      refuse(`a worker ended with code ${code} before its work was done`);
    });
  }
}
