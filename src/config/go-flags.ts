/**
 * Splits a command line as Go's flag packages do: `--flag=v`, `--flag v`, one dash for two, `-v4`; a switch takes a
 * value only behind `=`. Underscores and dashes in names are the same. Which flags there are is for the caller; of one
 * it does not know, the next word is taken for its value unless it looks like a flag.
 */

export type FlagShape = 'switch' | 'value';

export interface WrittenFlag {
  /** Without dashes in front, underscores as dashes. */
  readonly name: string;
  /** Undefined where none was written. */
  readonly value: string | undefined;
  /** The words as they were written. */
  readonly text: string;
}

export interface SplitCommandLine {
  readonly flags: readonly WrittenFlag[];
  /** Words that belong to no flag. */
  readonly words: readonly string[];
}

const flagWord = /^--?([A-Za-z][^=\s]*)(?:=([^]*))?$/;
/** The one flag whose value people write without anything between: `-v4`. */
const verbosity = /^-v(\d+)$/;

export function flagName(written: string): string {
  return written.replaceAll('_', '-');
}

export function splitGoFlags(
  args: readonly string[],
  shapeOf: (name: string) => FlagShape | undefined,
): SplitCommandLine {
  const flags: WrittenFlag[] = [];
  const words: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const text = args[index] ?? '';
    if (text === '--') {
      words.push(...args.slice(index + 1));
      break;
    }
    const [, level] = verbosity.exec(text) ?? [];
    const [, written, value] = level === undefined ? (flagWord.exec(text) ?? []) : [text, 'v', level];
    if (written === undefined) {
      words.push(text);
      continue;
    }
    const name = flagName(written);
    const next = args[index + 1];
    if (value === undefined && next !== undefined && takesNext(shapeOf(name), next)) {
      flags.push({ name, value: next, text: `${text} ${next}` });
      index += 1;
    } else {
      flags.push({ name, value, text });
    }
  }
  return { flags, words };
}

function takesNext(shape: FlagShape | undefined, next: string): boolean {
  return shape === 'value' || (shape === undefined && !next.startsWith('-'));
}
