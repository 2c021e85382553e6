import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import type { ReflectorSignal } from '../../src/kubernetes/interruption.ts';
import { Reflector, type ReflectorOptions } from '../../src/kubernetes/reflector.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { shapeOf } from '../../src/kubernetes/skim.ts';
import { type Parsed, parsed, unparsable } from '../../src/model/result.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { ApiServer, type PendingRequest } from '../support/api-server.ts';
import { ImpatientClock } from '../support/impatient-clock.ts';
import { Journal } from '../support/journal.ts';
import { ManualClock } from '../support/manual-clock.ts';

const path = '/api/v1/things';
const log = makeLogger({ level: 'silent' });

let server: ApiServer;
let client: RestClient;
/** The time, and the limits of requests. */
let clock: ManualClock;
/** The pauses between attempts, which are over at once. */
let pauses: ImpatientClock;
/** What the handler was told, e.g. `+ns/a@1` for a version and `-ns/a (uid-a)` for a removal. */
let told: Journal<string>;
let signals: Journal<ReflectorSignal>;
let reflector: Reflector<string>;

beforeEach(async () => {
  server = await ApiServer.start();
  clock = new ManualClock();
  pauses = new ImpatientClock(clock);
  told = new Journal();
  signals = new Journal();
});

afterEach(async () => {
  await reflector.stop();
  client.close();
  await server.close();
});

function start(options: Partial<ReflectorOptions<string>> & { readonly maxBytes?: number } = {}): void {
  const { maxBytes = 1_000_000, ...rest } = options;
  client = new RestClient({ access: openAccess(server.url), clock, version: '0', maxBytes });
  reflector = new Reflector<string>({
    kind: 'things',
    client,
    path,
    parse,
    handler: {
      upsert: (item) => {
        told.add(`+${item}`);
      },
      remove: ({ namespace, name, uid }) => {
        told.add(`-${namespace}/${name} (${uid})`);
      },
      malformed: ({ namespace, name }, problem) => {
        told.add(`?${namespace}/${name}: ${problem}`);
      },
    },
    clock: pauses,
    random: () => 0,
    log,
    onSignal: (signal) => {
      signals.add(signal);
    },
    ...rest,
  });
  reflector.start();
}

interface Thing {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly broken?: boolean;
}

function thing(name: string, version: number, extra: { uid?: string; broken?: boolean } = {}): Thing {
  const { uid = `uid-${name}`, broken = false } = extra;
  return { metadata: { namespace: 'ns', name, uid, resourceVersion: String(version) }, broken };
}

function parse(raw: unknown): Parsed<string> {
  const { metadata, broken } = raw as Thing;
  if (broken === true) return unparsable('broken on purpose');
  return parsed(`${metadata.namespace}/${metadata.name}@${metadata.resourceVersion}`);
}

/** Answers the first list with these things and agrees to the watch that follows. */
async function listThenWatch(things: readonly Thing[], resourceVersion = '10') {
  const list = await server.next();
  list.page(things, { resourceVersion });
  const request = await server.next();
  return { list, request, stream: request.watch() };
}

