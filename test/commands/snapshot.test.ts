/** `tessera snapshot` against an API server: what goes into the file, what stays out, and how it fails. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readSnapshotFile } from '../../src/commands/snapshot-file.ts';
import { collectSnapshotObjects } from '../../src/commands/snapshot-objects.ts';
import { kubeconfigFor } from '../../src/emulator/api/kubeconfig.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { startFixture } from '../emulator/api/emulator-fixture.ts';
import { ApiServer } from '../support/api-server.ts';
import { gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import { Tessera } from './child-process.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const paths = { nodes: '/api/v1/nodes', pods: '/api/v1/pods', quotas: '/api/v1/resourcequotas' };
const secret = 'hunter2';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const probe = { exec: { command: ['check', secret] } };
const container = {
  name: 'main',
  image: 'registry.example/app:1',
  resources: { limits: gpuLimits({ count: 1, memoryMiB: 3000 }) },
};
const talkative = {
  ...container,
  env: [{ name: 'PASSWORD', value: secret }],
  envFrom: [{ secretRef: { name: secret } }],
  command: ['run', secret],
  args: [secret],
  lifecycle: { preStop: probe },
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  volumeMounts: [{ name: 'v', mountPath: `/${secret}` }],
  volumeDevices: [{ name: 'v', devicePath: `/${secret}` }],
};
const ended = (message?: string) => ({
  terminated: { exitCode: 1, ...(message === undefined ? {} : { message }) },
});
const metadata = {
  name: 'p',
  namespace: 'team',
  uid: 'u',
  labels: { env: 'production' },
  annotations: { 'nvidia.com/use-gputype': 'A100', [lastApplied]: secret },
  managedFields: [{ manager: secret }],
};
const pod = {
  metadata,
  spec: {
    nodeSelector: { env: 'production', command: 'x' },
    initContainers: [{ ...talkative, name: 'init' }],
    containers: [talkative],
    ephemeralContainers: [{ ...talkative, name: 'debug' }],
    volumes: [{ name: 'v', secret: { secretName: secret } }],
    hostAliases: [{ ip: '10.0.0.1', hostnames: [secret] }],
  },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'main', state: { running: {} }, lastState: ended(secret) }],
    initContainerStatuses: [{ name: 'init', state: ended(secret) }],
  },
};
const trimmedPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    namespace: 'team',
    uid: 'u',
    labels: { env: 'production' },
    annotations: { 'nvidia.com/use-gputype': 'A100' },
  },
  spec: {
    nodeSelector: { env: 'production', command: 'x' },
    initContainers: [{ ...container, name: 'init' }],
    containers: [container],
    ephemeralContainers: [{ ...container, name: 'debug' }],
  },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'main', state: { running: {} }, lastState: ended() }],
    initContainerStatuses: [{ name: 'init', state: ended() }],
  },
};

describe('the objects of a snapshot', () => {
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
  const answer = async (path: string, items: readonly object[], continueToken = '') => {
    const request = await server.next(path);
    expect(request.method).toBe('GET');
    request.page(items, { continueToken });
    return request.query.get('continue');
  };

  it('are those of all pages, with kind and version, without what people keep to themselves', async () => {
    const collected = collectSnapshotObjects(client);
    const node = {
      metadata: { name: 'n1', annotations: { [lastApplied]: secret } },
      status: { allocatable: { cpu: '8' }, images: [{ names: [secret] }] },
    };
    await answer(paths.nodes, [node], 'more');
    expect(await answer(paths.nodes, [{ metadata: { name: 'n2' } }])).toBe('more');
    await answer(paths.pods, [pod]);
    await answer(paths.quotas, [{ metadata: { name: 'q' }, spec: { hard: { pods: '3' } } }]);
    const wanted = {
      warnings: [],
      objects: [
        { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status: { allocatable: { cpu: '8' } } },
        { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } },
        trimmedPod,
        { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard: { pods: '3' } } },
      ],
    };
    const snapshot = await collected;
    expect(snapshot).toEqual({ ok: true, value: wanted });
    expect(JSON.stringify(snapshot)).not.toContain(secret);
  });

  it('may lack the quotas, which is told', async () => {
    const collected = collectSnapshotObjects(client);
    await answer(paths.nodes, []);
    await answer(paths.pods, []);
    (await server.next(paths.quotas)).refuse(403, { reason: 'Forbidden', message: 'no' });
    const warning = `the snapshot has no ResourceQuotas: ${paths.quotas}: HTTP 403 Forbidden: no`;
    expect(await collected).toEqual({ ok: true, value: { objects: [], warnings: [warning] } });
  });

  it.each([
    { name: 'nodes', before: [], path: paths.nodes },
    { name: 'pods', before: [paths.nodes], path: paths.pods },
  ])('are refused without $name', async ({ before, path }) => {
    const collected = collectSnapshotObjects(client);
    for (const earlier of before) await answer(earlier, []);
    (await server.next(path)).refuse(403, { reason: 'Forbidden', message: 'no' });
    expect(await collected).toEqual({ ok: false, problem: `${path}: HTTP 403 Forbidden: no` });
  });

  it('are refused where a later page does not come', async () => {
    const collected = collectSnapshotObjects(client);
    await answer(paths.nodes, [], 'more');
    (await server.next(paths.nodes)).refuse(410, { reason: 'Expired', message: 'too old' });
    expect(await collected).toEqual({ ok: false, problem: `${paths.nodes}: HTTP 410 Expired: too old` });
  });
});

describe('tessera snapshot', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-snapshot-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('writes a file that --snapshot reads, or the same to standard output', async () => {
    const { emulator } = await startFixture();
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigFor(emulator.url));
    const post = async (path: string, object: object) => {
      const body = JSON.stringify(object);
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${emulator.url}${path}`, { method: 'POST', body, headers });
      expect(answer.status).toBe(201);
    };
    const { status } = makeNodeObject({ devices: [{ id: 'GPU-a' }] });
    await post(paths.nodes, { metadata: { name: 'n1' }, status });
    const waiting = {
      metadata: { name: 'p' },
      spec: { containers: [{ ...container, env: talkative.env }] },
    };
    await post('/api/v1/namespaces/default/pods', waiting);

    const output = join(directory, 'snapshot.json');
    const nowhere = join(directory, 'nowhere', 'snapshot.json');
    const take = (...flags: readonly string[]) =>
      new Tessera(['snapshot', '--kubeconfig', kubeconfig, ...flags]).ended();
    const [toFile, printed, refused] = await Promise.all([
      take('--output', output),
      take(),
      take('--output', nowhere),
    ]);
    const text = readFileSync(output, 'utf8');
    expect(toFile).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(printed).toEqual({ code: 0, stdout: text, stderr: '' });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`tessera: ${nowhere}: cannot be written: ENOENT`);
    expect(text).not.toContain(secret);
    const snapshot = readSnapshotFile(output);
    if (!snapshot.ok) throw new Error(snapshot.problem);
    expect(snapshot.value.nodes.map(({ name }) => name)).toEqual(['n1']);
    expect(snapshot.value.pods).toMatchObject([
      { name: 'p', phase: 'Pending', containers: [{ limits: { 'nvidia.com/gpu': '1' } }] },
    ]);
  });

  it('ends with 1 and a sentence without a kubeconfig that can be read', async () => {
    const { code, stdout, stderr } = await new Tessera([
      'snapshot',
      '--kubeconfig',
      '/nowhere/config',
    ]).ended();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^tessera: .*\/nowhere\/config/);
  });
});
