/** `tessera doctor` as people run it, on an API server and a server of ours over real HTTP. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PemPair } from '../../../src/certificates/pem.ts';
import { kubeconfigFor } from '../../../src/emulator/api/kubeconfig.ts';
import { makeAuthority, makeLeaf } from '../../http/certificates.ts';
import { makeServedApp, type ServedAppFields } from '../../http/served-app.ts';
import { EmbeddedApi } from '../../kubernetes/support/embedded-api.ts';
import { allocationAnnotations } from '../../state/support/device-states.ts';
import { gpuLimits, makeNodeObject, makePod } from '../../support/kubernetes-objects.ts';
import { Tessera } from '../child-process.ts';

// A process needs half a second of its own, more on a busy machine, and three for a second look.
jest.setTimeout(90_000);

const pods = '/api/v1/namespaces/default/pods';
const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
const allocated = 'gpu-0,NVIDIA,3000,0:;';
const node = makeNodeObject({ devices: [{}], resourceVersion: '' });

let directory: string;
let kubeconfig: string;
let api: EmbeddedApi;
let servers: Server[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tessera-doctor-'));
  api = await EmbeddedApi.start();
  kubeconfig = fileOf('kubeconfig', kubeconfigFor(api.emulator.url));
  servers = [];
  await api.send('POST', '/api/v1/nodes', node);
});

afterEach(async () => {
  for (const server of servers) {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }
  await api.close();
  rmSync(directory, { recursive: true });
});

function fileOf(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** Stores a pod that is bound to n1 with an allocation. */
async function bindPod(): Promise<string> {
  const containers = [{ name: 'c0', image: 'i', resources: { limits } }];
  await api.send('POST', pods, { metadata: { name: 'a' }, spec: { containers } });
  const metadata = { name: 'a', annotations: allocationAnnotations('n1', allocated) };
  await api.send('POST', `${pods}/a/binding`, { metadata, target: { kind: 'Node', name: 'n1' } });
  const stored = (await api.read(`${pods}/a`)) as { readonly metadata: { readonly uid: string } };
  return stored.metadata.uid;
}

