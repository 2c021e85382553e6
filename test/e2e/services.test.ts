import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { describe, expect } from '@jest/globals';
import { stringify } from 'yaml';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import { eventually } from './harness/eventually.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { podManifest, untilPhase } from './harness/pods.ts';
import { useCluster } from './harness/use-cluster.ts';

/** What stands behind the Service: it labels every pod, and its filter lets one node pass. */
async function startBackend(serviceName: string): Promise<{ server: Server; ca: string; port: number }> {
  const nowMs = Date.now();
  const authority = await issueAuthority({ commonName: 'backend', validDays: 1, nowMs });
  const leaf = await issueLeaf({ authority, names: [serviceName], validDays: 1, nowMs });
  if (!leaf.ok) throw new Error(leaf.problem);
  const { certificate: cert, key } = leaf.value;
  const server = createServer({ cert, key }, (request, response) => {
    // A body that cannot be read fails the test by its time-out.
    void json(request).then((body) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url?.startsWith('/mutate') === true ? mutated(body) : filtered()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, ca: authority.certificate, port: (server.address() as AddressInfo).port };
}

function mutated(review: unknown): object {
  const { apiVersion, kind, request } = review as {
    apiVersion: string;
    kind: string;
    request: { uid: string };
  };
  const patch = [{ op: 'add', path: '/metadata/labels/seen', value: 'yes' }];
  return {
    apiVersion,
    kind,
    response: {
      uid: request.uid,
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    },
  };
}

function filtered(): object {
  return {
    NodeNames: ['n2'],
    FailedNodes: {},
    FailedAndUnresolvableNodes: { n1: 'not this one' },
    Error: '',
  };
}

let backend: Awaited<ReturnType<typeof startBackend>>;

const scenario = useCluster(async (cluster) => {
  backend = await startBackend('backend.tools.svc');
  cluster.onStop(async () => {
    backend.server.closeAllConnections();
    backend.server.close();
    await once(backend.server, 'close');
  });
  await startMachines(cluster, [makeMachine('n1', 0), makeMachine('n2', 0)]);
  await cluster.kubectl(['create', 'namespace', 'tools']);
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'backend', namespace: 'tools' },
    spec: { selector: { app: 'backend' }, ports: [{ port: 443, targetPort: 8443 }] },
  });
  await cluster.routeService('tools', 'backend', backend.port);
});

describe('a Service of the run', () => {
  scenario('is reached by the API server as a webhook', async (cluster) => {
    await cluster.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'backend' },
      webhooks: [
        {
          name: 'pods.backend.test',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          clientConfig: {
            service: { namespace: 'tools', name: 'backend', path: '/mutate' },
            caBundle: Buffer.from(backend.ca).toString('base64'),
          },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
      ],
    });
    const pod = podManifest({ name: 'labelled', labels: { app: 'x' }, schedulerName: 'nobody' });
    // The server takes a moment to load a new configuration.
    await eventually('the webhook labels a pod', async () => {
      const text = await cluster.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], {
        input: stringify(pod),
      });
      const { metadata } = JSON.parse(text) as { metadata: { labels: Record<string, string> } };
      return metadata.labels['seen'] === 'yes' ? { done: true } : { not: JSON.stringify(metadata.labels) };
    });
  });

  scenario('is reached by kube-scheduler as an extender', async (cluster) => {
    const caFile = await cluster.folder.write('extender-ca.crt', backend.ca);
    await cluster.startScheduler(
      stringify({
        apiVersion: 'kubescheduler.config.k8s.io/v1',
        kind: 'KubeSchedulerConfiguration',
        extenders: [
          {
            urlPrefix: 'https://backend.tools.svc:443',
            filterVerb: 'filter',
            enableHTTPS: true,
            nodeCacheCapable: true,
            tlsConfig: {},
          },
        ],
      }),
      { extenderTls: { caFile } },
    );
    await cluster.create([podManifest({ name: 'placed', labels: { app: 'x' } })]);
    const pod = await untilPhase(cluster, 'placed', 'Running');
    expect(pod.spec.nodeName).toBe('n2');
  });
});
