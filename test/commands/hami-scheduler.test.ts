/**
 * `tessera hami-scheduler` as HAMi's chart starts it: its arguments, its environment, its roles, its kube-scheduler's
 * way of asking. The cluster is the embedded one, whose device plugin behaves like HAMi's.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestSecurely } from 'node:https';
import { request as requestPlainly } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { ControlPlane } from '../../src/commands/demo/control-plane.ts';
import { findKubeconfig } from '../../src/commands/hami-scheduler.ts';
import type { Environment } from '../../src/config/environment.ts';
import { version } from '../../src/commands/version.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { chartArguments } from '../config/hami-chart-arguments.ts';
import { makeAuthority, makeLeaf } from '../http/certificates.ts';
import { gpuLimits, makePod } from '../support/kubernetes-objects.ts';
import { Tessera } from './child-process.ts';
import { hamiPermissions } from './hami-roles.ts';
import { RbacGate } from './rbac-gate.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const namespace = 'kube-system';
const anyPort = '127.0.0.1:0';
const deviceConfigFile = fileURLToPath(new URL('../config/device-config.yaml', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tessera-hami-'));

let authority: string;
let plane: ControlPlane;
let gate: RbacGate;
const processes: Tessera[] = [];

beforeAll(async () => {
  const issuer = await makeAuthority();
  const leaf = await makeLeaf(issuer);
  authority = issuer.certificate;
  writeFileSync(join(directory, 'ca.crt'), authority);
  writeFileSync(join(directory, 'tls.crt'), leaf.certificate);
  writeFileSync(join(directory, 'tls.key'), leaf.key);

  const gpus = [{ type: 'NVIDIA A10', memoryMiB: 23_028 }];
  const machine = { cpu: '32', memory: '128Gi' };
  const started = await ControlPlane.start({
    nodes: [
      { name: 'n1', gpus, ...machine },
      { name: 'n2', gpus: [...gpus, ...gpus], ...machine },
      { name: 'n3', gpus: [], ...machine },
    ],
    random: () => 0.5,
    log: makeLogger({ level: 'silent' }),
  });
  if (!started.ok) throw new Error(started.problem);
  plane = started.value;
  gate = await RbacGate.start(plane.emulator.url, hamiPermissions(namespace), leaf);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: gate.url, 'certificate-authority': join(directory, 'ca.crt') } },
    ],
    users: [{ name: 'u', user: { token: 'of-the-service-account' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(join(directory, 'kubeconfig'), stringify(kubeconfig));
  await create(`/api/v1/namespaces/${namespace}/pods`, {
    ...plainPod('hami-scheduler-0'),
    metadata: {
      name: 'hami-scheduler-0',
      namespace,
      labels: { 'app.kubernetes.io/component': 'hami-scheduler' },
    },
  });
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map((child) => child.cut()));
});

afterAll(async () => {
  await gate.close();
  await plane.close();
  rmSync(directory, { recursive: true });
});

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Tessera {
  const child = new Tessera(['hami-scheduler', ...args], {
    KUBECONFIG: join(directory, 'kubeconfig'),
    POD_NAME: 'hami-scheduler-0',
    POD_NAMESPACE: namespace,
    HAMI_NODELOCK_EXPIRE: '5m',
    ...environment,
  });
  processes.push(child);
  return child;
}

function plainPod(name: string, limits: Readonly<Record<string, string>> = {}) {
  const { metadata, spec } = makePod({ name, schedulerName: 'hami-scheduler', containers: [{ limits }] });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: metadata?.name, namespace: 'default' },
    spec: { ...spec, containers: [{ name: 'main', image: 'example', resources: { limits } }] },
  };
}

interface StoredPod {
  readonly metadata: {
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string };
}

async function create(path: string, body: object): Promise<StoredPod> {
  const result = await plane.client.request({ method: 'POST', path, body, timeoutMs: 5000 });
  if (result.kind !== 'ok') throw new Error(`${path}: ${result.message}`);
  return result.body as StoredPod;
}

async function read(path: string): Promise<StoredPod> {
  const result = await plane.client.request({ method: 'GET', path, timeoutMs: 5000 });
  if (result.kind !== 'ok') throw new Error(`${path}: ${result.message}`);
  return result.body as StoredPod;
}

/** As kube-scheduler and the API server post: HTTPS on a new connection, JSON both ways. */
async function post(url: string, body: unknown): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = url.startsWith('https:') ? requestSecurely : requestPlainly;
    const headers = { 'content-type': 'application/json' };
    const sent = request(url, { method: 'POST', agent: false, ca: authority, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve(`${response.statusCode ?? 0} ${Buffer.concat(chunks).toString('utf8')}`);
      });
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
  expect(text.slice(0, 4)).toBe('200 ');
  return JSON.parse(text.slice(4));
}

/** The kube-scheduler in the same pod takes its lease, and the server has seen it. */
async function kubeSchedulerLeads(child: Tessera): Promise<void> {
  await child.printed(/"role":"(follower)"/);
  await create(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, {
    metadata: { name: 'hami-scheduler' },
    spec: { holderIdentity: `${hostname()}_0b5f`, leaseDurationSeconds: 60 },
  });
  await child.printed(/"role":"(leader)"/);
}

const readyUrl = /"main":"(https?:[^"]+)".*"msg":"ready"/;

