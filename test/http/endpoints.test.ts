/** Which routes answer on which address, with which certificate, and what refuses to open. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getSecurely, request as requestSecurely } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { type Endpoints, openAllInOne, openSeparate, type ServedParts } from '../../src/http/endpoints.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { MemoryWriter } from '../../src/scheduler/memory-writer.ts';
import { makeScheduler } from '../../src/scheduler/scheduler.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeAuthority, makeLeaf } from './certificates.ts';
import { replaceFile } from './replace-file.ts';
import { makeRecordingLog, metricValue } from './served-app.ts';

/** How often a server looks at its certificate files. */
const pollMs = 5000;

// Keys and sockets take their time on a busy machine.
jest.setTimeout(20_000);

const open: Endpoints[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoints) => endpoints.close()));
});

function makeParts(
  flags: Readonly<Record<string, unknown>>,
): ServedParts & ReturnType<typeof makeRecordingLog> {
  const loaded = loadConfig({ environment: {}, flags: { shutdownGraceSeconds: 0, ...flags } });
  if (!loaded.ok) throw new Error(loaded.problem);
  const { config } = loaded.value;
  const state = new DeviceState({ vendors: makeVendors(config), trustOf: () => 'as-written' });
  state.markSynced();
  const scheduler = makeScheduler({
    state,
    writer: new MemoryWriter(() => undefined),
    term: () => 'here/0/1',
    events: { emit: () => undefined },
    policies: policiesFrom(config, state.vendors),
    clock: systemClock,
    filterDeadlineMs: 1000,
    prioritizeDeadlineMs: 1000,
    bindBudgetMs: 25_000,
  });
  const metrics = makeMetrics({ processMetrics: false });
  const readiness = { notReadyBecause: () => undefined };
  return { config, state, scheduler, readiness, metrics, clock: systemClock, ...makeRecordingLog() };
}

async function mustOpen(opening: ReturnType<typeof openAllInOne>): Promise<Endpoints['urls']> {
  const endpoints = await opening;
  if (!endpoints.ok) throw new Error(endpoints.problem);
  open.push(endpoints.value);
  return endpoints.value.urls;
}

interface Seen {
  readonly status: number | undefined;
  readonly certificate: string | undefined;
}

/** The status of a GET, and the certificate that was shown; by default any is accepted. */
async function look(url: string, ca?: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? getSecurely : getPlain;
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
    get(url, { agent: false, ...trust }, (response) => {
      response.resume();
      const certificate = (response.socket as Partial<TLSSocket>).getPeerX509Certificate?.()?.toString();
      resolve({ status: response.statusCode, certificate });
    }).on('error', reject);
  });
}

/** Which of the routes that answer a GET are there. */
async function routesAt(url: string): Promise<readonly string[]> {
  const paths = ['/healthz', '/readyz', '/metrics', '/debug/state'];
  const seen = await Promise.all(paths.map(async (path) => ({ path, ...(await look(`${url}${path}`)) })));
  return seen.filter(({ status }) => status === 200).map(({ path }) => path);
}

