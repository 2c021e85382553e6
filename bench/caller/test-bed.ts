/** Everything a benchmark of the served verbs needs, each part in a process of its own: cluster, server and floor. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NodePolicy } from '../../src/model/request.ts';
import { type Child, startChild } from '../processes/child.ts';
import type { ClusterAnswers, OpenedCluster } from '../processes/cluster-process.ts';
import type { FloorAnswers } from '../processes/floor-process.ts';
import { epochMs } from '../processes/marked-client.ts';
import type { ServerAnswers } from '../processes/server-process.ts';
import type { ClusterSize } from '../workload/cluster.ts';
import { Connection } from './connection.ts';

export interface TestBed {
  readonly cluster: Child<ClusterAnswers>;
  readonly server: Child<ServerAnswers>;
  readonly opened: OpenedCluster;
  /** Where the server answers, by purpose. */
  readonly urls: Readonly<Record<string, string>>;
  readonly floorUrl: string;
  /** From the start of the server's process until it said that it is ready. */
  readonly readyMs: number;
}

export type TestBedSettings = ClusterSize & {
  /** That of the server; its default where it is left out. */
  readonly nodePolicy?: NodePolicy;
};

/** A quarter of a million pods of 20,000 nodes, with their texts; smaller clusters take what they need. */
const clusterHeapMiB = 10_240;
const readyPollMs = 10;
const readyTimeoutMs = 300_000;

/** Sets everything up, hands it to `use`, and ends all processes whatever happens. */
export async function withTestBed<T>(
  { nodePolicy, ...size }: TestBedSettings,
  use: (bed: TestBed) => Promise<T>,
): Promise<T> {
  const cluster = startChild<ClusterAnswers>(
    new URL('../processes/cluster-process.ts', import.meta.url),
    clusterHeapMiB,
  );
  const floor = startChild<FloorAnswers>(new URL('../processes/floor-process.ts', import.meta.url));
  let server: Child<ServerAnswers> | undefined;
  try {
    const [opened, floorUrl] = await Promise.all([cluster.ask('open', size), floor.ask('start', undefined)]);
    const startedMs = epochMs();
    server = startChild<ServerAnswers>(new URL('../processes/server-process.ts', import.meta.url));
    const urls = await server.ask('start', {
      url: opened.url,
      ...(nodePolicy === undefined ? {} : { nodePolicy }),
    });
    const readyMs = (await whenReady(urls['extender'] ?? '')) - startedMs;
    return await use({ cluster, server, opened, urls, floorUrl, readyMs });
  } finally {
    await Promise.all([cluster.stop(), floor.stop(), server?.stop()]);
  }
}

/** When the server at this address is ready, in milliseconds since the epoch; waits for it. */
export async function whenReady(url: string): Promise<number> {
  const connection = new Connection(url);
  const deadlineMs = epochMs() + readyTimeoutMs;
  try {
    while (epochMs() < deadlineMs) {
      const ready = await connection.get('/readyz').then(
        () => true,
        // Any other status, until it is.
        () => false,
      );
      if (ready) return epochMs();
      await pause(readyPollMs);
    }
    throw new Error(`the server was not ready within ${readyTimeoutMs / 1000} s`);
  } finally {
    connection.close();
  }
}
