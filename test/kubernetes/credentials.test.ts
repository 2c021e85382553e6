import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import type { PemPair } from '../../src/certificates/pem.ts';
import { type CredentialSource, loadCredentials } from '../../src/kubernetes/credentials.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { ApiServer } from '../support/api-server.ts';
import { ManualClock } from '../support/manual-clock.ts';

// Some of it waits for TLS, on a machine that may be busy.
jest.setTimeout(20_000);

let authority: PemPair;
let serverPair: PemPair;
let clientPair: PemPair;
let directory: string;
let server: ApiServer;

beforeAll(async () => {
  const terms = { validDays: 2, nowMs: Date.now() };
  authority = await issueAuthority({ commonName: 'test authority', ...terms });
  serverPair = await leafOf({ names: ['127.0.0.1'], ...terms });
  clientPair = await leafOf({ names: ['tessera.test'], clientAuth: true, ...terms });
}, 30_000);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tessera-credentials-'));
  server = await ApiServer.start({
    cert: serverPair.certificate,
    key: serverPair.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  });
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

async function leafOf(order: Omit<Parameters<typeof issueLeaf>[0], 'authority'>): Promise<PemPair> {
  const leaf = await issueLeaf({ authority, ...order });
  if (!leaf.ok) throw new Error(leaf.problem);
  return leaf.value;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

interface FileFields {
  readonly users?: Readonly<Record<string, object>>;
  readonly currentContext?: string;
  readonly url?: string;
  readonly ca?: string;
  readonly cluster?: object;
}

/** A kubeconfig with a context per user, of the user's name. JSON is YAML, too. */
async function writeKubeconfig(fields: FileFields = {}): Promise<string> {
  const { users = { admin: { token: 'sesame' } }, currentContext = 'admin', url = server.url } = fields;
  const ca = base64(fields.ca ?? authority.certificate);
  const path = join(directory, 'config');
  const cluster = { server: url, 'certificate-authority-data': ca, ...fields.cluster };
  const file = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: Object.entries(users).map(([name, user]) => ({ name, user })),
    contexts: Object.keys(users).map((name) => ({
      name,
      context: { cluster: 'c', user: name, namespace: `${name}-space` },
    })),
    ...(currentContext === '' ? {} : { 'current-context': currentContext }),
  };
  await writeFile(path, JSON.stringify(file));
  return path;
}

/** Loads a source and sends a request with it; answers the request as the server saw it. */
async function callWith(source: CredentialSource) {
  const credentials = await load(source);
  const client = new RestClient({ access: credentials, clock: new ManualClock(), version: '0' });
  const call = async (status = 200) => {
    const result = client.request({ method: 'GET', path: '/version', timeoutMs: 5000 });
    const request = await server.next();
    if (status === 200) request.json({});
    else request.refuse(status);
    await result;
    return request;
  };
  const request = await call();
  return { credentials, client, call, request };
}

async function load(source: CredentialSource) {
  const credentials = await loadCredentials(source);
  if (!credentials.ok) throw new Error(credentials.problem);
  return credentials.value;
}

