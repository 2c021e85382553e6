/** What the command and its worker threads say to each other; all of it survives a structured clone. */
import type { RunReport, RunRequest, ScenarioFacts } from './run-report.ts';

/** From a worker. Having said `ready`, it waits for runs; having said `refused`, it ends. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly facts: ScenarioFacts; readonly warnings: readonly string[] }
  /** The inputs cannot be read. */
  | { readonly kind: 'refused'; readonly problem: string }
  /** How much of the present run is done, 0 to 1. */
  | { readonly kind: 'progress'; readonly part: number }
  | { readonly kind: 'done'; readonly report: RunReport }
  /** The present run cannot be made. */
  | { readonly kind: 'failed'; readonly problem: string };

/** To a worker: the next run. */
export type RunOrder = RunRequest;
