/** The roles in the manifests against the calls that a server really makes: nothing is missing, nothing is too much. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { serveCluster } from '../../src/commands/cluster-server.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';
import {
  learning,
  type Manifest,
  manifest,
  manifests,
  type Permission,
  permissionsOf,
  permits,
  serviceMode,
} from './manifests.ts';
import { RecordingApiServer } from './recording-api-server.ts';

const namespace = 'tessera-system';
const webhookPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/tessera';
const podPath = '/api/v1/namespaces/default/pods/p1';

interface Run {
  readonly config: TesseraConfig;
  /** What lies in the cluster beside what every run finds. */
  readonly objects?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** A call that is waited for instead of binding a pod. */
  readonly until?: Partial<Permission>;
}

/** Every call of a server that starts, binds a pod under difficulties, and stops. */
async function callsOf({ config, objects = {}, until }: Run): Promise<readonly Permission[]> {
  const api = await RecordingApiServer.start(
    {
      '/api/v1/nodes/n1': makeNodeObject({ name: 'n1', devices: [{}] }) as object as Record<string, unknown>,
      [podPath]: makePod({
        name: 'p1',
        containers: [{ limits: gpuLimits({ count: 1, memoryMiB: 100 }) }],
      }) as object as Record<string, unknown>,
      [`/api/v1/namespaces/${namespace}/pods/tessera-0`]: makePod({
        name: 'tessera-0',
        namespace,
      }) as object as Record<string, unknown>,
      // Empty, so that it has to be filled.
      [`/api/v1/namespaces/${namespace}/secrets/tessera-tls`]: { metadata: { name: 'tessera-tls' } },
      [webhookPath]: { metadata: { resourceVersion: '1' }, webhooks: [{ clientConfig: {} }] },
      ...objects,
    },
    {
      // Somebody else was faster at the node's lock, and the answer to the Binding is lost.
      'PATCH /api/v1/nodes/n1': 409,
      [`POST ${podPath}/binding`]: 504,
    },
  );
  const server = await serveCluster({
    config,
    client: new RestClient({ access: openAccess(api.url), clock: systemClock, version: 'test' }),
    namespace,
    ownPod: { namespace, name: 'tessera-0' },
    plainHttp: true,
    log: makeLogger({ level: 'silent' }),
  });
  if (!server.ok) throw new Error(server.problem);
  await api.saw({ resource: 'resourcequotas', verb: 'watch' });
  if (until === undefined) await bindOn(api, server.value.urls['extender'] ?? server.value.urls['main']!);
  else await api.saw(until);
  await server.value.close();
  await api.close();
  return api.calls.entries;
}

async function bindOn(api: RecordingApiServer, url: string): Promise<void> {
  // Whoever leads labels its pod.
  await api.saw({ resource: 'pods', verb: 'patch', name: 'tessera-0' });
  await fetch(`${url}/bind`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ PodName: 'p1', PodNamespace: 'default', PodUID: 'uid-p1', Node: 'n1' }),
  });
  await api.saw({ resource: 'pods', verb: 'patch', name: 'p1' });
  await api.saw({ resource: 'events', verb: 'create' });
}

/** The configuration as the server in the pod reads it, on ports that are free here. */
function configIn(among: readonly Manifest[], changes: object = {}): TesseraConfig {
  const data = manifest('ConfigMap', 'tessera', among)['data'] as Readonly<Record<string, string>>;
  const directory = mkdtempSync(join(tmpdir(), 'tessera-deploy-'));
  const file = join(directory, 'tessera.yaml');
  writeFileSync(file, data['tessera.yaml']!);
  const flags = {
    listen: '127.0.0.1:0',
    listenMetrics: '127.0.0.1:0',
    shutdownDelaySeconds: 0,
    shutdownGraceSeconds: 0,
  };
  const loaded = loadConfig({ file, environment: {}, flags: { ...flags, ...changes } });
  rmSync(directory, { recursive: true });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value.config;
}

const workloadPath = `/api/v1/namespaces/${namespace}/configmaps/tessera-workload`;
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/tessera-scheduler-extender`;

const modes: readonly {
  readonly mode: string;
  readonly among: readonly Manifest[];
  readonly runs: () => readonly Run[];
}[] = [
  {
    mode: 'beside kube-scheduler',
    among: manifests,
    runs: () => [
      // Here is no kube-scheduler whose lease would be seen to be renewed, so one run follows, and another binds.
      {
        config: configIn(manifests, { listenExtender: '127.0.0.1:0' }),
        until: { resource: 'leases', verb: 'watch' },
      },
      {
        config: configIn(manifests, {
          listenExtender: '127.0.0.1:0',
          leaderElection: { enabled: false },
        }),
      },
    ],
  },
  {
    mode: 'that keeps the workload it learns',
    among: learning,
    runs: () => {
      const follows = configIn(learning, { listenExtender: '127.0.0.1:0' });
      const leads = configIn(learning, {
        listenExtender: '127.0.0.1:0',
        leaderElection: { enabled: false },
      });
      return [
        { config: follows, until: { resource: 'leases', verb: 'watch' } },
        // The ConfigMap is made when the first server stops, and changed when one stops that found it.
        { config: leads },
        { config: leads, objects: { [workloadPath]: { data: {} } } },
      ];
    },
  },
  {
    mode: 'where kube-scheduler runs elsewhere',
    among: serviceMode,
    runs: () => {
      const config = configIn(serviceMode, { tls: { clientCaFile: '' } });
      return [
        {
          config,
          objects: { [leasePath]: { metadata: { resourceVersion: '1' }, spec: { holderIdentity: '' } } },
        },
        { config, until: { resource: 'leases', verb: 'create' } },
      ];
    },
  },
];

describe.each(modes)('the roles of the server $mode', ({ among, runs }) => {
  const granted = [
    ...permissionsOf('ClusterRole', 'tessera', among),
    ...permissionsOf('Role', 'tessera', among),
  ];
  let calls: readonly Permission[] = [];

  beforeAll(async () => {
    calls = (await Promise.all(runs().map(callsOf))).flat();
  });

  it('permit every call it makes', () => {
    expect(calls.length).toBeGreaterThan(15);
    expect(calls.filter((call) => !granted.some((permission) => permits(permission, call)))).toEqual([]);
  });

  it.each(granted.map((permission) => ({ name: textOf(permission), permission })))(
    'grant nothing that it never does: $name',
    ({ permission }) => {
      expect(calls.some((call) => permits(permission, call))).toBe(true);
    },
  );

  it('are bound to the account that the pods run as', () => {
    const account = manifest('ServiceAccount', 'tessera', among).metadata;
    const subject = [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }];
    for (const kind of ['ClusterRoleBinding', 'RoleBinding']) {
      expect(manifest(kind, 'tessera', among)).toMatchObject({
        subjects: subject,
        roleRef: { name: 'tessera' },
      });
    }
    expect(manifest('Deployment', 'tessera', among)).toMatchObject({
      metadata: { namespace: account.namespace },
      spec: { template: { spec: { serviceAccountName: account.name } } },
    });
  });
});

function textOf({ verb, resource, name = 'any' }: Permission): string {
  return `${verb} ${resource} ${name}`;
}
