/** Lists: pages of one moment, selectors, versions. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Json } from './api-client.ts';
import {
  accepted,
  type Context,
  createPod,
  itemNames,
  nameOf,
  pathOf,
  valueOf,
  versionOf,
} from './contract-context.ts';

export function describeLists(connected: Context): void {
  const list = async (plural: string, query: Readonly<Record<string, string>>) =>
    connected().client.send('GET', `${pathOf(connected(), plural)}?${new URLSearchParams(query).toString()}`);
  const createMap = async (name: string) => {
    const body = { metadata: { name, labels: { list: name.split('-')[0] ?? '' } } };
    return accepted(await connected().client.send('POST', pathOf(connected(), 'configmaps'), { body }));
  };
  const continueOf = (page: Json) => String(valueOf(page, 'metadata', 'continue'));

  describe('lists', () => {
    it('come in pages that show one moment, in the order of names', async () => {
      for (const name of ['paged-a', 'paged-b', 'paged-c']) await createMap(name);
      const query = { labelSelector: 'list=paged', limit: '1' };
      const first = accepted(await list('configmaps', query));
      await connected().client.send('DELETE', pathOf(connected(), 'configmaps', 'paged-b'));
      await createMap('paged-d');
      const second = accepted(await list('configmaps', { ...query, continue: continueOf(first) }));
      const third = accepted(await list('configmaps', { ...query, continue: continueOf(second) }));
      expect([first, second, third].map(itemNames)).toEqual([['paged-a'], ['paged-b'], ['paged-c']]);
      expect(new Set([first, second, third].map(versionOf)).size).toBe(1);
      expect(valueOf(third, 'metadata', 'continue')).toBeUndefined();
    });

    it('say how many remain when nothing but the limit narrows them', async () => {
      const all = itemNames(accepted(await list('configmaps', {})));
      const page = accepted(await list('configmaps', { limit: '1' }));
      expect(valueOf(page, 'metadata', 'remainingItemCount')).toBe(all.length - 1);
    });

    it('name their kind once, not in every item', async () => {
      const maps = accepted(await list('configmaps', { limit: '1' }));
      expect(maps).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
      expect(valueOf(maps, 'items', 0, 'kind')).toBeUndefined();
    });

    it('of a namespace that is not there are empty', async () => {
      const maps = await connected().client.send('GET', '/api/v1/namespaces/absent/configmaps');
      expect(maps).toMatchObject({ status: 200, body: { kind: 'ConfigMapList', items: [] } });
    });

    it('can be asked for at an exact version', async () => {
      const first = await createMap('exact-a');
      await createMap('exact-b');
      const query = { labelSelector: 'list=exact' };
      const exact = { ...query, resourceVersion: versionOf(first), resourceVersionMatch: 'Exact' };
      const then = accepted(await list('configmaps', exact));
      const now = accepted(await list('configmaps', query));
      expect([itemNames(then), itemNames(now)]).toEqual([['exact-a'], ['exact-a', 'exact-b']]);
      expect(versionOf(then)).toBe(versionOf(first));
    });

    it('at a version to come are refused as too early', async () => {
      const answer = await list('configmaps', { resourceVersion: '99999999999' });
      expect(answer).toMatchObject({
        status: 504,
        body: {
          reason: 'Timeout',
          details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
        },
      });
    });

    it('at a forgotten version, and their pages, are answered with 410', async () => {
      const first = await createMap('old-a');
      await createMap('old-b');
      const query = { labelSelector: 'list=old', limit: '1' };
      const page = accepted(await list('configmaps', query));
      await createMap('old-c');
      await connected().client.forgetHistory();
      expect(
        await list('configmaps', { resourceVersion: versionOf(first), resourceVersionMatch: 'Exact' }),
      ).toMatchObject({ status: 410, body: { reason: 'Expired', code: 410 } });
      const next = await list('configmaps', { ...query, continue: continueOf(page) });
      expect(next).toMatchObject({ status: 410, body: { reason: 'Expired', code: 410 } });
      // The token in the answer goes on where the old one stood, with what is there now.
      const rest = await list('configmaps', { labelSelector: 'list=old', continue: continueOf(next.body) });
      expect(itemNames(accepted(rest))).toEqual(['old-b', 'old-c']);
    });

    describe('are narrowed by selectors', () => {
      let bound = '';
      beforeAll(async () => {
        const { client } = connected();
        await createPod(connected(), { name: 'sel-a', labels: { app: 'x', tier: 'front', sel: '1' } });
        await createPod(connected(), { name: 'sel-b', labels: { app: 'x', tier: 'back', sel: '1' } });
        const pod = await createPod(connected(), { name: 'sel-c', labels: { app: 'y', sel: '1' } });
        bound = nameOf(pod);
        const body = { metadata: { name: bound }, target: { kind: 'Node', name: 'node-sel' } };
        accepted(await client.send('POST', `${pathOf(connected(), 'pods', bound)}/binding`, { body }));
      });

      it.each([
        { selector: 'app=x', want: ['sel-a', 'sel-b'] },
        { selector: 'app==x,tier=front', want: ['sel-a'] },
        { selector: 'app!=x', want: ['sel-c'] },
        { selector: 'tier', want: ['sel-a', 'sel-b'] },
        { selector: '!tier', want: ['sel-c'] },
        { selector: 'tier in (front, back)', want: ['sel-a', 'sel-b'] },
        { selector: 'tier notin (front)', want: ['sel-b', 'sel-c'] },
        { selector: 'tier!=front', want: ['sel-b', 'sel-c'] },
        { selector: 'app in (x),!absent,tier', want: ['sel-a', 'sel-b'] },
      ])('of labels: $selector', async ({ selector, want }) => {
        const pods = accepted(await list('pods', { labelSelector: `sel=1,${selector}` }));
        expect(itemNames(pods)).toEqual(want);
      });

      it.each([
        { selector: 'metadata.name=sel-a', want: ['sel-a'] },
        { selector: 'metadata.name!=sel-a', want: ['sel-b', 'sel-c'] },
        { selector: 'spec.nodeName=', want: ['sel-a', 'sel-b'] },
        { selector: 'spec.nodeName=node-sel', want: ['sel-c'] },
        { selector: 'spec.nodeName!=,status.phase=Pending', want: ['sel-c'] },
        { selector: 'status.phase=Running', want: [] },
        { selector: 'spec.schedulerName=default-scheduler', want: ['sel-a', 'sel-b', 'sel-c'] },
      ])('of fields: $selector', async ({ selector, want }) => {
        const pods = accepted(await list('pods', { labelSelector: 'sel=1', fieldSelector: selector }));
        expect(itemNames(pods)).toEqual(want);
      });

      it('across all namespaces', async () => {
        const { client, namespace } = connected();
        const query = new URLSearchParams({
          fieldSelector: `metadata.namespace=${namespace}`,
          labelSelector: 'sel',
        });
        const pods = accepted(await client.send('GET', `/api/v1/pods?${query.toString()}`));
        expect(itemNames(pods)).toEqual(['sel-a', 'sel-b', 'sel-c']);
      });

      it('of events by the object they are about', async () => {
        const { client, namespace } = connected();
        const body = {
          metadata: { generateName: 'event-' },
          involvedObject: { kind: 'Pod', namespace, name: 'sel-a', uid: 'uid-1' },
          reason: 'Selected',
          message: 'any',
          type: 'Normal',
        };
        accepted(await client.send('POST', pathOf(connected(), 'events'), { body }));
        const about = (name: string) =>
          list('events', {
            fieldSelector: `involvedObject.name=${name},involvedObject.uid=uid-1,reason=Selected`,
          });
        expect(itemNames(accepted(await about('sel-a')))).toHaveLength(1);
        expect(itemNames(accepted(await about('sel-b')))).toHaveLength(0);
      });
    });
  });
}
