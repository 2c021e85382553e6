/** One thread of the pool: makes the runs that it is sent, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { Experiment, type Run } from './experiment.ts';

const experiment = new Experiment(workerData as string);
parentPort?.on('message', (run: Run) => {
  parentPort?.postMessage(experiment.run(run));
});