function fields(request: PendingRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(request.query);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('Reflector, listing', () => {
  it('asks for pages of 500 until none is left, then watches from the version of the first', async () => {
    start({ query: { fieldSelector: 'a=b' } });
    const first = await server.next(path);
    first.page([thing('a', 1), thing('b', 2)], { resourceVersion: '10', continueToken: 'more&' });
    const second = await server.next(path);
    expect(told.entries).toEqual(['+ns/a@1', '+ns/b@2']);
    second.page([thing('c', 3)], { resourceVersion: '11' });
    const watch = await server.next(path);
    watch.watch();

    expect(await reflector.synced).toBe('synced');
    expect(told.entries).toEqual(['+ns/a@1', '+ns/b@2', '+ns/c@3']);
    expect(fields(first)).toEqual({ fieldSelector: 'a=b', limit: '500' });
    expect(fields(second)).toEqual({ fieldSelector: 'a=b', limit: '500', continue: 'more&' });
    expect(fields(watch)).toEqual({
      fieldSelector: 'a=b',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '300',
    });
    expect(signals.entries).toEqual(['listed']);
    expect(pauses.skippedMs).toEqual([]);
  });

  it('asks for the next page before it takes this one', async () => {
    const order: string[] = [];
    start({
      handler: {
        upsert: (item) => {
          order.push(`took ${item}`);
          told.add(item);
        },
        remove: () => undefined,
        malformed: () => undefined,
      },
      client: {
        request: (request) => {
          order.push(`asked for page ${String(request.query?.['continue'])}`);
          return client.request(request);
        },
        stream: (request) => client.stream(request),
      },
    });
    (await server.next()).page([thing('a', 1)], { continueToken: 'two' });
    (await server.next()).page([thing('b', 2)], { continueToken: 'three' });
    (await server.next()).page([thing('c', 3)]);
    await reflector.synced;
    expect(order).toEqual([
      'asked for page undefined',
      'asked for page two',
      'took ns/a@1',
      'asked for page three',
      'took ns/b@2',
      'took ns/c@3',
    ]);
  });

  it('reads of objects, in pages and in events, only what it was told to', async () => {
    const read: unknown[] = [];
    start({
      shape: shapeOf({
        properties: { metadata: { properties: { name: {}, uid: {}, resourceVersion: {} } }, broken: {} },
      }),
      parse: (raw) => {
        read.push(raw);
        return parsed('it');
      },
    });
    const { stream } = await listThenWatch([thing('a', 1)]);
    stream.send('ADDED', thing('b', 2));
    await told.atLeast(2);
    expect(read).toEqual([
      { metadata: { name: 'a', uid: 'uid-a', resourceVersion: '1' }, broken: false },
      { metadata: { name: 'b', uid: 'uid-b', resourceVersion: '2' }, broken: false },
    ]);
  });

  it('lets every watch end at another time', async () => {
    start({ random: () => 0.999 });
    const { request } = await listThenWatch([]);
    expect(request.query.get('timeoutSeconds')).toBe('599');
  });

  it('begins anew when a page has expired, and hands nothing on twice', async () => {
    start();
    (await server.next()).page([thing('a', 1), thing('gone', 1)], {
      resourceVersion: '10',
      continueToken: 'more',
    });
    (await server.next()).refuse(410, { reason: 'Expired' });
    const again = await server.next();
    expect(again.query.has('continue')).toBe(false);
    again.page([thing('a', 1), thing('b', 12)], { resourceVersion: '12' });
    const watch = await server.next();
    expect(watch.query.get('resourceVersion')).toBe('12');
    expect(told.entries).toEqual(['+ns/a@1', '+ns/gone@1', '+ns/b@12', '-ns/gone (uid-gone)']);
    expect(signals.entries).toEqual(['expired', 'listed']);
    expect(pauses.skippedMs).toEqual([100]);
  });

  const passing: { name: string; fail: (request: PendingRequest) => void; want: ReflectorSignal }[] = [
    {
      name: 'asks for the same page again after a server error',
      fail: (request) => {
        request.refuse(500);
      },
      want: 'interrupted',
    },
    {
      name: 'asks for the same page again after a 401',
      fail: (request) => {
        request.refuse(401);
      },
      want: 'unauthorized',
    },
    {
      name: 'asks for the same page again after a broken connection',
      fail: (request) => {
        request.cut();
      },
      want: 'interrupted',
    },
    {
      name: 'asks for the same page again after something that is no list',
      fail: (request) => {
        request.json({ kind: 'List', metadata: {}, items: [] });
      },
      want: 'interrupted',
    },
    {
      name: 'asks for the same page again when a slow server never finishes',
      fail: (request) => {
        request.begin('{"items":[');
        clock.advance(60_000);
      },
      want: 'interrupted',
    },
  ];
  it.each(passing)('$name', async ({ fail, want }) => {
    start();
    (await server.next()).page([thing('a', 1)], { resourceVersion: '10', continueToken: 'more' });
    fail(await server.next());
    const again = await server.next();
    expect(again.query.get('continue')).toBe('more');
    again.page([thing('b', 2)], { resourceVersion: '10' });
    await server.next();
    expect(told.entries).toEqual(['+ns/a@1', '+ns/b@2']);
    expect(signals.entries).toEqual([want, 'listed']);
  });

  it('waits longer after each failure, up to half a minute, and never less than the server asks', async () => {
    start();
    for (let attempt = 0; attempt < 10; attempt += 1) (await server.next()).refuse(503);
    (await server.next()).refuse(429, { headers: { 'retry-after': '20' } });
    (await server.next()).refuse(429, { headers: { 'retry-after': '86400' } });
    await server.next();
    expect(pauses.skippedMs).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 20_000, 30_000,
    ]);
  });

  it('spreads its pauses over half a step', async () => {
    start({ random: () => 0.5 });
    (await server.next()).refuse(503);
    (await server.next()).refuse(503);
    await server.next();
    expect(pauses.skippedMs).toEqual([150, 300]);
  });

  it('asks for smaller pages when someone filled one with huge objects', async () => {
    start({ maxBytes: 1000, pageSize: 4 });
    const huge = { ...thing('a', 1), padding: 'x'.repeat(1000) };
    (await server.next()).page([huge]);
    const half = await server.next();
    expect(half.query.get('limit')).toBe('2');
    half.page([thing('a', 1)], { resourceVersion: '10' });
    await server.next();
    expect(told.entries).toEqual(['+ns/a@1']);
    expect(pauses.skippedMs).toEqual([]);
  });

  it('reports an object that cannot be read and goes on with the others', async () => {
    start();
    const { stream } = await listThenWatch([thing('a', 1, { broken: true }), thing('b', 1)]);
    stream.send('MODIFIED', { metadata: { uid: 'nameless' } });
    expect(await told.atLeast(3)).toEqual([
      '?ns/a: broken on purpose',
      '+ns/b@1',
      '?/: an object without a name',
    ]);
  });

  it('survives a handler that throws over one object', async () => {
    start({
      handler: {
        upsert: (item) => {
          if (item === 'ns/a@1') throw new Error('bug');
          told.add(item);
        },
        remove: () => undefined,
        malformed: () => undefined,
      },
    });
    await listThenWatch([thing('a', 1), thing('b', 1)]);
    expect(told.entries).toEqual(['ns/b@1']);
  });

  it('lets go of 5,000 raw objects once they are handed on', async () => {
    const pages = 10;
    const raws: WeakRef<object>[] = [];
    start({
      parse: (raw) => {
        raws.push(new WeakRef(raw as object));
        return parse(raw);
      },
    });
    for (let page = 0; page < pages; page += 1) {
      const things = Array.from({ length: 500 }, (_, index) => thing(`t${page * 500 + index}`, 1));
      (await server.next()).page(things, {
        resourceVersion: '10',
        continueToken: page === pages - 1 ? '' : `page-${page + 1}`,
      });
    }
    await server.next();
    expect(reflector.size).toBe(5000);
    expect(told.entries).toHaveLength(5000);
    collectGarbage();
    const kept = raws.filter((raw) => raw.deref() !== undefined).length;
    // The last page may still be on its way out.
    expect(kept).toBeLessThanOrEqual(500);
  });
});