describe('all in one', () => {
  it('answers everything on one plain address on loopback', async () => {
    const urls = await mustOpen(openAllInOne(makeParts({ listen: '127.0.0.1:0' }), true));
    expect(Object.keys(urls)).toEqual(['main']);
    expect(urls['main']).toMatch(/^http:\/\/127/);
    expect(await routesAt(urls['main'] ?? '')).toEqual(['/healthz', '/readyz', '/metrics', '/debug/state']);
    for (const path of ['/filter', '/prioritize', '/bind', '/webhook', '/simulate']) {
      const { status } = await fetch(`${urls['main'] ?? ''}${path}`, { method: 'POST', body: '{}' });
      expect({ path, known: status !== 404 }).toEqual({ path, known: true });
    }
  });

  it.each(['0.0.0.0:0', '[::]:0', ':0', '192.0.2.1:0', 'example.com:0'])(
    'serves no plain HTTP on %s, where others could listen in',
    async (listen) => {
      expect(await openAllInOne(makeParts({ listen }), true)).toEqual({
        ok: false,
        problem: `--insecure-http serves loopback addresses only, not ${listen}`,
      });
    },
  );

  it('serves a certificate of its own making where none is configured', async () => {
    const parts = makeParts({ listen: '127.0.0.1:0', tls: { names: ['tessera.example'] } });
    const urls = await mustOpen(openAllInOne(parts, false));
    const { status, certificate } = await look(`${urls['main'] ?? ''}/healthz`);
    expect(status).toBe(200);
    expect(certificate).toBeDefined();
    expect(parts.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringMatching(/no client trusts/) as unknown,
      }),
    ]);
  });

  it('names the address that it cannot have, and holds nothing', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const endpoints = await openAllInOne(makeParts({ listen: `127.0.0.1:${port}` }), true);
    expect(endpoints).toEqual({
      ok: false,
      problem: expect.stringMatching(
        `^cannot listen on 127.0.0.1:${port} \\(main\\): .*EADDRINUSE`,
      ) as unknown,
    });
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('separate addresses', () => {
  it('are plain HTTP on any address where that is asked for, with the verbs beside the webhook', async () => {
    const parts = makeParts({ listen: '0.0.0.0:0', listenExtender: '', listenMetrics: '' });
    const urls = await mustOpen(openSeparate({ ...parts, plainHttp: true }));
    expect(Object.keys(urls)).toEqual(['main']);
    const url = (urls['main'] ?? '').replace('0.0.0.0', '127.0.0.1');
    expect(new URL(url).protocol).toBe('http:');
    expect(await routesAt(url)).toEqual(['/healthz', '/readyz', '/debug/state']);
    for (const path of ['/filter', '/prioritize', '/bind', '/webhook', '/simulate']) {
      const { status } = await fetch(`${url}${path}`, { method: 'POST', body: '{}' });
      expect({ path, known: status !== 404 }).toEqual({ path, known: true });
    }
  });

  it('answer each their own routes', async () => {
    const parts = makeParts({
      listen: '127.0.0.1:0',
      listenExtender: '127.0.0.1:0',
      listenMetrics: '127.0.0.1:0',
    });
    const { main = '', extender = '', metrics = '' } = await mustOpen(openSeparate(parts));
    expect([main, extender, metrics].map((url) => new URL(url).protocol)).toEqual([
      'https:',
      'http:',
      'http:',
    ]);
    expect(await routesAt(main)).toEqual(['/healthz', '/readyz', '/debug/state']);
    expect(await routesAt(extender)).toEqual(['/healthz', '/readyz']);
    expect(await routesAt(metrics)).toEqual(['/healthz', '/readyz', '/metrics']);
    const status = async (url: string) => (await fetch(url, { method: 'POST', body: '{}' })).status;
    expect(await status(`${extender}/filter`)).toBe(200);
    expect(await status(`${extender}/webhook`)).toBe(404);
    expect(await status(`${metrics}/filter`)).toBe(404);
  });

  it('are left out where their key is empty', async () => {
    const parts = makeParts({ listen: '127.0.0.1:0', listenExtender: '', listenMetrics: '' });
    expect(Object.keys(await mustOpen(openSeparate(parts)))).toEqual(['main']);
  });

  it('open all or none: what opened before the one that failed is closed again', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port: freePort } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));

    const endpoints = await openSeparate(
      makeParts({ listen: `127.0.0.1:${freePort}`, listenExtender: '', listenMetrics: `127.0.0.1:${port}` }),
    );
    expect(endpoints).toEqual({ ok: false, problem: expect.stringMatching(/\(metrics\)/) as unknown });
    await expect(look(`https://127.0.0.1:${freePort}/healthz`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('certificate files', () => {
  it('that cannot be served stop the start, with their name', async () => {
    const parts = makeParts({
      listen: '127.0.0.1:0',
      tls: { certFile: '/nowhere/a', keyFile: '/nowhere/b' },
    });
    expect(await openAllInOne(parts, false)).toEqual({
      ok: false,
      problem: expect.stringMatching(/^certificate \/nowhere\/a: .*ENOENT/) as unknown,
    });
  });

  it('are followed: a broken pair leaves the former in place, a good one replaces it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tessera-endpoints-'));
    const [certFile, keyFile] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
    const authority = await makeAuthority();
    const [first, second] = await Promise.all([makeLeaf(authority), makeLeaf(authority)]);
    replaceFile(certFile, first.certificate);
    replaceFile(keyFile, first.key);
    const clock = new ManualClock(Date.now());
    const parts = { ...makeParts({ listen: '127.0.0.1:0', tls: { certFile, keyFile } }), clock };
    const { main = '' } = await mustOpen(openAllInOne(parts, false));
    const shown = async () => (await look(`${main}/healthz`, authority.certificate)).certificate;
    expect(await shown()).toBe(first.certificate);
    const expiry = await metricValue(parts.metrics, 'tessera_certificate_expiry_timestamp_seconds');
    expect(expiry).toBeGreaterThan(Date.now() / 1000);

    replaceFile(certFile, 'not a certificate');
    clock.advance(pollMs);
    await parts.heard('new certificate not taken, the former stays');
    expect(await shown()).toBe(first.certificate);

    replaceFile(certFile, second.certificate);
    replaceFile(keyFile, second.key);
    clock.advance(pollMs);
    await parts.heard('certificate replaced');
    expect(await shown()).toBe(second.certificate);
    rmSync(directory, { recursive: true });
  });
});