describe("tessera hami-scheduler with the arguments of HAMi's chart", () => {
  it('serves webhook, filter and bind on one HTTPS address with the rights of its roles', async () => {
    const child = start(
      chartArguments({
        httpBind: anyPort,
        metricsBindAddress: anyPort,
        tlsDirectory: directory,
        deviceConfigFile,
        namespace,
        extraArgs: ['--debug', '-v=4'],
      }),
    );
    const url = await child.printed(readyUrl);
    expect(url).toMatch(/^https:/);

    const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
    const review = await post(`${url}/webhook?timeout=10s`, {
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1beta1',
      request: {
        uid: 'review-1',
        operation: 'CREATE',
        resource: { group: '', version: 'v1', resource: 'pods' },
        object: { ...plainPod('p1', limits), spec: { ...plainPod('p1', limits).spec, schedulerName: '' } },
      },
    });
    expect(review).toMatchObject({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1beta1',
      response: { uid: 'review-1', allowed: true, patchType: 'JSONPatch' },
    });
    const { patch } = (review as { response: { patch: string } }).response;
    expect(JSON.parse(Buffer.from(patch, 'base64').toString('utf8'))).toContainEqual(
      expect.objectContaining({ path: '/spec/schedulerName', value: 'hami-scheduler' }),
    );

    const stored = await create('/api/v1/namespaces/default/pods', plainPod('p1', limits));
    const answer = await post(`${url}/filter`, { Pod: stored, Nodes: null, NodeNames: ['n1', 'n2', 'n3'] });
    // One node, since nobody will ask for priorities; n1 is the fuller one with the pod on it.
    expect(answer).toMatchObject({ NodeNames: ['n1'], Error: '' });

    await kubeSchedulerLeads(child);
    const { uid } = stored.metadata;
    const binding = { PodName: 'p1', PodNamespace: 'default', PodUID: uid, Node: 'n1' };
    expect(await post(`${url}/bind`, binding)).toEqual({ Error: '' });
    const bound = await read('/api/v1/namespaces/default/pods/p1');
    expect(bound).toMatchObject({
      metadata: {
        annotations: {
          'hami.io/vgpu-node': 'n1',
          'hami.io/vgpu-devices-allocated': expect.stringMatching(/^GPU-[^,]+,NVIDIA,3000,0:;$/) as unknown,
        },
        labels: { 'hami.io/vgpu-node': 'n1' },
      },
      spec: { nodeName: 'n1' },
    });

    // Nothing but the Secret was out of reach, and the log says what that means.
    expect(gate.refused.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(['get secrets']);
    child.signal('SIGTERM');
    const { code, stdout, stderr } = await child.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const warnings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ level }) => level === 'warn' || level === 40);
    const texts = warnings.map(({ warning, msg }) => String(warning ?? msg));
    expect(texts).toEqual([
      expect.stringContaining('--debug: '),
      expect.stringContaining('--v: '),
      expect.stringContaining('blocks that are not read: enflame, '),
      expect.stringContaining('the key of the seal ends with this process'),
    ]);
  });

  it('serves plain HTTP without a certificate, as the chart asks where there is no webhook', async () => {
    const child = start([
      `--http_bind=${anyPort}`,
      '--scheduler-name=hami-scheduler',
      `--metrics-bind-address=${anyPort}`,
    ]);
    const url = await child.printed(readyUrl);
    expect(url).toMatch(/^http:/);
    const pod = plainPod('other', { 'cambricon.com/vmlu': '1' });
    const names = ['n1', 'n3'];
    expect(await post(`${url}/filter`, { Pod: pod, Nodes: null, NodeNames: names })).toMatchObject({
      NodeNames: names,
      Error: '',
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('tessera hami-scheduler', () => {
  it('prints its version as `scheduler version` does', async () => {
    expect(await start(['version']).ended()).toEqual({ code: 0, stdout: `tessera ${version}\n`, stderr: '' });
  });

  it.each([
    {
      name: 'a value that it cannot use',
      args: ['--http_bind=443'],
      want: /^tessera: hami-scheduler: --http_bind: [^\n]+\n$/,
    },
    {
      name: 'a device configuration that is missing',
      args: ['--device-config-file=/nowhere/device-config.yaml'],
      want: /^tessera: configuration: \/nowhere\/device-config.yaml: cannot be read: ENOENT[^\n]*\n$/,
    },
    {
      name: 'a certificate that is missing',
      args: ['--cert_file=/nowhere/tls.crt', '--key_file=/nowhere/tls.key', `--http_bind=${anyPort}`],
      want: /^tessera: certificate \/nowhere\/tls.crt: ENOENT[^\n]*\n$/,
    },
  ])('ends with code 1 and one sentence for $name', async ({ args, want }) => {
    const { code, stderr } = await start(args).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(want);
  });

  it('does without the Secret of the seal only because that is configured', async () => {
    const { code, stderr } = await start([], { TESSERA_SEAL: 'secret' }).ended();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'tessera: Secret kube-system/tessera-seal: HTTP 403 Forbidden: secrets is forbidden: cannot get\n',
    );
  });
});

describe('findKubeconfig', () => {
  const usual = '/home/a/.kube/config';
  const cases: readonly {
    name: string;
    environment: Environment;
    files: readonly string[];
    want: string | undefined;
  }[] = [
    {
      name: 'the one that is named',
      environment: { KUBECONFIG: '/k', HOME: '/home/a' },
      files: [usual],
      want: '/k',
    },
    { name: 'the usual one', environment: { HOME: '/home/a' }, files: [usual], want: usual },
    {
      name: 'the usual one behind an empty name',
      environment: { KUBECONFIG: '', HOME: '/home/a' },
      files: [usual],
      want: usual,
    },
    { name: 'none where there is no file', environment: { HOME: '/home/a' }, files: [], want: undefined },
    {
      name: 'none without a home',
      environment: {},
      files: ['.kube/config', '/.kube/config'],
      want: undefined,
    },
  ];
  it.each(cases)('is $name', ({ environment, files, want }) => {
    expect(findKubeconfig(environment, (path) => files.includes(path))).toBe(want);
  });
});
