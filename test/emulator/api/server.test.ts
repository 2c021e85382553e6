import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { kubeconfigFor } from '../../../src/emulator/api/kubeconfig.ts';
import { startEmulator } from '../../../src/emulator/api/server.ts';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { loadCredentials } from '../../../src/kubernetes/credentials.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ApiClient } from '../../contract/api-client.ts';
import { podNamed, podsPath, seededRandom, startFixture } from './emulator-fixture.ts';

describe('startEmulator', () => {
  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.example.com'])(
    'refuses to listen on %s, since it asks nobody who they are',
    async (host) => {
      await expect(startEmulator({ clock: systemClock, random: seededRandom(), host })).rejects.toThrow(
        'loopback',
      );
    },
  );

  it('closes twice without harm, in the middle of a watch', async () => {
    const { client, emulator } = await startFixture();
    const watch = await client.watch(`${podsPath}?watch=true`);
    await Promise.all([emulator.close(), emulator.close()]);
    expect(await watch.next()).toBeUndefined();
  });

  it('rejects a port that is taken', async () => {
    const { emulator } = await startFixture();
    const port = Number(new URL(emulator.url).port);
    await expect(startEmulator({ clock: systemClock, random: seededRandom(), port })).rejects.toThrow(
      'EADDRINUSE',
    );
  });

  it('serves HTTPS with the certificate it is given', async () => {
    const nowMs = Date.now();
    const authority = await issueAuthority({ commonName: 'test', validDays: 1, nowMs });
    const leaf = await issueLeaf({ authority, names: ['127.0.0.1'], validDays: 1, nowMs });
    if (!leaf.ok) throw new Error(leaf.problem);
    const emulator = await startEmulator({ clock: systemClock, random: seededRandom(), tls: leaf.value });
    const client = new ApiClient({
      baseUrl: emulator.url,
      authority: authority.certificate,
      forgetHistory: () => Promise.resolve(),
      close: () => emulator.close(),
    });
    expect(await client.send('GET', '/readyz')).toMatchObject({ status: 200, body: { text: 'ok' } });
    await client.close();
  });

  it('repeats itself with the same source of chance', async () => {
    const create = async () => {
      const { client } = await startFixture({ clock: new ManualClock() });
      const body = { ...podNamed('', { generateName: 'g-' }) };
      return (await client.send('POST', podsPath, { body })).body;
    };
    expect(await create()).toEqual(await create());
  });

  it('begins with the namespaces that every cluster has', async () => {
    const { client } = await startFixture();
    const { body } = await client.send('GET', '/api/v1/namespaces');
    expect((body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
  });
});

describe('the API', () => {
  it('lists groups, versions and resources for discovery', async () => {
    const { client } = await startFixture();
    const groups = (await client.send('GET', '/apis')).body['groups'] as { name: string }[];
    expect(groups.map(({ name }) => name).toSorted()).toEqual([
      'admissionregistration.k8s.io',
      'coordination.k8s.io',
      'events.k8s.io',
    ]);
    const core = (await client.send('GET', '/api/v1')).body['resources'] as { name: string }[];
    expect(core.map(({ name }) => name)).toEqual([
      'bindings',
      'configmaps',
      'events',
      'namespaces',
      'namespaces/status',
      'nodes',
      'nodes/status',
      'pods',
      'pods/status',
      'pods/binding',
      'pods/eviction',
      'resourcequotas',
      'resourcequotas/status',
      'secrets',
    ]);
    expect(core.find(({ name }) => name === 'pods')).toMatchObject({ shortNames: ['po'], kind: 'Pod' });
  });

  it('serves every resource that discovery names', async () => {
    const { client } = await startFixture();
    const roots = [
      '/api/v1',
      '/apis/admissionregistration.k8s.io/v1',
      '/apis/coordination.k8s.io/v1',
      '/apis/events.k8s.io/v1',
    ];
    for (const root of roots) {
      const listed = (await client.send('GET', root)).body['resources'] as {
        name: string;
        verbs: string[];
      }[];
      for (const { name } of listed.filter(({ verbs }) => verbs.includes('list'))) {
        expect(await client.send('GET', `${root}/${name}`)).toMatchObject({
          status: 200,
          body: { items: expect.any(Array) },
        });
      }
    }
  });

  it('tells kubectl, by OpenAPI, that files may be applied without a local check', async () => {
    const { client } = await startFixture();
    const index = (await client.send('GET', '/openapi/v3')).body['paths'] as Record<
      string,
      { serverRelativeURL: string }
    >;
    const document = await client.send('GET', index['api/v1']!.serverRelativeURL);
    expect(document.body['paths']).toMatchObject({
      '/api/v1/namespaces/{namespace}/pods/{name}': {
        patch: {
          parameters: [{ name: 'fieldValidation', in: 'query' }],
          'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Pod' },
        },
      },
    });
  });

  it('takes a namespace away with all that is in it', async () => {
    const { client, emulator } = await startFixture();
    await client.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'team' } } });
    const pods = '/api/v1/namespaces/team/pods';
    await client.send('POST', pods, { body: podNamed('a') });
    await client.send('POST', podsPath, { body: podNamed('kept') });
    const binding = { metadata: { name: 'a' }, target: { kind: 'Node', name: 'n' } };
    await client.send('POST', `${pods}/a/binding`, { body: binding });
    const watch = await client.watch(`${pods}?watch=true&resourceVersion=${emulator.store.version}`);
    await client.send('DELETE', '/api/v1/namespaces/team');
    expect(await watch.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } });
    const left = (await client.send('GET', '/api/v1/pods')).body['items'] as { metadata: { name: string } }[];
    expect(left.map(({ metadata }) => metadata.name)).toEqual(['kept']);
    expect(await client.send('POST', pods, { body: podNamed('b') })).toMatchObject({ status: 404 });
  });

  it('drops labels of a Binding when told to be an older server, and always keeps annotations', async () => {
    const { client } = await startFixture({ copiesBindingLabels: false });
    await client.send('POST', podsPath, { body: podNamed('a') });
    const metadata = { name: 'a', labels: { l: '1' }, annotations: { a: '1' } };
    const body = { metadata, target: { kind: 'Node', name: 'n' } };
    await client.send('POST', `${podsPath}/a/binding`, { body });
    const pod = (await client.send('GET', `${podsPath}/a`)).body;
    expect(pod).toMatchObject({ metadata: { annotations: { a: '1' } }, spec: { nodeName: 'n' } });
    expect((pod['metadata'] as { labels?: unknown }).labels).toBeUndefined();
  });

  it('gives a bound pod the zone and region of its node', async () => {
    const { client } = await startFixture();
    const labels = { 'topology.kubernetes.io/zone': 'z1', other: 'x' };
    await client.send('POST', '/api/v1/nodes', { body: { metadata: { name: 'n', labels } } });
    await client.send('POST', podsPath, { body: podNamed('a') });
    const body = { metadata: { name: 'a' }, target: { kind: 'Node', name: 'n' } };
    await client.send('POST', `${podsPath}/a/binding`, { body });
    const pod = (await client.send('GET', `${podsPath}/a`)).body;
    expect((pod['metadata'] as { labels?: unknown }).labels).toEqual({ 'topology.kubernetes.io/zone': 'z1' });
  });

  it('refuses a body beyond its limit with 413', async () => {
    const { client } = await startFixture();
    const body = podNamed('a', { annotations: { a: 'x'.repeat(3 * 1024 * 1024) } });
    expect(await client.send('POST', podsPath, { body })).toMatchObject({
      status: 413,
      body: { kind: 'Status', reason: 'RequestEntityTooLarge', code: 413 },
    });
  });

  it('keeps the newest five thousand events', async () => {
    const { client, emulator } = await startFixture();
    for (let index = 0; index < 5000; index += 1) {
      const metadata = { name: `old-${index}`, namespace: 'default' };
      emulator.store.put('events', { metadata, involvedObject: {} });
    }
    const body = { metadata: { name: 'new' }, involvedObject: {}, reason: 'R', message: 'm', type: 'Normal' };
    const path = '/api/v1/namespaces/default/events';
    expect(await client.send('POST', path, { body })).toMatchObject({ status: 201 });
    expect(emulator.store.collection('events').size).toBe(5000);
    expect(await client.send('GET', `${path}/old-0`)).toMatchObject({ status: 404 });
    expect(await client.send('GET', `${path}/old-1`)).toMatchObject({ status: 200 });
  });
});

