/**
 * A worker thread of the simulation: reads the inputs, says that it is ready, and makes the runs it is given one after
 * the other. It prints nothing; whatever happens is a message.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { makeRun } from './one-run.ts';
import { readScenario, type ScenarioOptions } from './scenario.ts';
import type { RunOrder, WorkerMessage } from './worker-messages.ts';

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

const scenario = readScenario(workerData as ScenarioOptions);
if (!scenario.ok) {
  say({ kind: 'refused', problem: scenario.problem });
} else {
  const { facts, inputs } = scenario.value;
  parentPort?.on('message', (request: RunOrder) => {
    const report = makeRun(scenario.value, request, {
      nowMs: () => performance.now(),
      onProgress: (part) => {
        say({ kind: 'progress', part });
      },
    });
    say(report.ok ? { kind: 'done', report: report.value } : { kind: 'failed', problem: report.problem });
  });
  say({ kind: 'ready', facts, warnings: inputs.warnings });
}
