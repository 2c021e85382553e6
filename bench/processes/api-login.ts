/** Where a process of a benchmark finds the API server and how it is let in: plain data, to be sent between processes. */
import { systemClock } from '../../src/http/system-clock.ts';
import { type ApiAccess, openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';

export interface ApiLogin {
  readonly url: string;
  /** Of an API server that asks for it: a bearer token, and the authority of the server's certificate, PEM. */
  readonly proof?: { readonly token: string; readonly ca: string };
}

export function accessWith({ url, proof }: ApiLogin): ApiAccess {
  if (proof === undefined) return openAccess(url);
  const { token, ca } = proof;
  return {
    server: url,
    authorize: () => Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls: { ca } }),
    renew: () => undefined,
  };
}

export function clientWith(login: ApiLogin): RestClient {
  return new RestClient({ access: accessWith(login), clock: systemClock, version: 'bench' });
}
