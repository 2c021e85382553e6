/** JSON text from outside: read or refused in words, never thrown about. */
import { type Parsed, parsed, unparsable } from '../model/result.ts';

/** The value, of whatever shape. Never throws. */
export function parseJson(text: string): Parsed<unknown> {
  try {
    return parsed(JSON.parse(text) as unknown);
  } catch (error) {
    return unparsable(`not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