describe('kubeconfigFor', () => {
  it('names the server and makes it the current context', () => {
    const config = parse(kubeconfigFor('http://127.0.0.1:1234')) as unknown;
    expect(config).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'tessera-demo',
          cluster: { server: 'http://127.0.0.1:1234', 'insecure-skip-tls-verify': true },
        },
      ],
      users: [{ name: 'tessera-demo', user: { token: 'anybody' } }],
      contexts: [
        {
          name: 'tessera-demo',
          context: { cluster: 'tessera-demo', user: 'tessera-demo', namespace: 'default' },
        },
      ],
      'current-context': 'tessera-demo',
    });
  });

  it('is one with which our own commands connect', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tessera-kubeconfig-'));
    const path = join(directory, 'kubeconfig');
    await writeFile(path, kubeconfigFor('http://127.0.0.1:1234'));
    expect(await loadCredentials({ kind: 'kubeconfig', path })).toMatchObject({
      ok: true,
      value: { server: 'http://127.0.0.1:1234' },
    });
    await rm(directory, { recursive: true });
  });

  it('carries the authority of an HTTPS server', () => {
    expect(parse(kubeconfigFor('https://127.0.0.1:1', 'PEM'))).toMatchObject({
      clusters: [{ cluster: { 'certificate-authority-data': Buffer.from('PEM').toString('base64') } }],
    });
  });
});
