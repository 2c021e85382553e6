/**
 * A strict RFC 6902 applier for `add`, `replace` and `remove`, as the API server applies a webhook's patch: a place
 * that does not exist, or a parent that is missing, is an error. It works on a copy.
 */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** The document after all operations. Throws on the first one that cannot be applied. */
export function applyPatch<T>(document: T, operations: readonly PatchOperation[]): T {
  const copy = structuredClone(document);
  for (const operation of operations) applyOne(copy, operation);
  return copy;
}

function applyOne(document: unknown, { op, path, value }: PatchOperation): void {
  const segments = segmentsOf(path);
  const last = segments.pop();
  if (last === undefined) throw new Error(`${op} of the whole document is not supported`);
  const parent = segments.reduce((place, segment) => memberOf(place, segment, path), document);
  if (Array.isArray(parent)) applyToArray(parent, last, { op, path, value });
  else if (typeof parent === 'object' && parent !== null)
    applyToObject(parent as Record<string, unknown>, last, { op, path, value });
  else throw new Error(`${path}: its parent is no object or array`);
}

function segmentsOf(path: string): string[] {
  if (!path.startsWith('/')) throw new Error(`${JSON.stringify(path)} is not a JSON pointer`);
  return path
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function memberOf(place: unknown, segment: string, path: string): unknown {
  if (typeof place !== 'object' || place === null || !Object.hasOwn(place, segment)) {
    throw new Error(`${path}: there is no ${JSON.stringify(segment)}`);
  }
  return (place as Record<string, unknown>)[segment];
}

function applyToObject(
  parent: Record<string, unknown>,
  key: string,
  { op, path, value }: PatchOperation,
): void {
  if (op !== 'add' && !Object.hasOwn(parent, key)) throw new Error(`${path}: nothing to ${op}`);
  if (op === 'remove') Reflect.deleteProperty(parent, key);
  else if (op === 'add' || op === 'replace') parent[key] = structuredClone(value);
  else throw new Error(`${op} is not supported`);
}

function applyToArray(parent: unknown[], key: string, { op, path, value }: PatchOperation): void {
  const index = key === '-' ? parent.length : Number(key);
  const most = op === 'add' ? parent.length : parent.length - 1;
  if (!/^(-|0|[1-9]\d*)$/.test(key) || index > most) throw new Error(`${path}: no such place in the array`);
  if (op === 'remove') parent.splice(index, 1);
  else if (op === 'add') parent.splice(index, 0, structuredClone(value));
  else if (op === 'replace') parent[index] = structuredClone(value);
  else throw new Error(`${op} is not supported`);
}
