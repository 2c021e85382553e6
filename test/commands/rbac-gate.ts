/**
 * Stands before the embedded API, which lets everyone do everything, and lets through what a role permits; everything
 * else is Forbidden, as with a real API server, and written down.
 */
import { request as forward } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import type { PemPair } from '../../src/certificates/pem.ts';
import { type Permission, permits } from '../deploy/manifests.ts';
import { permissionFor } from '../deploy/recording-api-server.ts';

export class RbacGate {
  readonly url: string;
  /** What was asked for and not permitted. */
  readonly refused: Permission[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param target where the API answers */
  static async start(
    target: string,
    permitted: readonly Permission[],
    { certificate, key }: PemPair,
  ): Promise<RbacGate> {
    const server = createServer({ cert: certificate, key });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const gate = new RbacGate(server);
    server.on('request', (asked, answer) => {
      const { method = '', url = '', headers } = asked;
      const { pathname, searchParams } = new URL(url, target);
      const call = permissionFor({ method, path: pathname, watch: searchParams.has('watch') });
      if (!permitted.some((permission) => permits(permission, call))) {
        gate.refused.push(call);
        asked.resume();
        const message = `${call.resource} is forbidden: cannot ${call.verb}`;
        answer.writeHead(403, { 'content-type': 'application/json' });
        answer.end(JSON.stringify({ kind: 'Status', code: 403, reason: 'Forbidden', message }));
        return;
      }
      const onward = forward(new URL(url, target), { method, headers, agent: false }, (received) => {
        answer.writeHead(received.statusCode ?? 500, received.headers);
        answer.flushHeaders();
        // One of the two went away; the other is ended with it.
        pipeline(received, answer, () => undefined);
      });
      pipeline(asked, onward, () => undefined);
      answer.once('close', () => onward.destroy());
    });
    return gate;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }
}
