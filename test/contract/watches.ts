/** Watches: every change once and in order, what a selector makes of it, bookmarks, and the ends of a stream. */
import { describe, expect, it } from '@jest/globals';
import type { WatchEvent } from './api-client.ts';
import {
  accepted,
  bind,
  type Context,
  createPod,
  mergePatch,
  nameOf,
  pathOf,
  textOf,
  valueOf,
  versionOf,
} from './contract-context.ts';

/** A stream that the server ends after a second needs more than that. */
const slowMs = 15_000;

export function describeWatches(connected: Context): void {
  const watchOf = async (plural: string, query: Readonly<Record<string, string>>) =>
    connected().client.watch(
      `${pathOf(connected(), plural)}?${new URLSearchParams({ watch: 'true', ...query }).toString()}`,
    );
  const patch = async (name: string, body: unknown) =>
    accepted(
      await connected().client.send('PATCH', pathOf(connected(), 'pods', name), {
        body,
        contentType: mergePatch,
      }),
    );
  const remove = async (name: string) => connected().client.send('DELETE', pathOf(connected(), 'pods', name));
  const presentVersion = async () =>
    versionOf((await connected().client.send('GET', `${pathOf(connected(), 'pods')}?limit=1`)).body);
  const summary = ({ type, object }: WatchEvent) => `${type} ${nameOf(object)}`;
  const isDeleted = (name: string) => (event: WatchEvent) => summary(event) === `DELETED ${name}`;

  describe('watches', () => {
    it('tell every change after a version, once and in order', async () => {
      const resourceVersion = await presentVersion();
      await createPod(connected(), { name: 'watch-a' });
      const watch = await watchOf('pods', { resourceVersion });
      await patch('watch-a', { metadata: { labels: { a: '1' } } });
      await remove('watch-a');
      const events = (await watch.until(isDeleted('watch-a'))).filter(
        ({ object }) => nameOf(object) === 'watch-a',
      );
      expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']);
      const versions = events.map(({ object }) => Number(versionOf(object)));
      expect(versions).toEqual([...new Set(versions)].toSorted((one, other) => one - other));
      expect(events[0]?.object).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    });

    it('without a version begin with what is there', async () => {
      await createPod(connected(), { name: 'watch-b', labels: { watch: 'b' } });
      const watch = await watchOf('pods', { labelSelector: 'watch=b' });
      expect(summary((await watch.next())!)).toBe('ADDED watch-b');
      await remove('watch-b');
      expect((await watch.until(isDeleted('watch-b'))).map(summary)).toContain('DELETED watch-b');
    });

    it('show an object that a selector begins or ceases to match as added or deleted', async () => {
      const resourceVersion = await presentVersion();
      const watch = await watchOf('pods', { resourceVersion, labelSelector: 'watch=c' });
      await createPod(connected(), { name: 'watch-c' });
      await patch('watch-c', { metadata: { labels: { watch: 'c' } } });
      await patch('watch-c', { metadata: { labels: { more: '1' } } });
      const last = await patch('watch-c', { metadata: { labels: { watch: null } } });
      const events = await watch.until(isDeleted('watch-c'));
      expect(events.map(summary)).toEqual(['ADDED watch-c', 'MODIFIED watch-c', 'DELETED watch-c']);
      // The object is the one that matched, under the version of the change that ended it.
      expect(events.at(-1)?.object).toMatchObject({
        metadata: { labels: { watch: 'c' }, resourceVersion: versionOf(last) },
      });
    });

    it('by field selector lose a pod when it is bound', async () => {
      const resourceVersion = await presentVersion();
      const watch = await watchOf('pods', { resourceVersion, fieldSelector: 'spec.nodeName=' });
      const pod = await createPod(connected(), { name: 'watch-d' });
      accepted(await bind(connected(), pod));
      expect((await watch.until(isDeleted('watch-d'))).map(summary)).toContain('DELETED watch-d');
    });

    it('say nothing about a write that changes nothing', async () => {
      const resourceVersion = await presentVersion();
      await createPod(connected(), { name: 'watch-e', labels: { a: '1' } });
      const watch = await watchOf('pods', { resourceVersion, fieldSelector: 'metadata.name=watch-e' });
      await patch('watch-e', { metadata: { labels: { a: '1' } } });
      await patch('watch-e', { metadata: { labels: { a: '2' } } });
      expect(summary((await watch.next())!)).toBe('ADDED watch-e');
      expect(valueOf((await watch.next())?.object, 'metadata', 'labels')).toEqual({ a: '2' });
    });

    it('mark the end of the initial events with a bookmark', async () => {
      await createPod(connected(), { name: 'watch-f', labels: { watch: 'f' } });
      const watch = await watchOf('pods', {
        labelSelector: 'watch=f',
        allowWatchBookmarks: 'true',
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
      });
      const events = await watch.until(({ type }) => type === 'BOOKMARK');
      expect(events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK']);
      const bookmark = events[1]?.object;
      expect(bookmark).toMatchObject({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
      });
      expect(Number(textOf(bookmark, 'metadata', 'resourceVersion'))).toBeGreaterThanOrEqual(
        Number(versionOf(events[0]!.object)),
      );
    });

    it(
      'end when their time is over',
      async () => {
        const watch = await watchOf('pods', { resourceVersion: await presentVersion(), timeoutSeconds: '1' });
        expect(watch.status).toBe(200);
        expect(await watch.next()).toBeUndefined();
      },
      slowMs,
    );

    it('from a forgotten version say 410 and end', async () => {
      const { client } = connected();
      const map = async (name: string) =>
        accepted(
          await client.send('POST', pathOf(connected(), 'configmaps'), { body: { metadata: { name } } }),
        );
      const resourceVersion = versionOf(await map('watch-old-a'));
      // The newest change is still kept where the history ends.
      await map('watch-old-b');
      await map('watch-old-c');
      await client.forgetHistory();
      const watch = await watchOf('configmaps', { resourceVersion });
      expect(watch.status).toBe(200);
      expect(await watch.next()).toMatchObject({
        type: 'ERROR',
        object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 },
      });
      expect(await watch.next()).toBeUndefined();
    });
  });
}
