/** Unchecked trees as they come from files, variables and flags: told apart, laid over each other, frozen. */

export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `upper` over `lower`, key by key in nested mappings; lists and scalars replace, undefined does not. */
export function overlay(lower: Mapping, upper: Mapping): Mapping {
  const written = Object.entries(upper).filter(([, value]) => value !== undefined);
  const values = written.map(([key, value]): [string, unknown] => {
    const below = Object.hasOwn(lower, key) ? lower[key] : undefined;
    return [key, isMapping(below) && isMapping(value) ? overlay(below, value) : value];
  });
  // fromEntries defines keys, so that one named `__proto__` stays a key and is refused as unknown.
  return Object.fromEntries([...Object.entries(lower), ...values]);
}

/** Freezes a tree in place, all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
