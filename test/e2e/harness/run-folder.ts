/**
 * A folder for one run, and a guard over it: when this process ends, however it ends, every process that the run has
 * started is killed and the folder removed. The guard is a shell in a process group of its own that waits for the end
 * of its input, which nobody can forget to send.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const guardScript = `
cat > /dev/null
for file in "$1"/pids/*; do
  test -f "$file" && kill -KILL "$(cat "$file")" 2> /dev/null
done
sleep 0.2
rm -rf "$1"
`;

export class RunFolder {
  readonly path: string;
  readonly #guard: ReturnType<typeof spawn>;

  private constructor(path: string, guard: ReturnType<typeof spawn>) {
    this.path = path;
    this.#guard = guard;
  }

  static async make(): Promise<RunFolder> {
    const path = await mkdtemp(join(tmpdir(), 'tessera-e2e-'));
    await mkdir(join(path, 'pids'));
    await mkdir(join(path, 'logs'));
    const guard = spawn('/bin/sh', ['-c', guardScript, 'guard', path], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.unref();
    return new RunFolder(path, guard);
  }

  file(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  /** Writes a file that only its owner can read; answers its path. */
  async write(name: string, content: string): Promise<string> {
    const path = this.file(name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  /** A process of the run has started or, with undefined, ended. Done when it returns, so that no crash falls between. */
  notePid(name: string, pid: number | undefined): void {
    const path = this.file('pids', name);
    if (pid === undefined) rmSync(path, { force: true });
    else writeFileSync(path, String(pid));
  }

  /** Kills what is left and removes the folder. */
  async remove(): Promise<void> {
    // It may be the last that this process waits for.
    this.#guard.ref();
    const closed = once(this.#guard, 'close');
    this.#guard.stdin?.end();
    await closed;
  }
}
