/**
 * Files that are watched by polling, without waiting for the pace of a server: Node polls a file for all who watch it
 * at the pace of the first, and what the first has seen is what every later change is compared with.
 */
import { renameSync, unwatchFile, watchFile, writeFileSync } from 'node:fs';

const intervalMs = 15;

/** Creates a file, and resolves when its poller has seen it. Ends the polling when the returned function is called. */
export async function createPolledFile(file: string, content: string): Promise<() => void> {
  let seen: () => void = () => undefined;
  const onChange = () => {
    seen();
  };
  // Of a file that is not there yet, the poller tells once that it is not there.
  const missing = new Promise<void>((resolve) => (seen = resolve));
  watchFile(file, { interval: intervalMs }, onChange);
  await missing;
  const created = new Promise<void>((resolve) => (seen = resolve));
  replaceFile(file, content);
  await created;
  return () => {
    unwatchFile(file, onChange);
  };
}

/** Appears whole under its name, as a careful writer does it. */
export function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}
