/**
 * The embedded cluster without a scheduler: the API on loopback, machines that run pods, our namespace, and the webhook
 * registered as in a real cluster, called over HTTPS as soon as it is said where the server listens.
 */
import { systemClock } from '../../http/system-clock.ts';
import { type Emulator, startEmulator } from '../../emulator/api/server.ts';
import { NodeAgent } from '../../emulator/node-agent/node-agent.ts';
import type { NodeDescription } from '../../emulator/node-agent/node-description.ts';
import { openAccess } from '../../kubernetes/api-access.ts';
import { RestClient } from '../../kubernetes/rest-client.ts';
import { failureText } from '../../kubernetes/rest-result.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { Log } from '../../telemetry/logger.ts';
import { version } from '../version.ts';

export interface ControlPlaneOptions {
  readonly nodes: readonly NodeDescription[];
  readonly host?: string;
  readonly port?: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** Where the server finds itself in this cluster; its certificate is for the Service's name. */
export const serverNamespace = 'tessera-system';
export const serviceName = `tessera.${serverNamespace}.svc`;
export const webhookName = 'tessera';

const webhookCollection = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const callTimeoutMs = 10_000;

export class ControlPlane {
  readonly emulator: Emulator;
  readonly client: RestClient;
  readonly agent: NodeAgent;
  readonly #service: { host: string; port: number };

  private constructor(
    emulator: Emulator,
    { random, log }: ControlPlaneOptions,
    service: { host: string; port: number },
  ) {
    this.emulator = emulator;
    this.client = clientOf(emulator.url);
    this.agent = new NodeAgent({ client: this.client, clock: systemClock, random, log });
    this.#service = service;
  }

  /** Resolves when all nodes are ready; refuses when the address cannot be had. */
  static async start(options: ControlPlaneOptions): Promise<Parsed<ControlPlane>> {
    const { nodes, host = '127.0.0.1', port = 0, random } = options;
    // Nobody listens there until `serveWebhookAt`.
    const service = { host: '127.0.0.1', port: 0 };
    let emulator: Emulator;
    try {
      emulator = await startEmulator({
        clock: systemClock,
        random,
        host,
        port,
        resolveService: () => (service.port === 0 ? undefined : service),
      });
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      return unparsable(`cannot listen on ${host}:${port} (api): ${cause}`);
    }
    const plane = new ControlPlane(emulator, options, service);
    await plane.#create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: serverNamespace },
    });
    await plane.#create(webhookCollection, webhookConfiguration);
    await plane.agent.start();
    for (const node of nodes) await plane.agent.addNode(node);
    return parsed(plane);
  }

  /** From now on the webhook is called at the host and port of this URL. */
  serveWebhookAt(url: string): void {
    const { hostname, port } = new URL(url);
    this.#service.host = hostname.replace(/^\[|\]$/g, '');
    this.#service.port = Number(port);
  }

  /** The authority that the webhook's caller trusts, PEM: the one that has signed the server's certificate. */
  async readAuthority(): Promise<string> {
    const path = `${webhookCollection}/${webhookName}`;
    const result = await this.client.request({ method: 'GET', path, timeoutMs: callTimeoutMs });
    if (result.kind !== 'ok') throw new Error(`reading ${path}: ${failureText(result)}`);
    const { webhooks } = result.body as typeof webhookConfiguration;
    return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString('utf8');
  }

  /** Ends machines and API; every watch is cut. */
  async close(): Promise<void> {
    await this.agent.stop();
    this.client.close();
    await this.emulator.close();
  }

  async #create(path: string, body: object): Promise<void> {
    const result = await this.client.request({ method: 'POST', path, body, timeoutMs: callTimeoutMs });
    if (result.kind !== 'ok') throw new Error(`creating ${path}: ${failureText(result)}`);
  }
}

/** A client of the embedded API, which asks nobody who they are. */
export function clientOf(url: string): RestClient {
  return new RestClient({ access: openAccess(url), clock: systemClock, version });
}

const webhookConfiguration = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: webhookName },
  webhooks: [
    {
      name: 'pods.tessera.io',
      clientConfig: {
        service: { namespace: serverNamespace, name: 'tessera', path: '/webhook', port: 443 },
        // Filled in by the server.
        caBundle: '',
      },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      namespaceSelector: {
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', serverNamespace] },
        ],
      },
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      timeoutSeconds: 5,
      admissionReviewVersions: ['v1', 'v1beta1'],
    },
  ],
};
