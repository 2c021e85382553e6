/** One socket over its life: keep-alive, certificates, and an end that lets answers finish. Real sockets, port 0. */
import {
  Agent,
  get,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { get as getSecurely } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { PemPair } from '../../src/certificates/pem.ts';
import { listen, type Listener, type ListenerOptions } from '../../src/http/listener.ts';
import { makeAuthority, makeLeaf } from './certificates.ts';

// Keys and sockets take their time on a busy machine.
jest.setTimeout(20_000);

const open: Listener[] = [];
const agents: Agent[] = [];

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await Promise.all(open.splice(0).map((listener) => listener.close(0)));
});

const hello: RequestListener = (_request, response) => response.end('hello');

async function start(options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const listener = await listen({
    app: hello,
    host: '127.0.0.1',
    port: 0,
    keepAliveSeconds: 100,
    ...options,
  });
  open.push(listener);
  return listener;
}

function makeAgent(): Agent {
  const agent = new Agent({ keepAlive: true });
  agents.push(agent);
  return agent;
}

async function fetchFrom(url: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, options, resolve).on('error', reject);
  });
}

/** Who answers at a secure address, by the certificate shown to a caller who trusts one authority. */
async function certificateAt(url: string, authority: PemPair): Promise<string> {
  return new Promise((resolve, reject) => {
    getSecurely(url, { ca: authority.certificate, agent: false }, (response) => {
      response.resume();
      resolve((response.socket as TLSSocket).getPeerX509Certificate()?.toString() ?? '');
    }).on('error', reject);
  });
}

/** An application whose answer ends when the test says so, and a promise that its request has arrived. */
function makeSlowApp() {
  const responses: ServerResponse[] = [];
  let app: RequestListener = hello;
  const arrived = new Promise<void>((resolve) => {
    app = (_request, response) => {
      response.write('first, ');
      responses.push(response);
      resolve();
    };
  });
  const finish = () => {
    for (const response of responses) response.end('last');
  };
  return { app, arrived, finish };
}

describe('a listener', () => {
  it('tells where it answers when the system chose the port', async () => {
    const { url } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(await text(await fetchFrom(url))).toBe('hello');
  });

  it('writes an IPv6 address in brackets', async () => {
    const { url } = await start({ host: '::1' });
    expect(url).toMatch(/^http:\/\/\[::1\]:[1-9]\d*$/);
    expect(await text(await fetchFrom(url))).toBe('hello');
  });

  it('rejects when the address is taken', async () => {
    const { url } = await start();
    await expect(start({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('keeps an idle connection longer than the 90 s of its caller, and says so', async () => {
    const { url } = await start();
    const agent = makeAgent();
    const response = await fetchFrom(url, { agent });
    const { localPort } = response.socket;
    expect(response.headers).toMatchObject({ connection: 'keep-alive', 'keep-alive': 'timeout=100' });
    await text(response);
    const again = await fetchFrom(url, { agent });
    expect(again.socket.localPort).toBe(localPort);
    await text(again);
  });
});

describe('closing', () => {
  it('lets the answer under way finish, and takes nobody new', async () => {
    const { app, arrived, finish } = makeSlowApp();
    const listener = await start({ app });
    const answering = fetchFrom(listener.url, { agent: false });
    await arrived;
    const closed = listener.close(60_000);
    await expect(fetchFrom(listener.url, { agent: false })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finish();
    expect(await text(await answering)).toBe('first, last');
    await closed;
  });

  it('ends as soon as the last answer has gone out, though its caller would keep the connection', async () => {
    const { app, arrived, finish } = makeSlowApp();
    const listener = await start({ app });
    const answering = fetchFrom(listener.url, { agent: makeAgent() });
    await arrived;
    const beganMs = performance.now();
    const closed = listener.close(4000);
    finish();
    await text(await answering);
    await closed;
    expect(performance.now() - beganMs).toBeLessThan(2000);
  });

  it('ends at once for connections that nothing is asked on', async () => {
    const listener = await start();
    await text(await fetchFrom(listener.url, { agent: makeAgent() }));
    const beganMs = performance.now();
    await listener.close(60_000);
    expect(performance.now() - beganMs).toBeLessThan(2000);
  });

  it('cuts an answer that does not finish within the grace', async () => {
    const { app, arrived } = makeSlowApp();
    const listener = await start({ app });
    const answering = fetchFrom(listener.url, { agent: false });
    await arrived;
    const response = await answering;
    const cut = expect(text(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await listener.close(10);
    await cut;
  });

  it('may be called twice', async () => {
    const listener = await start();
    await Promise.all([listener.close(10), listener.close(10)]);
    await listener.close(10);
  });
});

describe('a secure listener', () => {
  let authority: PemPair;
  let first: PemPair;
  let second: PemPair;

  beforeAll(async () => {
    authority = await makeAuthority();
    [first, second] = await Promise.all([makeLeaf(authority), makeLeaf(authority)]);
  });

  it('answers callers that trust the authority of its certificate', async () => {
    const { url } = await start({ tls: first });
    expect(url).toMatch(/^https:/);
    expect(await certificateAt(url, authority)).toBe(first.certificate);
  });

  it('is refused by callers that trust another authority', async () => {
    const { url } = await start({ tls: first });
    const other = await makeAuthority();
    await expect(certificateAt(url, other)).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });

  it('shows new callers a certificate that replaced its first one', async () => {
    const listener = await start({ tls: first });
    expect(await certificateAt(listener.url, authority)).toBe(first.certificate);
    listener.useCertificate(second);
    expect(await certificateAt(listener.url, authority)).toBe(second.certificate);
  });

  it('does not answer plain HTTP', async () => {
    const { url } = await start({ tls: first });
    await expect(fetchFrom(url.replace('https:', 'http:'), { agent: false })).rejects.toBeDefined();
  });
});
