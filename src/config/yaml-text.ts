/**
 * Files and YAML as values: what cannot be read or parsed is a refusal that says why, never a throw. JSON is YAML, so
 * one reader serves both. Which file it was is for the caller to add.
 */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { type Parsed, parsed, unparsable } from '../model/result.ts';

/** The text of a UTF-8 file, without the mark that some editors put in front. */
export function readText(file: string): Parsed<string> {
  try {
    return parsed(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    return unparsable(`cannot be read: ${messageOf(error)}`);
  }
}

/** `go` reads as Go's YAML packages do: `yes` and `on` are booleans, `<<` merges, the last of two equal keys wins. */
export type YamlDialect = 'strict' | 'go';

/** The values of all documents in a text; none for a text that is empty or only comments. */
export function parseYaml(text: string, dialect: YamlDialect): Parsed<readonly unknown[]> {
  const documents = parseAllDocuments(text, {
    logLevel: 'silent',
    uniqueKeys: dialect === 'strict',
    version: dialect === 'strict' ? '1.2' : '1.1',
  });
  const values: unknown[] = [];
  for (const [index, document] of [...documents].entries()) {
    const refuse = (error: unknown) => unparsable(`document ${index + 1}: is not YAML: ${messageOf(error)}`);
    const [error] = document.errors;
    if (error !== undefined) return refuse(error);
    try {
      values.push(document.toJS());
    } catch (failure) {
      // Aliases that lead nowhere, or that would unfold without bounds.
      return refuse(failure);
    }
  }
  return parsed(values);
}

/** The first line; the YAML parser draws the place of an error below it. */
function messageOf(error: unknown): string {
  const isTold = typeof error === 'object' && error !== null && 'message' in error;
  const message = String(isTold ? error.message : error);
  return (message.split('\n')[0] ?? message).replace(/:$/, '');
}
