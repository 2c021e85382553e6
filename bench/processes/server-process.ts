/**
 * The server under test, composed as `tessera serve` composes it on a cluster, with its log at the level of production.
 * It measures itself: what Node tells of its own HTTP calls gives the part of a bind that is not spent waiting for the
 * API server, and marks in watched objects tell how far behind the watches it is.
 */
import { serveCluster } from '../../src/commands/cluster-server.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import type { NodePolicy } from '../../src/model/request.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { required } from '../required.ts';
import { accessWith, type ApiLogin } from './api-login.ts';
import { BindMeter } from './bind-meter.ts';
import { BusyCounter } from './busy-counter.ts';
import { MarkedClient } from './marked-client.ts';
import { answerParent } from './parent.ts';
import { SelfMeter } from './self-meter.ts';
import { loadServerConfig } from './server-config.ts';

const meter = new SelfMeter();
const binds = new BindMeter();
const busy = new BusyCounter();
let client: MarkedClient | undefined;

const answers = { start, begin, end, whenSeen };
export type ServerAnswers = typeof answers;
answerParent(answers);

/** Resolves when it listens, which is before it is ready; answers the URLs by purpose. */
async function start({
  nodePolicy,
  ...api
}: ApiLogin & { readonly nodePolicy?: NodePolicy }): Promise<Readonly<Record<string, string>>> {
  const config = loadServerConfig(nodePolicy);
  client = new MarkedClient({ access: accessWith(api), clock: systemClock, version: 'bench' });
  const endpoints = await serveCluster({
    config,
    client,
    namespace: 'tessera-system',
    // The webhook, too: what TLS costs is the same for every server.
    plainHttp: true,
    log: makeLogger({ level: config.logLevel, destination: busy }),
  });
  return required(endpoints).urls;
}

async function begin(options: { readonly profile: boolean }): Promise<void> {
  binds.reset();
  busy.reset();
  await meter.begin(options);
}

async function end({ profileFile }: { readonly profileFile?: string }) {
  return { ...(await meter.end(profileFile)), bindOwnMs: binds.ownMs, busyBinds: busy.count };
}

/** When the mark was taken in by the state, in milliseconds since the epoch; waits for it. */
async function whenSeen(mark: string): Promise<number> {
  if (client === undefined) throw new Error('the server was not started');
  return client.whenSeen(mark);
}
