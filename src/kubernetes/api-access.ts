/**
 * What a client must know of an API server: where it is and how to be let in. `credentials.ts` makes this from a
 * kubeconfig or a service account; servers that ask for nothing (the emulator, tests) need no more than `openAccess`.
 */
import type { Agent } from 'node:http';

/** The part of TLS options that identifies both ends; connections are pooled by it, so new material opens new ones. */
export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Set when the server is reached through a proxy; it then pools the connections, too. */
  readonly agent?: Agent;
}

export interface ApiAccess {
  /** The server's base address; it may have a path, and has no slash at the end. */
  readonly server: string;
  /** What a request carries now. May read files or run a plugin; rejects when that fails. */
  authorize(): Promise<Authorization>;
  /** Forgets what was cached: the server has answered that it is not valid. */
  renew(): void;
}

/** A server that lets everyone in. */
export function openAccess(server: string): ApiAccess {
  return {
    server,
    authorize: () => Promise.resolve({ headers: {}, tls: {} }),
    renew: () => undefined,
  };
}
