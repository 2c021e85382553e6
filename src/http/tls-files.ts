/**
 * Certificate files that may be replaced while the server runs, as cert-manager and mounted Secrets do. The two files
 * change one after the other, so a pair that does not belong together is not an error yet: the good one stays in use.
 */
import { readFile } from 'node:fs/promises';
import { unwatchFile, watchFile } from 'node:fs';
import { type CheckedPair, checkPair } from '../certificates/check.ts';
import type { Clock } from '../model/clock.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { TlsMaterial } from './listener.ts';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CheckedMaterial extends TlsMaterial {
  readonly checked: CheckedPair;
}

/** Reads and checks a pair. Never throws. */
export async function readTlsFiles(files: TlsFiles, clock: Clock): Promise<Parsed<CheckedMaterial>> {
  try {
    const [certificate, key] = await Promise.all([
      readFile(files.certFile, 'utf8'),
      readFile(files.keyFile, 'utf8'),
    ]);
    const checked = checkPair({ certificate, key, nowMs: clock.nowMs() });
    return checked.ok ? parsed({ certificate, key, checked: checked.value }) : checked;
  } catch (error) {
    return unparsable(error instanceof Error ? error.message : String(error));
  }
}

export interface TlsWatch {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly onChange: (material: Parsed<CheckedMaterial>) => void;
  /** How often the files are looked at; watching them by event misses the symlink swap of a mounted Secret. */
  readonly intervalMs: number;
}

/** Calls `onChange` whenever either file has changed, until the returned function is called. */
export function watchTlsFiles({ files, clock, onChange, intervalMs }: TlsWatch): () => void {
  const reread = () => {
    // `readTlsFiles` never rejects.
    void readTlsFiles(files, clock).then(onChange);
  };
  for (const file of [files.certFile, files.keyFile]) {
    watchFile(file, { interval: intervalMs, persistent: false }, reread);
  }
  return () => {
    for (const file of [files.certFile, files.keyFile]) unwatchFile(file, reread);
  };
}
