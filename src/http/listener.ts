/**
 * One listening socket with the time-outs that kube-scheduler needs, and a close that lets answers finish. Idle
 * connections must outlive the caller's 90 s pool, else a request meets a closing socket.
 */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ListenerOptions {
  readonly app: RequestListener;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly keepAliveSeconds: number;
  /** PEM texts; absent for plain HTTP. */
  readonly tls?: TlsMaterial;
  /** PEM of the authority by which callers that show a certificate are known; all others may connect, too. */
  readonly clientCa?: string;
}

export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
}

export interface Listener {
  /** Where it answers, e.g. `https://127.0.0.1:8443`. */
  readonly url: string;
  /** Serves new connections with other certificates; running ones keep theirs. */
  useCertificate(material: TlsMaterial): void;
  /** Stops accepting, lets answers under way finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

const headersTimeoutMs = 15_000;
const requestTimeoutMs = 60_000;

/** Listens; rejects when the address cannot be had. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { app, host, port, keepAliveSeconds, tls, clientCa } = options;
  const clients =
    clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  const server =
    tls === undefined
      ? createHttpServer(app)
      : createHttpsServer({ cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2', ...clients }, app);
  server.keepAliveTimeout = keepAliveSeconds * 1000;
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  closeConnectionsThatEndLate(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    url: urlOf(server, tls !== undefined),
    useCertificate: (material) => {
      if ('setSecureContext' in server) {
        server.setSecureContext({ cert: material.certificate, key: material.key, ...clients });
      }
    },
    close: (graceMs) => closeServer(server, graceMs),
  };
}

/** A kept-alive connection that is answering when the server closes becomes idle too late for `close` to notice. */
function closeConnectionsThatEndLate(server: Server): void {
  server.prependListener('request', (_request, response) => {
    response.once('close', () => {
      if (server.listening) return;
      setImmediate(() => {
        server.closeIdleConnections();
      });
    });
  });
}

function urlOf(server: Server, secure: boolean): string {
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  return `${secure ? 'https' : 'http'}://${host}:${port}`;
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(cut);
}
