/**
 * The cluster for the migration check from its API server: one list per kind, in pages, and not a single write. Nodes
 * and pods are needed; of the rest, what may not be read is told as missing.
 */
import { parseListPage } from '../kubernetes/list-watch-format.ts';
import type { Query, RestClient } from '../kubernetes/rest-client.ts';
import { failureText } from '../kubernetes/rest-result.ts';
import type { LookedAtKind, RawCluster, RawObject } from '../migration/cluster-picture.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';

interface Listing {
  readonly kind: LookedAtKind;
  readonly path: string;
  readonly query?: Query;
  readonly necessary?: boolean;
}

/** HAMi's chart labels its objects so; in every namespace there are too many ConfigMaps to list them all. */
const ofHami: Query = { labelSelector: 'app.kubernetes.io/component=hami-scheduler' };

const listings: readonly Listing[] = [
  { kind: 'Node', path: '/api/v1/nodes', necessary: true },
  { kind: 'Pod', path: '/api/v1/pods', necessary: true },
  { kind: 'ResourceQuota', path: '/api/v1/resourcequotas' },
  {
    kind: 'MutatingWebhookConfiguration',
    path: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  },
  { kind: 'ConfigMap', path: '/api/v1/configmaps', query: ofHami },
  // Every node has a lease of its own, which tells nothing here.
  {
    kind: 'Lease',
    path: '/apis/coordination.k8s.io/v1/leases',
    query: { fieldSelector: 'metadata.namespace!=kube-node-lease' },
  },
];

const pageSize = 500;
const pageTimeoutMs = 60_000;

/** Refuses when nodes or pods cannot be listed. Never throws for what the network or the server does. */
export async function collectCluster(client: Pick<RestClient, 'request'>): Promise<Parsed<RawCluster>> {
  const objects: RawObject[] = [];
  const missing = new Map<LookedAtKind, string>();
  for (const listing of listings) {
    const { kind, path, necessary = false } = listing;
    const items = await listAll(client, listing);
    if (items.ok) objects.push(...items.value.map((value) => ({ kind, value })));
    else if (necessary) return unparsable(`${path} cannot be listed: ${items.problem}`);
    else missing.set(kind, items.problem);
  }
  return parsed({ objects, missing });
}

async function listAll(
  client: Pick<RestClient, 'request'>,
  { path, query = {} }: Listing,
): Promise<Parsed<readonly unknown[]>> {
  const items: unknown[] = [];
  let continueToken: string | undefined;
  do {
    const result = await client.request({
      method: 'GET',
      path,
      query: { ...query, limit: pageSize, continue: continueToken },
      timeoutMs: pageTimeoutMs,
    });
    if (result.kind !== 'ok') return unparsable(failureText(result));
    const page = parseListPage(result.body);
    if (!page.ok) return page;
    for (const item of page.value.items) items.push(item);
    continueToken = page.value.continueToken;
  } while (continueToken !== undefined);
  return parsed(items);
}
