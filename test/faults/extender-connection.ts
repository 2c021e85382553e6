/**
 * kube-scheduler's connection to the extender: whichever server the Service leads to now is called, in its own process.
 * A server that is not there refuses, one that dies breaks the connection, one that stands still keeps the caller
 * waiting until its time-out; and a caller who has given up is seen by the server to be gone.
 */
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import { refusalOf, type RestResult } from '../../src/kubernetes/rest-result.ts';
import { callApp } from './in-process-app.ts';
import type { Replica } from './replica.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ExtenderConnectionOptions {
  /** The caller's. */
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  /** One way, milliseconds. */
  readonly tripMs: () => number;
  /** The server that gets the next call. */
  readonly server: () => Replica | undefined;
}

export class ExtenderConnection {
  readonly #options: ExtenderConnectionOptions;

  constructor(options: ExtenderConnectionOptions) {
    this.#options = options;
  }

  request({ path, body, timeoutMs }: RestRequest): Promise<RestResult> {
    const { process, time, tripMs, server } = this.#options;
    return new Promise((resolve) => {
      let hangUp = (): void => undefined;
      let unfollow = (): void => undefined;
      let isSettled = false;
      const settle = (result: RestResult) => {
        if (isSettled) return;
        isSettled = true;
        cancelTimer();
        unfollow();
        process.deliver(() => {
          resolve(result);
        });
      };
      const cancelTimer = process.clock.after(timeoutMs, () => {
        settle({ kind: 'timeout', message: `no answer within ${timeoutMs} ms`, ambiguous: true });
        hangUp();
      });
      time.after(tripMs(), () => {
        const target = server();
        if (target === undefined || target.process.isDead) {
          settle({
            kind: 'transport',
            code: 'ECONNREFUSED',
            message: 'connection refused',
            ambiguous: false,
          });
          return;
        }
        unfollow = target.process.onDeath(() => {
          settle({ kind: 'transport', code: 'ECONNRESET', message: 'connection reset', ambiguous: true });
        });
        target.process.deliver(() => {
          const call = {
            method: 'POST',
            url: path,
            headers: { 'content-type': 'application/json' },
            body: JSON.parse(JSON.stringify(body)) as unknown,
          };
          const close = callApp(target.app, call, {
            onEnd: (status, _headers, text) => {
              // What a dead process says reaches nobody, and what a stopped one says has to wait.
              target.process.deliver(() => {
                time.after(tripMs(), () => {
                  const decoded: unknown = /^[[{]/.test(text) ? JSON.parse(text) : text;
                  settle(
                    status >= 200 && status < 300
                      ? { kind: 'ok', status, body: decoded }
                      : refusalOf(status, {}, decoded),
                  );
                });
                if (path === '/bind') target.onPoint('answer/after');
              });
            },
          });
          hangUp = () => {
            target.process.deliver(close);
          };
        });
      });
    });
  }
}
