/**
 * Certificate files that may be replaced while the server runs, as cert-manager and mounted Secrets do. The two files
 * change one after the other, so a pair that does not belong together is not an error yet: the good one stays in use.
 */
import { readFile } from 'node:fs/promises';
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
  /** What was read of them when the watch began. */
  readonly serving: TlsMaterial;
  readonly clock: Clock;
  readonly onChange: (material: Parsed<CheckedMaterial>) => void;
  /** How often the files are read. Events of the file system miss the symlink swap of a mounted Secret. */
  readonly intervalMs: number;
}

/**
 * Calls `onChange` whenever what the files hold, or what is wrong with it, is not what it was, until the returned
 * function is called. Reading rather than asking for times also finds a certificate that has become valid meanwhile.
 */
export function watchTlsFiles({ files, serving, clock, onChange, intervalMs }: TlsWatch): () => void {
  let last = textOf(parsed(serving));
  let stopped = false;
  let cancel: () => void;
  const look = async () => {
    const read = await readTlsFiles(files, clock);
    if (stopped) return;
    const changed = textOf(read) !== last;
    last = textOf(read);
    plan();
    if (changed) onChange(read);
  };
  const plan = () => {
    cancel = clock.after(intervalMs, () => {
      // `readTlsFiles` never rejects.
      void look();
    });
  };
  plan();
  return () => {
    stopped = true;
    cancel();
  };
}

function textOf(material: Parsed<TlsMaterial>): string {
  return material.ok ? `${material.value.certificate}${material.value.key}` : material.problem;
}
