/**
 * One call of an admission webhook over HTTPS: where it is, whom to trust, and how long to wait. A webhook named as a
 * Service is called under its DNS name `<service>.<namespace>.svc` at an address from an injected resolver, since
 * there is no cluster network here; its certificate is checked against that name and the given bundle alone.
 */
import { request } from 'node:https';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { Clock } from '../../model/clock.ts';
import { at, isRecord, numberAt, textAt } from './json.ts';

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/** Where a Service listens; undefined when it is not known. */
export type ServiceResolver = (service: ServiceReference) => ServiceAddress | undefined;

interface Endpoint extends ServiceAddress {
  readonly path: string;
  /** The name that its certificate must carry. */
  readonly serverName: string;
}

const defaultHttpsPort = 443;
/** Larger answers than this are refused; the API server's own bound is 7 MiB. */
const largestAnswerBytes = 7 * 1024 * 1024;

function endpointOf(clientConfig: unknown, resolve: ServiceResolver): Parsed<Endpoint> {
  const service = at(clientConfig, 'service');
  if (isRecord(service)) {
    const reference = {
      namespace: textAt(service, 'namespace'),
      name: textAt(service, 'name'),
      port: numberAt(service, 'port') ?? defaultHttpsPort,
    };
    const serverName = `${reference.name}.${reference.namespace}.svc`;
    const address = resolve(reference);
    if (address === undefined) return unparsable(`no address is known for ${serverName}`);
    return parsed({ ...address, path: textAt(service, 'path') || '/', serverName });
  }
  const text = textAt(clientConfig, 'url');
  if (!URL.canParse(text)) return unparsable(`${text} is no URL`);
  const url = new URL(text);
  if (url.protocol !== 'https:') return unparsable(`${text} must begin with https://`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return parsed({
    host,
    port: url.port === '' ? defaultHttpsPort : Number(url.port),
    path: `${url.pathname}${url.search}`,
    serverName: host,
  });
}

export interface WebhookCall {
  readonly clientConfig: unknown;
  readonly timeoutSeconds: number;
  readonly review: unknown;
  readonly resolve: ServiceResolver;
  readonly clock: Clock;
}

/** Posts the review and gives the JSON answer. Refuses, never throws, when there is none. */
export async function callWebhook(call: WebhookCall): Promise<Parsed<unknown>> {
  const { clientConfig, timeoutSeconds, review, resolve, clock } = call;
  const endpoint = endpointOf(clientConfig, resolve);
  if (!endpoint.ok) return endpoint;
  const { host, port, path, serverName } = endpoint.value;
  const bundle = Buffer.from(textAt(clientConfig, 'caBundle'), 'base64').toString('utf8');
  const body = JSON.stringify(review);
  return new Promise((done) => {
    const outgoing = request(
      {
        method: 'POST',
        host,
        port,
        path,
        // An address cannot be sent as a server name; Node then checks the certificate against the host.
        ...(/^[\d.]+$|:/.test(serverName) ? {} : { servername: serverName }),
        ...(bundle === '' ? {} : { ca: bundle }),
        headers: {
          host: serverName,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > largestAnswerBytes) outgoing.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () => {
          cancel();
          done(readAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
        });
      },
    );
    const cancel = clock.after(timeoutSeconds * 1000, () => {
      outgoing.destroy(new Error(`no answer within ${timeoutSeconds} s`));
    });
    function fail(error: Error): void {
      cancel();
      done(unparsable(error.message));
    }
    outgoing.on('error', fail);
    outgoing.end(body);
  });
}

function readAnswer(statusCode: number, text: string): Parsed<unknown> {
  if (statusCode < 200 || statusCode > 299) return unparsable(`it answered with HTTP status ${statusCode}`);
  try {
    return parsed(JSON.parse(text) as unknown);
  } catch {
    return unparsable('its answer is no JSON');
  }
}
