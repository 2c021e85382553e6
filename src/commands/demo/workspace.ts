/** The folder of one demo: everything that it writes is in there, and goes with it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Workspace {
  readonly #directory: string;
  readonly #files: string[] = [];
  readonly #isOwn: boolean;

  private constructor(directory: string, isOwn: boolean) {
    this.#directory = directory;
    this.#isOwn = isOwn;
  }

  /** In a fresh temporary folder, or in one that is given, which stays. */
  static async make(directory?: string): Promise<Workspace> {
    if (directory === undefined) return new Workspace(await mkdtemp(join(tmpdir(), 'tessera-demo-')), true);
    await mkdir(directory, { recursive: true });
    return new Workspace(directory, false);
  }

  /** The path of a file that is removed at the end, whoever writes it. */
  file(name: string): string {
    const path = join(this.#directory, name);
    this.#files.push(path);
    return path;
  }

  async write(name: string, text: string): Promise<string> {
    const path = this.file(name);
    await writeFile(path, text);
    return path;
  }

  async remove(): Promise<void> {
    if (this.#isOwn) await rm(this.#directory, { recursive: true, force: true });
    else await Promise.all(this.#files.map((path) => rm(path, { force: true })));
  }
}
