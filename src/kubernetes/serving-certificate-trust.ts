/**
 * Tells the API servers which authorities to trust: keeps `caBundle` of every webhook in the named
 * MutatingWebhookConfigurations equal to ours, against whoever else writes there. It changes nothing else, and a
 * configuration that does not exist is nobody's caller.
 */
import type { RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';

export type Telling =
  /** Clients have trusted these authorities since before the call. */
  | { readonly kind: 'as-was' }
  | { readonly kind: 'missing' }
  /** They have just been told; they may take a moment. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly message: string };

const callTimeoutMs = 10_000;
const collection = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** @param authorities PEM */
export async function tellAuthorities(
  client: RestClient,
  configuration: string,
  authorities: string,
): Promise<Telling> {
  const path = `${collection}/${encodeURIComponent(configuration)}`;
  const read = await client.request({ method: 'GET', path, timeoutMs: callTimeoutMs });
  if (read.kind === 'status' && read.status === 404) return { kind: 'missing' };
  if (read.kind !== 'ok') return { kind: 'failed', message: failureText(read) };

  const { metadata, webhooks = [] } = read.body as WebhookConfiguration;
  const caBundle = Buffer.from(authorities).toString('base64');
  const places = webhooks.flatMap(({ clientConfig }, index) =>
    clientConfig.caBundle === caBundle ? [] : [`/webhooks/${index}/clientConfig/caBundle`],
  );
  if (places.length === 0) return { kind: 'as-was' };
  const patched = await client.request({
    method: 'PATCH',
    path,
    contentType: 'application/json-patch+json',
    body: [
      // The places are those of this version.
      { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
      ...places.map((place) => ({ op: 'add', path: place, value: caBundle })),
    ],
    timeoutMs: callTimeoutMs,
  });
  return patched.kind === 'ok' ? { kind: 'changed' } : { kind: 'failed', message: failureText(patched) };
}

/** The part of it that is looked at; the API server vouches for its form. */
interface WebhookConfiguration {
  readonly metadata: { readonly resourceVersion: string };
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}
