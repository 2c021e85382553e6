/**
 * A cluster for one test file: started before its scenarios, stopped after them whatever happened. When a scenario
 * fails, the last lines of the cluster's processes stand beside the failure.
 */
import { afterAll, beforeAll, it } from '@jest/globals';
import { Cluster, type ClusterOptions } from './cluster.ts';

export type Scenario = (name: string, run: (cluster: Cluster) => Promise<void>, timeoutMs?: number) => void;

/** @param setUp what the file's scenarios need of the cluster; what it starts is to be stopped by `Cluster.onStop` */
export function useCluster(
  setUp: (cluster: Cluster) => Promise<void>,
  options: ClusterOptions = {},
): Scenario {
  let started: Cluster | undefined;

  async function withLogs<T>(name: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      console.error(`${name}:\n${(await started?.lastLines()) ?? 'the cluster did not start'}`);
      throw error;
    }
  }

  beforeAll(() =>
    withLogs('setting up', async () => {
      started = await Cluster.start(options);
      await setUp(started);
    }),
  );

  afterAll(async () => {
    await started?.stop();
  });

  return (name, run, timeoutMs) => {
    it(
      name,
      () =>
        withLogs(name, async () => {
          if (started === undefined) throw new Error('the cluster did not start');
          await run(started);
        }),
      timeoutMs,
    );
  };
}
