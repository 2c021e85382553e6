/** What kube-scheduler asks in a run: the server under test, the echo in its place, or nobody. */
import type { ApiLogin } from '../processes/api-login.ts';
import { startChild } from '../processes/child.ts';
import type { EchoAnswers } from '../processes/echo-process.ts';
import type { ProcessFigures } from '../processes/self-meter.ts';
import type { ServerAnswers } from '../processes/server-process.ts';
import { whenReady } from './test-bed.ts';

export type ExtenderKind = 'server' | 'echo' | 'none';

export interface ExtenderFigures extends ProcessFigures {
  /** Binds refused because their node was busy. */
  readonly busyBinds?: number;
}

export interface Extender {
  readonly url: string | undefined;
  /** Of the server under test: where its metrics are. */
  readonly metricsUrl?: string;
  begin(profile: boolean): Promise<void>;
  /** Figures since `begin`; undefined where there is no extender. */
  end(profileFile: string | undefined): Promise<ExtenderFigures | undefined>;
  stop(): Promise<void>;
}

/** Resolves when it is ready. */
export function startExtender(kind: ExtenderKind, login: ApiLogin): Promise<Extender> {
  switch (kind) {
    case 'server':
      return startServer(login);
    case 'echo':
      return startEcho(login);
    case 'none':
      return Promise.resolve({
        url: undefined,
        begin: () => Promise.resolve(),
        end: () => Promise.resolve(undefined),
        stop: () => Promise.resolve(),
      });
  }
}

async function startServer(login: ApiLogin): Promise<Extender> {
  const server = startChild<ServerAnswers>(new URL('../processes/server-process.ts', import.meta.url));
  const urls = await server.ask('start', login);
  const { extender: url = '', metrics: metricsUrl = '' } = urls;
  await whenReady(url);
  return {
    url,
    metricsUrl,
    begin: (profile) => server.ask('begin', { profile }),
    end: (profileFile) => server.ask('end', profileFile === undefined ? {} : { profileFile }),
    stop: () => server.stop(),
  };
}

async function startEcho(login: ApiLogin): Promise<Extender> {
  const echo = startChild<EchoAnswers>(new URL('../processes/echo-process.ts', import.meta.url));
  const url = await echo.ask('start', login);
  return {
    url,
    begin: () => echo.ask('begin', undefined),
    end: () => echo.ask('end', undefined),
    stop: () => echo.stop(),
  };
}
