/**
 * One kept-alive connection, as kube-scheduler and the API server keep them. A call is timed from its first byte sent to
 * the last byte received; making the body and reading the answer are the caller's business and not part of it.
 */
import { Agent, request } from 'node:http';

export interface Answered {
  readonly tookMs: number;
  readonly text: string;
}

const timeoutMs = 30_000;

export class Connection {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Rejects for any status but 200. */
  post(path: string, body: string): Promise<Answered> {
    return this.#call('POST', path, Buffer.from(body));
  }

  get(path: string): Promise<Answered> {
    return this.#call('GET', path);
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(method: string, path: string, body?: Buffer): Promise<Answered> {
    const { hostname, port } = this.#url;
    return new Promise((resolve, reject) => {
      const startedMs = performance.now();
      const call = request(
        {
          hostname,
          port,
          method,
          path,
          agent: this.#agent,
          timeout: timeoutMs,
          headers:
            body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const tookMs = performance.now() - startedMs;
            const text = Buffer.concat(chunks).toString('utf8');
            if (response.statusCode === 200) resolve({ tookMs, text });
            else
              reject(
                new Error(`${method} ${path}: status ${response.statusCode ?? 0}: ${text.slice(0, 200)}`),
              );
          });
        },
      );
      call.on('timeout', () => {
        call.destroy(new Error(`${method} ${path}: no answer within ${timeoutMs / 1000} s`));
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}