/** With a certificate, over HTTPS. */
async function serve(fields: ServedAppFields, pair?: PemPair): Promise<string> {
  const { app } = makeServedApp({ nodes: [node], ...fields });
  const server =
    pair === undefined ? createServer(app) : createTlsServer({ cert: pair.certificate, key: pair.key }, app);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `${pair === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Has API servers trust this authority when they call the webhook. */
async function tellAuthority(authority: string): Promise<void> {
  const collection = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const caBundle = Buffer.from(authority).toString('base64');
  const webhook = {
    name: 'pods.tessera.io',
    clientConfig: { url: 'https://127.0.0.1:1/mutate', caBundle },
    rules: [],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const configuration = { metadata: { name: 'tessera' }, webhooks: [webhook] };
  const exists = await api.read(`${collection}/tessera`).then(
    () => true,
    () => false,
  );
  if (exists) await api.send('PATCH', `${collection}/tessera`, configuration);
  else await api.send('POST', collection, configuration);
}

const doctor = (...args: readonly string[]) => new Tessera(['doctor', ...args]).ended();

describe('tessera doctor', () => {
  it('ends with 0 where nothing is wrong, names what it lacks, and writes nothing', async () => {
    await bindPod();
    const before = JSON.stringify(await api.read(`${pods}/a`));
    const { code, stdout, stderr } = await doctor('--kubeconfig', kubeconfig);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Looked at 1 node, 1 pod and no server: 0 faults, 2 notes\.\n/);
    expect(stdout).toContain('Cluster server: no --server is named');
    expect(stdout).toContain('Cluster seals: namespace tessera-system has no key of a seal');
    expect(stdout).toMatch(/\nNothing is wrong\.\n$/);
    expect(JSON.stringify(await api.read(`${pods}/a`))).toBe(before);
    await expect(api.read('/api/v1/namespaces/tessera-system/secrets/tessera-seal')).rejects.toThrow('404');
  });

  it('checks seals where it may read their key', async () => {
    await bindPod();
    const namespace = 'tessera-system';
    await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const data = { key: Buffer.alloc(32, 7).toString('base64') };
    await api.send('POST', `/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: 'tessera-seal' },
      data,
    });
    const { code, stdout } = await doctor('--kubeconfig', kubeconfig, '--namespace', namespace);
    expect(code).toBe(0);
    expect(stdout).toContain('  AllocationUnsealed\n    Pod default/a: ');
    expect(stdout).not.toContain('Cluster seals');
  });

  it('compares the ledger of a server, and is content where it agrees', async () => {
    const uid = await bindPod();
    const annotations = allocationAnnotations('n1', allocated);
    const pod = makePod({ name: 'a', uid, nodeName: 'n1', annotations, containers: [{ limits }] });
    const server = await serve({ pods: [pod] });
    const { code, stdout } = await doctor('--kubeconfig', kubeconfig, '--server', server);
    expect(stdout).toMatch(/^Looked at 1 node, 1 pod and a server’s ledger of 1 allocation: 0 faults/);
    expect(code).toBe(0);
  });

  it('ends with 1 where a second look shows the same, with one JSON document if asked', async () => {
    await bindPod();
    const server = await serve({});
    const { code, stdout } = await doctor('--kubeconfig', kubeconfig, '--server', `${server}/`, '--json');
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(['version', 'looked', 'counts', 'findings']);
    expect(report).toMatchObject({
      version: 1,
      looked: { nodes: 1, pods: 1, entries: 0 },
      counts: { fault: 1 },
    });
    expect((report['findings'] as readonly unknown[])[0]).toEqual({
      code: 'LedgerMissing',
      severity: 'fault',
      object: { kind: 'Pod', namespace: 'default', name: 'a' },
      sentence: expect.any(String),
      remedy: expect.any(String),
    });
  });

  it('checks the server’s certificate against what API servers are told to trust', async () => {
    const [own, other] = [await makeAuthority(), await makeAuthority()];
    const server = await serve({}, await makeLeaf(own));
    const config = fileOf('tessera.yaml', 'tls: { secret: tessera-tls, webhookConfigurations: [tessera] }');
    const flags = ['--kubeconfig', kubeconfig, '--server', server, '--config', config];
    await tellAuthority(own.certificate);
    const sound = await doctor(...flags);
    expect({ code: sound.code, stderr: sound.stderr }).toEqual({ code: 0, stderr: '' });
    await tellAuthority(other.certificate);
    const unasked = await doctor(...flags);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('cannot be asked');
    const ca = fileOf('ca.crt', own.certificate);
    const { code, stdout } = await doctor(...flags, '--server-ca', ca);
    expect(code).toBe(1);
    expect(stdout).toContain('  CaBundleDiffers\n    MutatingWebhookConfiguration tessera: ');
  });

  it.each([
    { name: 'a file that is not there', args: ['--kubeconfig', '/none'], want: '/none' },
    { name: 'a flag that nobody knows', args: ['--servers'], want: "unknown option '--servers'" },
    { name: 'no address', args: ['--server', 'here'], want: '--server: here is no http(s) address' },
    { name: 'no authority', args: ['--server-ca', '/none'], want: '--server-ca: /none: ' },
  ])('ends with 2 for $name', async ({ args, want }) => {
    const { code, stdout, stderr } = await doctor(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(want);
  });

  it('ends with 2 where a server that was named does not answer, or not as ours do', async () => {
    const refused = await doctor('--kubeconfig', kubeconfig, '--server', 'http://127.0.0.1:1');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('http://127.0.0.1:1 cannot be asked: ');
    const other = await doctor('--kubeconfig', kubeconfig, '--server', api.emulator.url);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('cannot be asked: HTTP 404');
  });
});