describe('loadCredentials from a kubeconfig', () => {
  it('shows the token of the current context to a server that the file vouches for', async () => {
    const path = await writeKubeconfig({ users: { admin: { token: 'sesame' }, other: { token: 'x' } } });
    const { request, credentials, client } = await callWith({ kind: 'kubeconfig', path });
    expect(request.headers.authorization).toBe('Bearer sesame');
    expect(credentials.namespace).toBe('admin-space');
    client.close();
  });

  it('uses the context that is named instead', async () => {
    const path = await writeKubeconfig({ users: { admin: { token: 'sesame' }, other: { token: 'x' } } });
    const { request, client } = await callWith({ kind: 'kubeconfig', path, context: 'other' });
    expect(request.headers.authorization).toBe('Bearer x');
    client.close();
  });

  it('shows a client certificate', async () => {
    const user = {
      'client-certificate-data': base64(clientPair.certificate),
      'client-key-data': base64(clientPair.key),
    };
    const path = await writeKubeconfig({ users: { admin: user } });
    const { request, client } = await callWith({ kind: 'kubeconfig', path });
    expect(request.certificateName).toBe('tessera.test');
    expect(request.headers.authorization).toBeUndefined();
    client.close();
  });

  it('finds certificates in files beside the kubeconfig', async () => {
    await writeFile(join(directory, 'client.crt'), clientPair.certificate);
    await writeFile(join(directory, 'client.key'), clientPair.key);
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' };
    const path = await writeKubeconfig({ users: { admin: user } });
    const { request, client } = await callWith({ kind: 'kubeconfig', path });
    expect(request.certificateName).toBe('tessera.test');
    client.close();
  });

  it('runs a plugin once for all who ask at the same time, and again after the server refused its token', async () => {
    const runs = join(directory, 'runs');
    const script = join(directory, 'plugin.mjs');
    await writeFile(
      script,
      `import { appendFileSync, readFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(runs)}, 'x');
       const token = 'token-' + readFileSync(${JSON.stringify(runs)}).length;
       process.stdout.write(JSON.stringify({ kind: 'ExecCredential', status: { token } }));`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] };
    const path = await writeKubeconfig({ users: { admin: { exec } } });
    const { request, call, credentials, client } = await callWith({ kind: 'kubeconfig', path });
    expect(request.headers.authorization).toBe('Bearer token-1');

    await call(401);
    const [one, other] = await Promise.all([credentials.authorize(), credentials.authorize()]);
    expect([one.headers, other.headers]).toEqual([
      { Authorization: 'Bearer token-2' },
      { Authorization: 'Bearer token-2' },
    ]);
    client.close();
  });

  it('reads the file again after a 401, but never follows it to another server', async () => {
    const path = await writeKubeconfig();
    const { call, credentials, client } = await callWith({ kind: 'kubeconfig', path });
    await writeKubeconfig({ users: { admin: { token: 'rotated' } } });
    expect((await call(401)).headers.authorization).toBe('Bearer sesame');
    expect((await call()).headers.authorization).toBe('Bearer rotated');

    await writeKubeconfig({ url: 'https://elsewhere.test' });
    credentials.renew();
    const result = await client.request({ method: 'GET', path: '/version', timeoutMs: 5000 });
    expect(result).toMatchObject({ kind: 'transport', ambiguous: false });
    client.close();
  });

  it('sends nothing to a server that the file does not vouch for', async () => {
    const stranger = await issueAuthority({ commonName: 'stranger', validDays: 2, nowMs: Date.now() });
    const path = await writeKubeconfig({ ca: stranger.certificate });
    const access = await load({ kind: 'kubeconfig', path });
    const client = new RestClient({ access, clock: new ManualClock(), version: '0' });
    const result = await client.request({ method: 'POST', path: '/version', timeoutMs: 5000 });
    expect(result).toMatchObject({ kind: 'transport', ambiguous: false });
    expect(server.waiting).toBe(0);
    client.close();
  });

  const refusals: { name: string; fields: FileFields; context?: string; want: string }[] = [
    {
      name: 'refuses to choose when the file has no current context',
      fields: { currentContext: '', users: { a: { token: 'x' }, b: { token: 'y' } } },
      want: 'has no current context; name one of a, b',
    },
    {
      name: 'refuses a context that the file does not have',
      fields: {},
      context: 'prod',
      want: 'has no context prod, only admin',
    },
    {
      name: 'refuses a user who could only call anonymously',
      fields: { users: { admin: {} } },
      want: 'context admin: its user has no token, client certificate, plugin or password',
    },
    {
      name: 'refuses a server that is no address',
      fields: { url: 'not an address' },
      want: 'the server "not an address" is not an address',
    },
    {
      name: 'refuses a plugin that fails',
      fields: {
        users: {
          admin: {
            exec: {
              command: process.execPath,
              args: ['-e', 'process.stderr.write("no such account"); process.exit(3)'],
            },
          },
        },
      },
      want: 'cannot authenticate: no such account',
    },
    {
      name: 'refuses to send credentials over plain HTTP',
      fields: { url: 'http://127.0.0.1:1' },
      want: 'cannot authenticate: HTTP protocol is not allowed when skipTLSVerify is not set or false',
    },
  ];
  it.each(refusals)('$name', async ({ fields, context, want }) => {
    const path = await writeKubeconfig(fields);
    const result = await loadCredentials({
      kind: 'kubeconfig',
      path,
      ...(context === undefined ? {} : { context }),
    });
    expect(result).toEqual({ ok: false, problem: `kubeconfig ${path}: ${want}` });
  });

  it.each([
    { name: 'refuses a file that is not there', text: undefined, want: 'ENOENT' },
    { name: 'refuses a file that is no YAML', text: '{', want: 'end of the' },
    { name: 'refuses an empty file', text: '', want: 'input is empty' },
  ])('$name', async ({ text, want }) => {
    const path = join(directory, 'config');
    if (text !== undefined) await writeFile(path, text);
    const result = await loadCredentials({ kind: 'kubeconfig', path });
    expect(result.ok ? '' : result.problem).toContain(want);
    expect(result.ok ? '' : result.problem).toContain(`kubeconfig ${path}: `);
  });
});

describe('loadCredentials of a service account', () => {
  function source(environment: Readonly<Record<string, string>> = {}): CredentialSource {
    const { hostname, port } = new URL(server.url);
    return {
      kind: 'in-cluster',
      environment: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, ...environment },
      directory,
    };
  }

  beforeEach(async () => {
    await writeFile(join(directory, 'ca.crt'), authority.certificate);
    await writeFile(join(directory, 'token'), 'first\n');
    await writeFile(join(directory, 'namespace'), 'tessera-system\n');
  });

  it('shows its token, and the one that replaced it once the server refuses the old one', async () => {
    const { request, call, credentials, client } = await callWith(source());
    expect(request.headers.authorization).toBe('Bearer first');
    expect(credentials.namespace).toBe('tessera-system');
    await writeFile(join(directory, 'token'), 'second');
    await call(401);
    expect((await call()).headers.authorization).toBe('Bearer second');
    client.close();
  });

  it('puts an IPv6 address into brackets', async () => {
    const result = await load(source({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }));
    expect(result.server).toBe('https://[fd00::1]:443');
  });

  it('refuses where there is no service account', async () => {
    const result = await loadCredentials({ kind: 'in-cluster', environment: {}, directory });
    expect(result).toEqual({
      ok: false,
      problem:
        'service account: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod',
    });
  });

  it('refuses when the token is not mounted', async () => {
    await rm(join(directory, 'token'));
    const result = await loadCredentials(source());
    expect(result.ok ? '' : result.problem).toMatch(/^service account: cannot authenticate: ENOENT: .*token/);
  });
});
