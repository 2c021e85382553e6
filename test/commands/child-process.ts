/** `tessera …` as a process of its own, run from the sources, with what it prints and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const startMs = 10_000;

export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Tessera {
  readonly #child: ChildProcess;
  readonly #ending: Promise<Ending>;
  readonly #watchers = new Set<() => void>();
  #stdout = '';
  #stderr = '';

  /** @param environment all that it finds there beside PATH */
  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const { PATH } = process.env;
    const env = { ...(PATH === undefined ? {} : { PATH }), ...environment };
    this.#child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const look of this.#watchers) look();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#ending = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** The first group of `pattern` in what is printed, once it is. Rejects if the process ends or 10 s pass before. */
  async printed(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        settle();
        reject(new Error(`${why} before printing ${String(pattern)}:\n${this.#stdout}${this.#stderr}`));
      };
      const look = () => {
        const found = pattern.exec(this.#stdout)?.[1];
        if (found === undefined) return;
        settle();
        resolve(found);
      };
      const timer = setTimeout(fail, startMs, '10 s passed');
      const settle = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      this.#ending.then(
        () => {
          fail('the process ended');
        },
        (error: unknown) => {
          fail(String(error));
        },
      );
      look();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async ended(): Promise<Ending> {
    return this.#ending;
  }

  /** For the end of a test that may have failed half way. */
  async cut(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ending;
  }
}