describe('Reflector, watching', () => {
  it('hands on what is new, once, and what is gone', async () => {
    start();
    const { stream } = await listThenWatch([thing('a', 1)]);
    stream.send('ADDED', thing('a', 1));
    stream.send('MODIFIED', thing('a', 11));
    stream.send('MODIFIED', thing('a', 11));
    stream.send('ADDED', thing('b', 12));
    stream.send('DELETED', thing('a', 13));
    stream.send('ADDED', thing('c', 14));
    expect(await told.atLeast(5)).toEqual(['+ns/a@1', '+ns/a@11', '+ns/b@12', '-ns/a (uid-a)', '+ns/c@14']);
  });

  it('reports the former object gone when its name comes back with another UID', async () => {
    start();
    const { stream } = await listThenWatch([thing('a', 1)]);
    stream.send('ADDED', thing('a', 11, { uid: 'second' }));
    stream.send('DELETED', thing('a', 12));
    stream.send('DELETED', thing('a', 13, { uid: 'second' }));
    expect(await told.atLeast(4)).toEqual(['+ns/a@1', '-ns/a (uid-a)', '+ns/a@11', '-ns/a (second)']);
  });

  it('reports the deletion of an object that it has never seen', async () => {
    start();
    const { stream } = await listThenWatch([]);
    stream.send('DELETED', thing('a', 11));
    expect(await told.atLeast(1)).toEqual(['-ns/a (uid-a)']);
  });

  it('resumes from the last bookmark when the server ends the watch', async () => {
    start();
    const { stream } = await listThenWatch([thing('a', 1)]);
    stream.send('MODIFIED', thing('a', 11));
    stream.bookmark('20');
    stream.end();
    const resumed = await server.next();
    expect(resumed.query.get('resourceVersion')).toBe('20');
    // An expected end is nothing to count, and the pause is the shortest.
    expect(signals.entries).toEqual(['listed']);
    expect(pauses.skippedMs).toEqual([100]);
    expect(told.entries).toEqual(['+ns/a@1', '+ns/a@11']);
  });

  const resumed: {
    name: string;
    end: (stream: Awaited<ReturnType<typeof listThenWatch>>['stream']) => void;
  }[] = [
    {
      name: 'resumes from the last event when the server stops in the middle of a line',
      end: (stream) => {
        stream.raw('{"type":"MODIFIED","object":{"metadata":');
        stream.end();
      },
    },
    {
      name: 'resumes from the last event when the connection breaks',
      end: (stream) => {
        stream.cut();
      },
    },
    {
      name: 'resumes from the last event when the server is overloaded',
      end: (stream) => {
        stream.error(429);
      },
    },
  ];
  it.each(resumed)('$name', async ({ end }) => {
    start();
    const { stream } = await listThenWatch([thing('a', 1)]);
    stream.send('MODIFIED', thing('a', 11));
    await told.atLeast(2);
    end(stream);
    const again = await server.next();
    expect(again.query.get('resourceVersion')).toBe('11');
    expect(signals.entries).toEqual(['listed', 'interrupted']);
  });

  it('abandons a half-open connection after three silent minutes and resumes', async () => {
    start();
    const { stream } = await listThenWatch([thing('a', 1)]);
    stream.send('MODIFIED', thing('a', 11));
    await told.atLeast(2);
    clock.advance(180_000);
    await stream.closed;
    const again = await server.next();
    expect(again.query.get('resourceVersion')).toBe('11');
    expect(signals.entries).toEqual(['listed', 'interrupted']);
    // It had worked for three minutes, so the pause is the shortest.
    expect(pauses.skippedMs).toEqual([100]);
  });

  const expiries: {
    name: string;
    end: (request: PendingRequest) => void;
    want: ReflectorSignal;
  }[] = [
    {
      name: 'lists again when the version has expired before the watch begins',
      end: (request) => {
        request.refuse(410, { reason: 'Expired' });
      },
      want: 'expired',
    },
    {
      name: 'lists again when an ERROR event says that the version has expired',
      end: (request) => {
        request.watch().error(410);
      },
      want: 'expired',
    },
    {
      name: 'lists again when the server does not take the version',
      end: (request) => {
        request.refuse(400, { reason: 'BadRequest' });
      },
      want: 'interrupted',
    },
    {
      name: 'lists again after a line that is no JSON',
      end: (request) => {
        request.watch().line('{"type":"MODIFIED",');
      },
      want: 'broken-line',
    },
    {
      name: 'lists again after an event of a kind that it does not know',
      end: (request) => {
        request.watch().line('{"type":"RENAMED","object":{}}');
      },
      want: 'broken-line',
    },
    {
      name: 'lists again after a bookmark without a version',
      end: (request) => {
        request.watch().bookmark('');
      },
      want: 'broken-line',
    },
    {
      name: 'lists again after an event that is too large to read',
      end: (request) => {
        request.watch().raw('x'.repeat(1_000_001));
      },
      want: 'interrupted',
    },
  ];
  it.each(expiries)('$name, and reports what vanished meanwhile', async ({ end, want }) => {
    start();
    (await server.next()).page([thing('a', 1), thing('b', 2)], { resourceVersion: '10' });
    const watch = await server.next();
    end(watch);
    await watch.closed;
    const list = await server.next();
    expect(fields(list)).toEqual({ limit: '500' });
    list.page([thing('b', 2), thing('c', 21)], { resourceVersion: '22' });
    const next = await server.next();
    expect(next.query.get('resourceVersion')).toBe('22');
    expect(told.entries).toEqual(['+ns/a@1', '+ns/b@2', '+ns/c@21', '-ns/a (uid-a)']);
    expect(signals.entries).toEqual(['listed', want, 'listed']);
  });

  it('does not list in a circle when every watch breaks at once', async () => {
    start();
    for (let turn = 0; turn < 5; turn += 1) {
      (await server.next()).page([], { resourceVersion: '10' });
      (await server.next()).watch().line('broken');
    }
    await server.next();
    expect(pauses.skippedMs).toEqual([100, 200, 400, 800, 1600]);
  });

  it('does not run hot against a server that agrees to every watch and ends it at once', async () => {
    start();
    (await server.next()).page([], { resourceVersion: '10' });
    for (let turn = 0; turn < 4; turn += 1) (await server.next()).watch().end();
    await server.next();
    expect(pauses.skippedMs).toEqual([100, 200, 400, 800]);
  });

  it('keeps its place over an event that has no version', async () => {
    start();
    const { stream } = await listThenWatch([]);
    const { namespace, name, uid } = thing('a', 1).metadata;
    stream.send('ADDED', { metadata: { namespace, name, uid } });
    stream.end();
    expect((await server.next()).query.get('resourceVersion')).toBe('10');
    expect(told.entries).toEqual(['+ns/a@undefined']);
  });

  it('starts over with short pauses once a watch has held', async () => {
    start();
    for (let attempt = 0; attempt < 4; attempt += 1) (await server.next()).refuse(503);
    const { stream } = await listThenWatch([]);
    stream.send('ADDED', thing('a', 11));
    await told.atLeast(1);
    clock.advance(10_000);
    stream.cut();
    await server.next();
    expect(pauses.skippedMs).toEqual([100, 200, 400, 800, 100]);
  });

  it('suspects its version after five refusals in a row that do not name it', async () => {
    start();
    (await server.next()).page([], { resourceVersion: '10' });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const watch = await server.next();
      expect(watch.query.get('resourceVersion')).toBe('10');
      watch.refuse(504, { reason: 'Timeout', message: 'Too large resource version' });
    }
    expect((await server.next()).query.has('watch')).toBe(false);
  });

  it('does not list again for a server that is merely down', async () => {
    start();
    (await server.next()).page([], { resourceVersion: '10' });
    for (let attempt = 0; attempt < 8; attempt += 1) (await server.next()).cut();
    expect((await server.next()).query.get('resourceVersion')).toBe('10');
  });

  it('waits after a 401 and comes back', async () => {
    start();
    (await server.next()).page([], { resourceVersion: '10' });
    (await server.next()).refuse(401);
    const again = await server.next();
    expect(again.query.get('resourceVersion')).toBe('10');
    expect(signals.entries).toEqual(['listed', 'unauthorized']);
    expect(pauses.skippedMs).toEqual([100]);
  });
});

