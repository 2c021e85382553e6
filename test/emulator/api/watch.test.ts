import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { once } from 'node:events';
import { ManualClock } from '../../support/manual-clock.ts';
import { podNamed, podsPath, startFixture } from './emulator-fixture.ts';

describe('watches of the emulator', () => {
  it('get bookmarks as often as configured, and one before their end', async () => {
    const clock = new ManualClock();
    const { client, emulator } = await startFixture({ clock, bookmarkSeconds: 60 });
    const version = emulator.store.version;
    const watch = await client.watch(
      `${podsPath}?watch=true&resourceVersion=${version}&allowWatchBookmarks=true&timeoutSeconds=90`,
    );
    await client.send('POST', '/api/v1/namespaces/default/configmaps', {
      body: { metadata: { name: 'other' } },
    });
    clock.advance(60_000);
    clock.advance(30_000);
    const events = await watch.until(() => false);
    expect(events.map(({ type, object }) => ({ type, object }))).toEqual(
      [1, 2].map(() => ({
        type: 'BOOKMARK',
        object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: String(version + 1) } },
      })),
    );
    expect(clock.pending).toBe(0);
  });

  it('get none when they do not allow them', async () => {
    const clock = new ManualClock();
    const { client, emulator } = await startFixture({ clock, bookmarkSeconds: 1 });
    const path = `${podsPath}?watch=true&resourceVersion=${emulator.store.version}&timeoutSeconds=10`;
    const watch = await client.watch(path);
    clock.advance(10_000);
    expect(await watch.next()).toBeUndefined();
  });

  it('end after half an hour when they name no time', async () => {
    const clock = new ManualClock();
    const { client } = await startFixture({ clock });
    const watch = await client.watch(`${podsPath}?watch=true&timeoutSeconds=0`);
    clock.advance(30 * 60_000);
    expect(await watch.next()).toBeUndefined();
  });

  it('from a version that the bounded history has lost end with 410', async () => {
    const { client } = await startFixture({ historyLimit: 4 });
    const first = await client.send('POST', podsPath, { body: podNamed('a') });
    for (let index = 0; index < 10; index += 1) {
      const body = { metadata: { annotations: { index: String(index) } } };
      await client.send('PATCH', `${podsPath}/a`, { body, contentType: 'application/merge-patch+json' });
    }
    const { resourceVersion } = first.body['metadata'] as { resourceVersion: string };
    const watch = await client.watch(`${podsPath}?watch=true&resourceVersion=${resourceVersion}`);
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(await watch.next()).toBeUndefined();
  });

  it('from a version of an earlier life end with 410, so that clients list anew', async () => {
    const { client } = await startFixture();
    const watch = await client.watch(`${podsPath}?watch=true&resourceVersion=1000000`);
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });

  it('are cut off when their client does not read', async () => {
    const { client, emulator } = await startFixture({ watchBufferBytes: 256 * 1024 });
    const { hostname, port } = new URL(emulator.url);
    const lazy = connect(Number(port), hostname);
    await once(lazy, 'connect');
    lazy.write(`GET ${podsPath}?watch=true HTTP/1.1\r\nhost: emulator\r\n\r\n`);
    await once(lazy, 'readable');
    expect(emulator.openWatches.count).toBe(1);
    // Nothing is read from here on: the kernel's buffers fill, then the emulator's.
    const filler = 'x'.repeat(200 * 1024);
    await client.send('POST', podsPath, { body: podNamed('a') });
    let writes = 0;
    while (emulator.openWatches.count > 0 && writes < 500) {
      writes += 1;
      const body = { metadata: { annotations: { filler: `${filler}${writes}` } } };
      await client.send('PATCH', `${podsPath}/a`, { body, contentType: 'application/merge-patch+json' });
    }
    expect(emulator.openWatches.count).toBe(0);
    lazy.destroy();
  });

  it('are forgotten when their client goes', async () => {
    const { client, emulator } = await startFixture();
    const watch = await client.watch(`${podsPath}?watch=true`);
    expect(emulator.openWatches.count).toBe(1);
    watch.close();
    while (emulator.openWatches.count > 0) await client.send('GET', '/readyz');
    expect(emulator.openWatches.count).toBe(0);
  });

  it('can be cut while they run', async () => {
    const { client, emulator } = await startFixture();
    const watch = await client.watch(`${podsPath}?watch=true`);
    emulator.openWatches.cut();
    expect(await watch.next()).toBeUndefined();
  });

  it('can be made half-open while they run: nothing more arrives, and no end', async () => {
    const clock = new ManualClock();
    const { client, emulator } = await startFixture({ clock });
    const watch = await client.watch(`${podsPath}?watch=true&timeoutSeconds=5`);
    emulator.openWatches.silence();
    await client.send('POST', podsPath, { body: podNamed('a') });
    clock.advance(5_000);
    const control = await client.watch(`${podsPath}?watch=true`);
    expect(await control.next()).toMatchObject({ type: 'ADDED' });
    const next = watch.next();
    expect(await Promise.race([next, Promise.resolve('nothing')])).toBe('nothing');
    // Whatever had been sent would arrive before the end of the connection.
    await emulator.close();
    expect(await next).toBeUndefined();
  });
});
