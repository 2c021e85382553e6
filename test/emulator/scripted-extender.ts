/** An extender that answers what a test tells it to, over real HTTP, and remembers what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ExtenderCall {
  readonly verb: string;
  readonly method: string;
  readonly contentType: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The client's port, which tells connections apart. */
  readonly port: number;
}

type Answer = (body: ExtenderCall['body']) => unknown;

export class ScriptedExtender {
  readonly calls: ExtenderCall[] = [];
  readonly url: string;
  readonly #server: Server;
  readonly #answers = new Map<string, Answer>();
  readonly #waiting = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // Fits everywhere, no preference, bound.
    this.answer('filter', ({ NodeNames }) => ({ NodeNames, FailedNodes: {}, Error: '' }));
    this.answer('prioritize', ({ NodeNames }) =>
      (NodeNames as readonly string[]).map((Host) => ({ Host, Score: 0 })),
    );
    this.answer('bind', () => ({ Error: '' }));
    server.on('request', (request, response) => {
      void this.#serve(request, response);
    });
  }

  static async start(): Promise<ScriptedExtender> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new ScriptedExtender(server);
  }

  /** From now on; a promise keeps the caller waiting, a number is an HTTP status. */
  answer(verb: string, answer: Answer): void {
    this.#answers.set(verb, answer);
  }

  callsOf(verb: string): readonly ExtenderCall[] {
    return this.calls.filter((call) => call.verb === verb);
  }

  /** Resolves once a verb has been called that often. */
  async called(verb: string, times = 1): Promise<void> {
    while (this.callsOf(verb).length < times) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const verb = (request.url ?? '').slice(1);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as ExtenderCall['body'];
    const { method = '', headers, socket } = request;
    this.calls.push({
      verb,
      method,
      contentType: headers['content-type'] ?? '',
      body,
      port: socket.remotePort ?? 0,
    });
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    const answer = await this.#answers.get(verb)?.(body);
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }
}
