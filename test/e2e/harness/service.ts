/**
 * One process of the run: started with its output in a log file, watched until it is ready, ended by name of signal.
 * A process that ends before it is ready fails the start with the end of its log.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunFolder } from './run-folder.ts';

export interface ServiceOptions {
  readonly folder: RunFolder;
  /** Names the log and the process in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Asked again and again until it answers yes; it must not throw. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs?: number;
}

const defaultReadyTimeoutMs = 60_000;
const readyPollMs = 50;
const stopTimeoutMs = 10_000;
const shownLines = 40;

export class Service {
  readonly name: string;
  readonly #folder: RunFolder;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #running = true;

  private constructor({ folder, name }: ServiceOptions, child: ChildProcess) {
    this.name = name;
    this.#folder = folder;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const ended = () => {
        this.#running = false;
        resolve();
      };
      child.once('exit', ended);
      child.once('error', ended);
    });
  }

  /** Starts the process and waits until it is ready; rejects with its last lines when it does not get there. */
  static async start(options: ServiceOptions): Promise<Service> {
    const { folder, name, command, args, env, isReady, readyTimeoutMs = defaultReadyTimeoutMs } = options;
    const log = openSync(logFile(folder, name), 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], env: env ?? process.env });
    closeSync(log);
    const service = new Service(options, child);
    folder.notePid(name, child.pid);
    const deadline = Date.now() + readyTimeoutMs;
    while (!(await isReady())) {
      if (!service.running || Date.now() > deadline) {
        const cause = service.running ? `was not ready within ${readyTimeoutMs} ms` : 'ended while starting';
        const lines = await service.lastLines();
        await service.end('SIGKILL');
        throw new ServiceStartError(`${name} ${cause}:\n${lines}`);
      }
      await pause(readyPollMs);
    }
    return service;
  }

  get running(): boolean {
    return this.#running;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends a signal and waits for the end; a process that ignores it is killed after ten seconds. */
  async end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<void> {
    if (this.#running) this.#child.kill(signal);
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    await this.#exited;
    clearTimeout(giveUp);
    this.#folder.notePid(this.name, undefined);
  }

  /** Stops the process where it stands, or lets it go on. */
  send(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** All that it has written so far, earlier runs under the same name included. */
  async log(): Promise<string> {
    return readFile(logFile(this.#folder, this.name), 'utf8');
  }

  async lastLines(): Promise<string> {
    return (await this.log()).trimEnd().split('\n').slice(-shownLines).join('\n');
  }
}

/** A process did not become ready. */
export class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';
}

function logFile(folder: RunFolder, name: string): string {
  return folder.file('logs', `${name}.log`);
}
