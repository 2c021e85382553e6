import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ApiAccess, openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient, type RestRequest, type StreamRequest } from '../../src/kubernetes/rest-client.ts';
import { failureText, isAmbiguous } from '../../src/kubernetes/rest-result.ts';
import { ApiServer, type PendingRequest } from '../support/api-server.ts';
import { Journal } from '../support/journal.ts';
import { ManualClock } from '../support/manual-clock.ts';

let server: ApiServer;
let clock: ManualClock;
let client: RestClient;

beforeEach(async () => {
  server = await ApiServer.start();
  clock = new ManualClock();
  client = clientOf(openAccess(server.url));
});

afterEach(async () => {
  client.close();
  await server.close();
  // Whatever happened, no time limit is left behind.
  expect(clock.pending).toBe(0);
});

function clientOf(access: ApiAccess, maxBytes = 10_000): RestClient {
  return new RestClient({ access, clock, version: '1.2.3', maxBytes });
}

const get: RestRequest = { method: 'GET', path: '/api/v1/nodes/n1', timeoutMs: 5000 };
const post: RestRequest = { method: 'POST', path: '/api/v1/pods', body: { a: 'ä' }, timeoutMs: 5000 };

describe('RestClient.request', () => {
  it('sends the body as JSON under its name and answers what came back', async () => {
    const result = client.request({
      method: 'PATCH',
      path: '/api/v1/nodes/n1',
      query: { fieldManager: 'a b', dryRun: undefined, force: true },
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { x: 'ä' } } },
      timeoutMs: 1000,
    });
    const request = await server.next();
    request.json({ kind: 'Node' }, 201);

    expect(await result).toEqual({ kind: 'ok', status: 201, body: { kind: 'Node' } });
    expect(request.method).toBe('PATCH');
    expect(request.path).toBe('/api/v1/nodes/n1');
    expect([...request.query]).toEqual([
      ['fieldManager', 'a b'],
      ['force', 'true'],
    ]);
    expect(request.body).toBe('{"metadata":{"labels":{"x":"ä"}}}');
    expect(request.headers).toMatchObject({
      accept: 'application/json',
      'user-agent': 'tessera/1.2.3',
      'content-type': 'application/merge-patch+json',
      'content-length': String(Buffer.byteLength(request.body)),
    });
  });

  it('keeps the path of a server that is not at the root of its address', async () => {
    const proxied = clientOf(openAccess(`${server.url}/k8s/clusters/c-1`));
    const result = proxied.request({ ...get, path: '/version' });
    const request = await server.next();
    request.text('v1.36');
    expect(request.path).toBe('/k8s/clusters/c-1/version');
    expect(await result).toEqual({ kind: 'ok', status: 200, body: 'v1.36' });
    proxied.close();
  });

  it('uses a connection again for the next request', async () => {
    const ports: number[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const result = client.request(get);
      const request = await server.next();
      ports.push(request.port);
      request.json({});
      await result;
    }
    expect(ports[1]).toBe(ports[0]);
  });

  const refusals: {
    name: string;
    answer: (request: PendingRequest) => void;
    want: object;
    wantAmbiguous: boolean;
    wantText: string;
  }[] = [
    {
      name: 'reads the Status object of a conflict',
      answer: (request) => {
        request.refuse(409, { reason: 'Conflict', message: 'the object has been modified' });
      },
      want: { kind: 'status', status: 409, reason: 'Conflict', message: 'the object has been modified' },
      wantAmbiguous: false,
      wantText: 'HTTP 409 Conflict: the object has been modified',
    },
    {
      name: 'tells how long an overloaded server asks us to wait',
      answer: (request) => {
        request.refuse(429, { reason: 'TooManyRequests', headers: { 'retry-after': '7' } });
      },
      want: {
        kind: 'status',
        status: 429,
        reason: 'TooManyRequests',
        message: 'refused by the test',
        retryAfterMs: 7000,
      },
      wantAmbiguous: false,
      wantText: 'HTTP 429 TooManyRequests: refused by the test',
    },
    {
      name: 'quotes a proxy that answers in its own words, after which nobody knows whether the server acted',
      answer: (request) => {
        request.text('<html>Bad Gateway</html>', { status: 502, contentType: 'text/html' });
      },
      want: { kind: 'status', status: 502, reason: '', message: '<html>Bad Gateway</html>' },
      wantAmbiguous: true,
      wantText: 'HTTP 502: <html>Bad Gateway</html>',
    },
    {
      name: 'does not stumble over a Status that is broken JSON',
      answer: (request) => {
        request.text('{"kind":', { status: 404, contentType: 'application/json' });
      },
      want: { kind: 'status', status: 404, reason: '', message: 'no message' },
      wantAmbiguous: false,
      wantText: 'HTTP 404: no message',
    },
  ];
  it.each(refusals)('$name', async ({ answer, want, wantAmbiguous, wantText }) => {
    const pending = client.request(post);
    answer(await server.next());
    const result = await pending;
    expect(result).toEqual(want);
    expect(isAmbiguous(result)).toBe(wantAmbiguous);
    expect(result.kind === 'ok' ? '' : failureText(result)).toBe(wantText);
  });

  it('gives up at the deadline, and tells that the request may have been carried out', async () => {
    const result = client.request(post);
    const request = await server.next();
    clock.advance(4999);
    clock.advance(1);
    expect(await result).toEqual({
      kind: 'timeout',
      message: 'POST /api/v1/pods: no answer within 5000 ms',
      ambiguous: true,
    });
    await request.closed;
  });

  it('holds a server to the deadline that begins to answer and never ends', async () => {
    const result = client.request(post);
    const request = await server.next();
    request.begin('{"kind":');
    clock.advance(5000);
    expect(await result).toMatchObject({ kind: 'timeout', ambiguous: true });
    await request.closed;
  });

  it('tells an answer that breaks off from one that is whole', async () => {
    const result = client.request(post);
    const request = await server.next();
    request.begin('{"kind":');
    request.cut();
    expect(await result).toMatchObject({ kind: 'transport', ambiguous: true });
  });

  it('calls a broken connection without an answer ambiguous', async () => {
    const result = client.request(post);
    (await server.next()).cut();
    expect(await result).toMatchObject({ kind: 'transport', code: 'ECONNRESET', ambiguous: true });
  });

  it('knows that nothing was carried out when nobody listens', async () => {
    const other = await ApiServer.start();
    await other.close();
    const lonely = clientOf(openAccess(other.url));
    expect(await lonely.request(post)).toMatchObject({
      kind: 'transport',
      code: 'ECONNREFUSED',
      ambiguous: false,
    });
    lonely.close();
  });

  it('ends at once when the caller gives up', async () => {
    const giveUp = new AbortController();
    const result = client.request({ ...post, signal: giveUp.signal });
    const request = await server.next();
    giveUp.abort();
    expect(await result).toMatchObject({ kind: 'aborted', ambiguous: true });
    await request.closed;
  });

  it('sends nothing for a caller who had given up before', async () => {
    expect(await client.request({ ...post, signal: AbortSignal.abort() })).toMatchObject({
      kind: 'aborted',
      ambiguous: false,
    });
    expect(server.waiting).toBe(0);
  });

  it.each([
    { name: 'takes an answer of exactly the largest size', bytes: 10_000, want: 'ok' },
    { name: 'refuses an answer of one byte more', bytes: 10_001, want: 'oversized' },
  ])('$name', async ({ bytes, want }) => {
    const result = client.request(get);
    (await server.next()).json('x'.repeat(bytes - 2));
    expect((await result).kind).toBe(want);
  });

  it('does not take a body for JSON that only claims to be', async () => {
    const result = client.request(get);
    (await server.next()).text('{"kind":', { contentType: 'application/json' });
    expect(await result).toMatchObject({ kind: 'transport', ambiguous: true });
  });

  describe('with credentials', () => {
    it('asks for them per request and for new ones after a 401', async () => {
      let token = 1;
      const careful = clientOf({
        server: server.url,
        authorize: () => Promise.resolve({ headers: { Authorization: `Bearer ${token}` }, tls: {} }),
        renew: () => {
          token += 1;
        },
      });
      const refused = careful.request(get);
      const first = await server.next();
      first.refuse(401, { reason: 'Unauthorized' });
      expect(await refused).toMatchObject({ kind: 'status', status: 401 });

      const granted = careful.request(get);
      const second = await server.next();
      second.json({});
      expect((await granted).kind).toBe('ok');
      expect([first, second].map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2']);
      careful.close();
    });

    it('reports a plugin that fails as a failure that changed nothing', async () => {
      const locked = clientOf({
        server: server.url,
        authorize: () => Promise.reject(new Error('plugin exited with 1')),
        renew: () => undefined,
      });
      expect(await locked.request(post)).toEqual({
        kind: 'transport',
        message: 'POST /api/v1/pods: plugin exited with 1',
        ambiguous: false,
      });
      locked.close();
    });

    it('holds a plugin that hangs to the deadline', async () => {
      const locked = clientOf({
        server: server.url,
        authorize: () => new Promise(() => undefined),
        renew: () => undefined,
      });
      const result = locked.request(post);
      clock.advance(5000);
      expect(await result).toMatchObject({ kind: 'timeout', ambiguous: false });
      locked.close();
    });
  });
});