describe('Reflector, stopping', () => {
  it('ends a list under way, and says that it never synced', async () => {
    start();
    const list = await server.next();
    await reflector.stop();
    await list.closed;
    expect(await reflector.synced).toBe('stopped');
  });

  it('ends between two pages without removing anything', async () => {
    start();
    (await server.next()).page([thing('a', 1)], { resourceVersion: '10', continueToken: 'more' });
    await server.next();
    await reflector.stop();
    expect(told.entries).toEqual(['+ns/a@1']);
  });

  it('ends a watch under way, and may be told twice', async () => {
    start();
    const { stream } = await listThenWatch([]);
    await Promise.all([reflector.stop(), reflector.stop()]);
    await stream.closed;
    expect(await reflector.synced).toBe('synced');
  });

  it('ends a watch that the server has not agreed to', async () => {
    start();
    (await server.next()).page([], { resourceVersion: '10' });
    const watch = await server.next();
    await reflector.stop();
    await watch.closed;
  });

  it('ends a pause', async () => {
    start({ clock });
    (await server.next()).refuse(503);
    await signals.atLeast(1);
    await reflector.stop();
    expect(clock.pending).toBe(0);
    expect(server.waiting).toBe(0);
  });

  it('asks for nothing when stopped before it was started', async () => {
    start();
    await reflector.stop();
    reflector = new Reflector<string>({
      kind: 'things',
      client,
      path,
      parse,
      handler: { upsert: () => undefined, remove: () => undefined, malformed: () => undefined },
      clock: pauses,
      random: () => 0,
      log,
    });
    await reflector.stop();
    reflector.start();
    expect(await reflector.synced).toBe('stopped');
    await reflector.stop();
  });
});
