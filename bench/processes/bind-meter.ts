/**
 * The part of every bind that is the server's own: from the request's head to the end of the answer, less the round trips
 * to the API server for node lock and Binding, and for the pods of a node that it commits on for the first time. A round
 * trip lasts from when the request is handed to Node's HTTP client until all of its answer is there. Holds while binds
 * come one at a time.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';

export class BindMeter {
  #ownMs: number[] = [];
  readonly #binds = new Map<IncomingMessage, { readonly startedMs: number; waitedMs: number }>();
  readonly #calls = new Map<ClientRequest, number>();

  constructor() {
    subscribe('http.server.request.start', (message) => {
      const { request } = message as { readonly request: IncomingMessage };
      if (request.url === '/bind') this.#binds.set(request, { startedMs: performance.now(), waitedMs: 0 });
    });
    subscribe('http.server.response.finish', (message) => {
      const { request } = message as { readonly request: IncomingMessage };
      const bind = this.#binds.get(request);
      if (bind === undefined) return;
      this.#binds.delete(request);
      this.#ownMs.push(performance.now() - bind.startedMs - bind.waitedMs);
    });
    subscribe('http.client.request.created', (message) => {
      const { request } = message as { readonly request: ClientRequest };
      if (this.#binds.size > 0 && isPartOfBind(request)) this.#calls.set(request, performance.now());
    });
    subscribe('http.client.response.finish', (message) => {
      const { request, response } = message as {
        readonly request: ClientRequest;
        readonly response: IncomingMessage;
      };
      const startedMs = this.#calls.get(request);
      if (startedMs === undefined) return;
      this.#calls.delete(request);
      response.once('end', () => {
        for (const bind of this.#binds.values()) bind.waitedMs += performance.now() - startedMs;
      });
    });
  }

  /** Of every bind since `reset`, in order. */
  get ownMs(): readonly number[] {
    return this.#ownMs;
  }

  reset(): void {
    this.#ownMs = [];
  }
}

/** The lock, the Binding and a node's pods; events and watches go on beside a bind. */
function isPartOfBind({ method, path }: ClientRequest): boolean {
  if (path.endsWith('/binding') || path.startsWith('/api/v1/pods?fieldSelector=')) return true;
  return method !== 'GET' && path.startsWith('/api/v1/nodes/');
}
