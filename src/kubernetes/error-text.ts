/** What an error of the system or of a library says of itself, read without regard to where its class comes from. */

/** Never empty: an error of several addresses, for one, has nothing but a code. */
export function errorText(error: unknown): string {
  return textOf(error, 'message') ?? errorCode(error) ?? textOf(error, 'name') ?? String(error);
}

/** The system's or the library's own code, e.g. `ECONNREFUSED`. */
export function errorCode(error: unknown): string | undefined {
  return textOf(error, 'code');
}

function textOf(error: unknown, field: string): string | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, field) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
