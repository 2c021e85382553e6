/** Replaces a file as a careful writer does it: it appears whole under its name. */
import { renameSync, writeFileSync } from 'node:fs';

export function replaceFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}
