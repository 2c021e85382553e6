/**
 * The embedded API with a client whose every exchange a test can wait for: answers when they are in, lines of a watch
 * when they were taken, waits when they have begun. The clock of the code under test is the test's; the time limits of
 * requests stand on one that never moves.
 */
import { openAccess } from '../../../src/kubernetes/api-access.ts';
import { RestClient, type RestRequest, type StreamRequest } from '../../../src/kubernetes/rest-client.ts';
import type { RestResult } from '../../../src/kubernetes/rest-result.ts';
import type { Clock } from '../../../src/model/clock.ts';
import { type Emulator, startEmulator } from '../../../src/emulator/api/server.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { Journal } from '../../support/journal.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../emulator/api/emulator-fixture.ts';

const timeoutMs = 10_000;

export class EmbeddedApi {
  readonly emulator: Emulator;
  readonly time = new ManualClock();
  /** Of the code under test; its waits are written down as they begin. */
  readonly clock: Clock = {
    nowMs: () => this.nowMs(),
    after: (delayMs, action) => {
      const cancel = this.time.after(delayMs, action);
      this.waitsMs.add(delayMs);
      return cancel;
    },
  };
  readonly waitsMs = new Journal<number>();
  /** What the code under test reads from its clock; a test may let time pass without its timers. */
  nowMs: () => number = () => this.time.nowMs();
  /** `METHOD path` of the requests of the code under test. */
  readonly requests = new Journal<string>();
  /** Lines of watches that were taken. */
  readonly lines = new Journal<string>();
  readonly #rest: RestClient;
  /** For the code under test. */
  readonly client: Pick<RestClient, 'request' | 'stream'> = {
    request: async (request: RestRequest) => {
      const result = await this.#rest.request(request);
      this.requests.add(`${request.method} ${request.path}`);
      return result;
    },
    stream: (request: StreamRequest) =>
      this.#rest.stream({
        ...request,
        onLine: (line) => {
          const goesOn = request.onLine(line);
          this.lines.add(line);
          return goesOn;
        },
      }),
  };

  private constructor(emulator: Emulator) {
    this.emulator = emulator;
    this.#rest = new RestClient({ access: openAccess(emulator.url), clock: new ManualClock(), version: '0' });
  }

  static async start(): Promise<EmbeddedApi> {
    return new EmbeddedApi(await startEmulator({ clock: systemClock, random: seededRandom() }));
  }

  /** What somebody else does. Throws when it is refused. */
  async send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const result = await this.#sendRaw(method, path, body);
    if (result.kind !== 'ok') throw new Error(`${method} ${path}: ${JSON.stringify(result)}`);
    return result.body;
  }

  /** What is stored there. */
  async read(path: string): Promise<unknown> {
    const result = await this.#rest.request({ method: 'GET', path, timeoutMs });
    if (result.kind !== 'ok') throw new Error(`GET ${path}: ${JSON.stringify(result)}`);
    return result.body;
  }

  async close(): Promise<void> {
    this.#rest.close();
    await this.emulator.close();
  }

  #sendRaw(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<RestResult> {
    const shared = { path, ...(body === undefined ? {} : { body }), timeoutMs };
    return this.#rest.request(
      method === 'PATCH'
        ? { ...shared, method, contentType: 'application/merge-patch+json' }
        : { ...shared, method },
    );
  }
}
