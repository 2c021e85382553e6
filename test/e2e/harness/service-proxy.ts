/**
 * The service network of the run: there is none, so the API server (for webhooks) and kube-scheduler (for extenders)
 * reach Services through this proxy, which knows on which local port each one really is. TLS passes through unread.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export class ServiceProxy {
  readonly #localPorts = new Map<string, number>();
  readonly #fileServer = createServer();
  readonly #portServer = createServer();
  readonly #ends = new Set<Duplex>();

  private constructor() {
    for (const server of [this.#fileServer, this.#portServer]) {
      server.on('connect', (request: IncomingMessage, client: Duplex) => {
        this.#connect(request.url ?? '', client);
      });
    }
  }

  /** Listens on a socket file, as the API server wants it, and on a port, as Go's HTTP client wants it. */
  static async start(socketFile: string): Promise<ServiceProxy> {
    const proxy = new ServiceProxy();
    proxy.#fileServer.listen(socketFile);
    await once(proxy.#fileServer, 'listening');
    proxy.#portServer.listen(0, '127.0.0.1');
    await once(proxy.#portServer, 'listening');
    return proxy;
  }

  /** For `HTTPS_PROXY`. */
  get url(): string {
    const { port } = this.#portServer.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** From now on, `host:port` is what listens on the local port. */
  route(address: string, localPort: number): void {
    this.#localPorts.set(address, localPort);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end.destroy();
    for (const server of [this.#fileServer, this.#portServer]) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  #connect(address: string, client: Duplex): void {
    const localPort = this.#localPorts.get(address);
    if (localPort === undefined) {
      client.end('HTTP/1.1 502 No Such Service\r\n\r\n');
      return;
    }
    const server = connect(localPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      server.pipe(client);
      client.pipe(server);
    });
    this.#join(client, server);
    this.#join(server, client);
  }

  /** What ends one side of a tunnel ends the other. */
  #join(end: Duplex, other: Duplex): void {
    this.#ends.add(end);
    end.on('error', () => other.destroy());
    end.on('close', () => {
      this.#ends.delete(end);
      other.destroy();
    });
  }
}