describe('RestClient.stream', () => {
  let lines: Journal<string>;
  let watch: StreamRequest;

  beforeEach(() => {
    lines = new Journal();
    watch = {
      path: '/api/v1/pods',
      query: { watch: true },
      openTimeoutMs: 5000,
      silenceMs: 60_000,
      onLine: (line) => {
        lines.add(line);
        return line !== 'stop';
      },
    };
  });

  it('hands out whole lines however the bytes were cut, and drops the one that never ended', async () => {
    const end = client.stream(watch);
    const stream = (await server.next()).watch();
    const bytes = Buffer.from('first\n\nwith ä in it\nthird\nunfin');
    const inside = bytes.indexOf('ä') + 1;
    stream.raw(bytes.subarray(0, inside));
    await lines.atLeast(1);
    stream.raw(bytes.subarray(inside));
    await lines.atLeast(3);
    stream.end();
    expect(await end).toEqual({ kind: 'ended', cutLine: true });
    expect(lines.entries).toEqual(['first', 'with ä in it', 'third']);
  });

  it('tells a clean end', async () => {
    const end = client.stream(watch);
    const stream = (await server.next()).watch();
    stream.line('one');
    stream.end();
    expect(await end).toEqual({ kind: 'ended', cutLine: false });
  });

  it('closes the connection when the reader has heard enough', async () => {
    const end = client.stream(watch);
    const stream = (await server.next()).watch();
    stream.raw('one\nstop\nthree\n');
    expect(await end).toEqual({ kind: 'stopped' });
    expect(lines.entries).toEqual(['one', 'stop']);
    await stream.closed;
  });

  it('reports a connection that breaks', async () => {
    const end = client.stream(watch);
    const stream = (await server.next()).watch();
    stream.line('one');
    await lines.atLeast(1);
    stream.cut();
    expect(await end).toMatchObject({ kind: 'transport' });
  });

  it('reports a server that refuses the stream', async () => {
    const end = client.stream(watch);
    (await server.next()).refuse(410, { reason: 'Expired', message: 'too old resource version' });
    expect(await end).toMatchObject({ kind: 'status', status: 410, reason: 'Expired' });
  });

  it('gives up on a server that never agrees to the stream', async () => {
    const end = client.stream(watch);
    const request = await server.next();
    clock.advance(5000);
    expect(await end).toMatchObject({ kind: 'timeout' });
    await request.closed;
  });

  it('outlives its opening time, and gives up after a silence that is counted from the last byte', async () => {
    const opened = new Journal<string>();
    const end = client.stream({
      ...watch,
      onOpen: () => {
        opened.add('open');
      },
    });
    const stream = (await server.next()).watch();
    await opened.atLeast(1);
    clock.advance(50_000);
    stream.line('one');
    await lines.atLeast(1);
    clock.advance(59_999);
    stream.line('two');
    await lines.atLeast(2);
    clock.advance(59_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await end).toMatchObject({
      kind: 'timeout',
      message: 'GET /api/v1/pods: silent for 60000 ms',
    });
    await stream.closed;
  });

  it('ends at once when the caller gives up', async () => {
    const giveUp = new AbortController();
    const end = client.stream({ ...watch, signal: giveUp.signal });
    const stream = (await server.next()).watch();
    stream.line('one');
    await lines.atLeast(1);
    giveUp.abort();
    expect(await end).toMatchObject({ kind: 'aborted' });
    await stream.closed;
  });

  it('refuses a line that does not end within the largest size', async () => {
    const end = client.stream(watch);
    const stream = (await server.next()).watch();
    stream.raw('x'.repeat(10_001));
    expect(await end).toMatchObject({ kind: 'oversized' });
  });

  it('lets a bug in the reader out instead of blaming the network', async () => {
    const end = client.stream({
      ...watch,
      onLine: () => {
        throw new TypeError('bug');
      },
    });
    (await server.next()).watch().line('one');
    await expect(end).rejects.toThrow(new TypeError('bug'));
  });
});