describe('the extender on the main address', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-clients-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  interface Caller {
    readonly cert?: string;
    readonly key?: string;
  }

  /** The status of a filter call over TLS, with a client certificate or without. */
  async function filterStatus(url: string, caller: Caller = {}): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const call = requestSecurely(
        `${url}/filter`,
        { method: 'POST', agent: false, rejectUnauthorized: false, ...caller },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      call.on('error', reject);
      call.end('{}');
    });
  }

  it('is not there while kube-scheduler calls from the same pod', async () => {
    const urls = await mustOpen(
      openSeparate(makeParts({ listen: '127.0.0.1:0', listenExtender: '127.0.0.1:0', listenMetrics: '' })),
    );
    expect(await filterStatus(urls['main'] ?? '')).toBe(404);
  });

  it('answers callers of the configured authority alone', async () => {
    const [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority()]);
    const clientCaFile = join(folder, 'clients.crt');
    writeFileSync(clientCaFile, authority.certificate);
    const urls = await mustOpen(
      openSeparate(
        makeParts({ listen: '127.0.0.1:0', listenExtender: '', listenMetrics: '', tls: { clientCaFile } }),
      ),
    );
    const callerOf = async (pair: typeof authority) => {
      const { certificate, key } = await makeLeaf(pair);
      return { cert: certificate, key };
    };
    const url = urls['main'] ?? '';
    expect(await filterStatus(url)).toBe(403);
    expect(await filterStatus(url, await callerOf(stranger))).toBe(403);
    expect(await filterStatus(url, await callerOf(authority))).toBe(200);
    // The API server shows no certificate when it calls the webhook.
    expect((await look(`${url}/healthz`)).status).toBe(200);
  });

  it('does not open without the file of the authority', async () => {
    const tls = { clientCaFile: join(folder, 'none.crt') };
    const parts = makeParts({ listen: '127.0.0.1:0', listenExtender: '', listenMetrics: '', tls });
    expect(await openSeparate(parts)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^tls\.clientCaFile: .*none\.crt: cannot be read: ENOENT/) as unknown,
    });
  });
});
