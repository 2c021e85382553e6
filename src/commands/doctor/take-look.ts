/**
 * One look at a cluster and, where one is named, at a running server: lists and reads alone, never a write. Nodes, pods
 * and a server that was asked for are needed; of the rest, what may not be read is told as missing.
 */
import type { TesseraConfig } from '../../config/config.ts';
import { systemClock } from '../../http/system-clock.ts';
import { openAccess } from '../../kubernetes/api-access.ts';
import { RestClient } from '../../kubernetes/rest-client.ts';
import { failureText } from '../../kubernetes/rest-result.ts';
import { readPicture } from '../../migration/cluster-picture.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { schemaParser } from '../../wire/validate.ts';
import { collectCluster } from '../migrate-cluster.ts';
import { version } from '../version.ts';
import { readServerLedger } from './server-ledger.ts';
import type { Look, WebhookLook } from './subject.ts';

export interface LookOptions {
  readonly client: RestClient;
  readonly config: TesseraConfig;
  /** Base address of a running server. */
  readonly server?: string;
  /** PEM of the authority of its certificate; where left out, what the webhook configurations say. */
  readonly serverAuthority?: string;
}

const webhooksPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const callTimeoutMs = 10_000;

interface RawWebhooks {
  readonly webhooks?: readonly { readonly clientConfig?: { readonly caBundle?: string } }[];
}

const readWebhooks = schemaParser<RawWebhooks>({
  type: 'object',
  properties: {
    webhooks: {
      type: 'array',
      items: {
        type: 'object',
        properties: { clientConfig: { type: 'object', properties: { caBundle: { type: 'string' } } } },
      },
    },
  },
});

/** What one configuration says; `problem` where it could not be read. */
interface Told {
  readonly configuration: string;
  readonly authorities: readonly string[];
  readonly standing: WebhookLook['standing'];
  readonly problem?: string;
}

export async function takeLook(options: LookOptions): Promise<Parsed<Look>> {
  const { client, config, server, serverAuthority } = options;
  const collected = await collectCluster(client);
  if (!collected.ok) return collected;
  const told = await Promise.all(
    config.tls.webhookConfigurations.map((configuration) => readConfiguration(client, configuration)),
  );
  const missing = new Map(
    told.flatMap(({ configuration, problem }) => (problem === undefined ? [] : [[configuration, problem]])),
  );
  const authorities = told.flatMap((one) => one.authorities).join('\n');
  const ledger =
    server === undefined
      ? undefined
      : await asking(server, serverAuthority ?? authorities, (asked) => readServerLedger(asked));
  if (ledger?.ok === false) return unparsable(`${server ?? ''} cannot be asked: ${ledger.problem}`);
  if (server === undefined) missing.set('server', 'no --server is named, so no ledger was compared');
  const webhooks = await Promise.all(
    told
      .filter(({ problem }) => problem === undefined)
      .map(async (one): Promise<WebhookLook> => {
        const { configuration, standing } = one;
        const differs = standing === 'sound' && server !== undefined && !(await isServed(server, one));
        return { configuration, standing: differs ? 'differs' : standing };
      }),
  );
  return parsed({
    picture: readPicture(collected.value),
    server: ledger?.value,
    webhooks,
    missing,
    nowMs: systemClock.nowMs(),
  });
}

async function readConfiguration(client: RestClient, configuration: string): Promise<Told> {
  const path = `${webhooksPath}/${encodeURIComponent(configuration)}`;
  const result = await client.request({ method: 'GET', path, timeoutMs: callTimeoutMs });
  if (result.kind === 'status' && result.status === 404) {
    return { configuration, authorities: [], standing: 'missing' };
  }
  const read = result.kind === 'ok' ? readWebhooks(result.body) : unparsable(failureText(result));
  if (!read.ok) return { configuration, authorities: [], standing: 'sound', problem: read.problem };
  const bundles = (read.value.webhooks ?? []).map(({ clientConfig }) => clientConfig?.caBundle ?? '');
  const authorities = bundles.map((bundle) => Buffer.from(bundle, 'base64').toString('utf8'));
  return { configuration, authorities, standing: bundles.includes('') ? 'without-authority' : 'sound' };
}

/** Whether every authority that the configuration names vouches for what the server serves. */
async function isServed(server: string, { authorities }: Told): Promise<boolean> {
  if (new URL(server).protocol !== 'https:') return true;
  const answers = await Promise.all(
    authorities.map((authority) =>
      asking(server, authority, (asked) =>
        asked.request({ method: 'GET', path: '/healthz', timeoutMs: callTimeoutMs }),
      ),
    ),
  );
  return answers.every(({ kind }) => kind === 'ok' || kind === 'status');
}

/** @param authority PEM; empty: the ones that this machine trusts */
async function asking<T>(
  server: string,
  authority: string,
  ask: (client: RestClient) => Promise<T>,
): Promise<T> {
  const tls = authority === '' ? {} : { ca: authority };
  const access = { ...openAccess(server), authorize: () => Promise.resolve({ headers: {}, tls }) };
  const client = new RestClient({ access, clock: systemClock, version });
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}
