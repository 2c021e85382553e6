/** The metrics page as a stream: it ends whole, or its connection breaks. */
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createApp } from '../../src/http/app.ts';
import { metricsRoute } from '../../src/http/probe-routes.ts';
import { makeRecordingLog } from './served-app.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Asks for a page that is made as the generator says. */
async function askFor(page: () => AsyncGenerator<string, void>) {
  const { log, lines } = makeRecordingLog();
  const app = createApp(
    [metricsRoute({ contentType: 'text/plain; version=0.0.4; charset=utf-8', page })],
    log,
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`http://127.0.0.1:${port}/metrics`, { agent: false }, resolve).on('error', reject);
  });
  return { response, lines };
}

async function* failingAfter(parts: readonly string[]): AsyncGenerator<string, void> {
  for (const part of parts) {
    yield part;
    await setImmediate();
  }
  throw new Error('no state');
}

describe('the metrics page', () => {
  it('has all its parts in order, however large', async () => {
    const parts = Array.from({ length: 200 }, (_, place) => `${place} `.repeat(5000));
    const { response } = await askFor(async function* () {
      for (const part of parts) yield await Promise.resolve(part);
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect((await text(response)) === parts.join('')).toBe(true);
  });

  it('is status 500 where nothing of it could be made', async () => {
    const { response } = await askFor(() => failingAfter([]));
    expect(response.statusCode).toBe(500);
    response.resume();
  });

  it('breaks the connection where it fails half-way, and says so in the log', async () => {
    const { response, lines } = await askFor(() => failingAfter(['a 1\n', 'b 2\n']));
    await expect(text(response)).rejects.toThrow('aborted');
    expect(lines).toMatchObject([{ level: 'error', message: 'request failed' }]);
  });

  it('ends without a word when the scraper has left', async () => {
    const left = Promise.withResolvers<undefined>();
    const ended = Promise.withResolvers<undefined>();
    const { response, lines } = await askFor(async function* () {
      try {
        yield 'a 1\n';
        await left.promise;
        for (;;) {
          yield 'b 2\n'.repeat(1000);
          await setImmediate();
        }
      } finally {
        ended.resolve(undefined);
      }
    });
    response.destroy();
    left.resolve(undefined);
    await ended.promise;
    await setImmediate();
    expect(lines).toEqual([]);
  });
});
