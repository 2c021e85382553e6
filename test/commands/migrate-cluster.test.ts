/** How the migration check reads a cluster: lists alone, in pages, and without what it may not see. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { collectCluster } from '../../src/commands/migrate-cluster.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { ApiServer } from '../support/api-server.ts';

const paths = {
  nodes: '/api/v1/nodes',
  pods: '/api/v1/pods',
  quotas: '/api/v1/resourcequotas',
  webhooks: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  configMaps: '/api/v1/configmaps',
  leases: '/apis/coordination.k8s.io/v1/leases',
};

let server: ApiServer;
let client: RestClient;
beforeEach(async () => {
  server = await ApiServer.start();
  client = new RestClient({ access: openAccess(server.url), clock: systemClock, version: 'test' });
});
afterEach(async () => {
  client.close();
  await server.close();
});

const named = (name: string) => ({ metadata: { name } });

describe('collectCluster', () => {
  it('lists every kind once, all pages of it, and writes nothing', async () => {
    const collected = collectCluster(client);
    const methods: string[] = [];
    const answer = async (path: string, items: readonly object[], continueToken = '') => {
      const request = await server.next(path);
      methods.push(request.method);
      request.page(items, { continueToken });
      return request.query;
    };
    await answer(paths.nodes, [named('n1')], 'more');
    expect((await answer(paths.nodes, [named('n2')])).get('continue')).toBe('more');
    expect((await answer(paths.pods, [named('p1')])).get('limit')).toBe('500');
    await answer(paths.quotas, []);
    await answer(paths.webhooks, [named('hami-webhook')]);
    const configMaps = await answer(paths.configMaps, [named('c')]);
    expect(configMaps.get('labelSelector')).toBe('app.kubernetes.io/component=hami-scheduler');
    await answer(paths.leases, []);
    expect(await collected).toEqual({
      ok: true,
      value: {
        objects: [
          { kind: 'Node', value: named('n1') },
          { kind: 'Node', value: named('n2') },
          { kind: 'Pod', value: named('p1') },
          { kind: 'MutatingWebhookConfiguration', value: named('hami-webhook') },
          { kind: 'ConfigMap', value: named('c') },
        ],
        missing: new Map(),
      },
    });
    expect(new Set(methods)).toEqual(new Set(['GET']));
    expect(server.waiting).toBe(0);
  });

  it('goes on without kinds that it may not list, and names them', async () => {
    const collected = collectCluster(client);
    for (const path of [paths.nodes, paths.pods]) (await server.next(path)).page([named('x')]);
    for (const path of [paths.quotas, paths.webhooks, paths.configMaps, paths.leases]) {
      (await server.next(path)).refuse(403, { reason: 'Forbidden', message: 'no' });
    }
    const refusal = 'HTTP 403 Forbidden: no';
    expect(await collected).toMatchObject({
      ok: true,
      value: {
        missing: new Map([
          ['ResourceQuota', refusal],
          ['MutatingWebhookConfiguration', refusal],
          ['ConfigMap', refusal],
          ['Lease', refusal],
        ]),
      },
    });
  });

  it.each([
    { name: 'nodes', before: [], path: paths.nodes },
    { name: 'pods', before: [paths.nodes], path: paths.pods },
  ])('refuses without $name', async ({ before, path }) => {
    const collected = collectCluster(client);
    for (const earlier of before) (await server.next(earlier)).page([]);
    (await server.next(path)).refuse(403, { reason: 'Forbidden', message: 'no' });
    const problem = `${path} cannot be listed: HTTP 403 Forbidden: no`;
    expect(await collected).toEqual({ ok: false, problem });
  });

  it('refuses an answer that is no list', async () => {
    const collected = collectCluster(client);
    (await server.next(paths.nodes)).json({});
    expect(await collected).toMatchObject({ ok: false });
  });
});
