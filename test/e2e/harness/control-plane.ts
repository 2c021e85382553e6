/** Command lines of etcd, kube-apiserver and kube-scheduler: one of each, on loopback, with data that is thrown away. */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import { isAnswering } from './https-probe.ts';
import { tokenFileText, type User } from './kubeconfig.ts';
import { inPod } from './pod-hostname.ts';
import type { RunFolder } from './run-folder.ts';
import { Service } from './service.ts';

export interface Credentials {
  /** The authority that signed the API server's certificate, PEM. */
  readonly ca: string;
  readonly admin: User;
  readonly scheduler: User;
}

/** The address of the Service `kubernetes.default`, the first of the range. */
const kubernetesServiceIp = '10.96.0.1';
const serviceRange = '10.96.0.0/24';
const servingNames = [
  '127.0.0.1',
  'localhost',
  kubernetesServiceIp,
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
];

/** Writes certificates, keys and tokens into the run's folder. */
export async function makeCredentials(folder: RunFolder): Promise<Credentials> {
  const nowMs = Date.now();
  const authority = await issueAuthority({ commonName: 'tessera-e2e', validDays: 1, nowMs });
  const serving = await issueLeaf({ authority, names: servingNames, validDays: 1, nowMs });
  if (!serving.ok) throw new Error(`serving certificate: ${serving.problem}`);
  const accounts = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const admin = { name: 'admin', token: token(), groups: ['system:masters'] };
  const scheduler = { name: 'system:kube-scheduler', token: token(), groups: [] };
  await folder.write('ca.crt', authority.certificate);
  await folder.write('apiserver.crt', serving.value.certificate);
  await folder.write('apiserver.key', serving.value.key);
  await folder.write('sa.pub', accounts.publicKey);
  await folder.write('sa.key', accounts.privateKey);
  await folder.write('tokens.csv', tokenFileText([admin, scheduler]));
  return { ca: authority.certificate, admin, scheduler };
}

function token(): string {
  return randomBytes(16).toString('hex');
}

/** @param port where clients connect */
export function startEtcd(folder: RunFolder, command: string, port: number): Promise<Service> {
  const url = `http://127.0.0.1:${port}`;
  const peerUrl = 'http://127.0.0.1:0';
  return Service.start({
    folder,
    name: 'etcd',
    command,
    args: [
      '--name=e2e',
      `--data-dir=${folder.file('etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=e2e=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    isReady: () => isAnswering(`${url}/health`),
  });
}

/** Through etcd's JSON gateway, which has 64-bit numbers as text. */
export async function compactEtcd(port: number): Promise<void> {
  const anyKey = Buffer.from([0]).toString('base64');
  const { header } = (await callEtcd(port, 'range', { key: anyKey })) as { header: { revision: string } };
  await callEtcd(port, 'compaction', { revision: header.revision, physical: true });
}

async function callEtcd(port: number, call: string, body: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/v3/kv/${call}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`etcd ${call}: ${response.status} ${await response.text()}`);
  return response.json();
}

export interface ApiServerOptions {
  readonly folder: RunFolder;
  readonly command: string;
  readonly ca: string;
  readonly etcdPort: number;
  readonly port: number;
  /** The socket file of the service network's proxy. */
  readonly proxySocket: string;
  readonly extraArgs: readonly string[];
}

export async function startApiServer(options: ApiServerOptions): Promise<Service> {
  const { folder, command, ca, etcdPort, port, proxySocket, extraArgs } = options;
  const egress = await folder.write(
    'egress.yaml',
    stringify({
      apiVersion: 'apiserver.k8s.io/v1beta1',
      kind: 'EgressSelectorConfiguration',
      egressSelections: [
        {
          name: 'cluster',
          connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: proxySocket } } },
        },
      ],
    }),
  );
  return Service.start({
    folder,
    name: 'kube-apiserver',
    command,
    args: [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      '--endpoint-reconciler-type=none',
      `--tls-cert-file=${folder.file('apiserver.crt')}`,
      `--tls-private-key-file=${folder.file('apiserver.key')}`,
      `--client-ca-file=${folder.file('ca.crt')}`,
      `--token-auth-file=${folder.file('tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${folder.file('sa.pub')}`,
      `--service-account-signing-key-file=${folder.file('sa.key')}`,
      `--service-cluster-ip-range=${serviceRange}`,
      '--authorization-mode=RBAC',
      // No controller runs that would make the accounts.
      '--disable-admission-plugins=ServiceAccount',
      '--allow-privileged=true',
      `--egress-selector-config-file=${egress}`,
      ...extraArgs,
    ],
    isReady: () => isAnswering(`https://127.0.0.1:${port}/readyz`, ca),
  });
}

export interface SchedulerOptions {
  readonly folder: RunFolder;
  readonly command: string;
  readonly configFile: string;
  readonly port: number;
  /** Through which Services are reached; without it, none are. */
  readonly proxyUrl?: string;
  /** Its pod among several, which names the process, too. */
  readonly pod?: string;
}

export function startKubeScheduler(options: SchedulerOptions): Promise<Service> {
  const { folder, command, configFile, port, proxyUrl, pod } = options;
  const args = [
    `--config=${configFile}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--authentication-skip-lookup=true',
    '--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics',
    '--v=2',
  ];
  return Service.start({
    folder,
    name: pod === undefined ? 'kube-scheduler' : `kube-scheduler-${pod}`,
    ...(pod === undefined ? { command, args } : inPod(pod, command, args)),
    // Go's HTTP client leaves loopback addresses, such as the API server's, out of this by itself.
    env: { ...process.env, ...(proxyUrl === undefined ? {} : { HTTPS_PROXY: proxyUrl }) },
    isReady: () => isAnswering(`https://127.0.0.1:${port}/readyz`),
  });
}
