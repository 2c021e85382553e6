/** The two shapes in which a parser answers: a value, or a sentence that names what is wrong. Parsers never throw. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function unparsable(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
