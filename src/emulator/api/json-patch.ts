/**
 * JSON patch, RFC 6902, applied to a copy. A patch is refused as a whole: an operation that cannot be done, or a
 * `test` that does not hold, leaves nothing behind.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { at, isRecord, textAt } from './json.ts';

/** The patched value. Refuses with a sentence that names the operation. */
export function jsonPatch(target: unknown, operations: readonly unknown[]): Parsed<unknown> {
  let current = target;
  for (const operation of operations) {
    const next = applyOperation(current, operation);
    if (!next.ok) return unparsable(`${JSON.stringify(operation)}: ${next.problem}`);
    current = next.value;
  }
  return parsed(current);
}

function applyOperation(target: unknown, operation: unknown): Parsed<unknown> {
  const path = parsePointer(textAt(operation, 'path'));
  const from = parsePointer(textAt(operation, 'from'));
  if (!path.ok) return path;
  if (!from.ok) return from;
  const value = at(operation, 'value');
  const kind = textAt(operation, 'op');
  switch (kind) {
    case 'add':
      return write(target, path.value, { kind: 'add', value });
    case 'replace':
      return write(target, path.value, { kind: 'replace', value });
    case 'remove':
      return write(target, path.value, { kind: 'remove' });
    case 'test': {
      const found = read(target, path.value);
      if (!found.ok) return found;
      return isDeepStrictEqual(found.value, value) ? parsed(target) : unparsable('the test does not hold');
    }
    case 'copy':
    case 'move': {
      const found = read(target, from.value);
      if (!found.ok) return found;
      const rest = kind === 'copy' ? parsed(target) : write(target, from.value, { kind: 'remove' });
      return rest.ok ? write(rest.value, path.value, { kind: 'add', value: found.value }) : rest;
    }
    default:
      return unparsable('the operation is unknown');
  }
}

function parsePointer(text: string): Parsed<readonly string[]> {
  if (text === '') return parsed([]);
  if (!text.startsWith('/')) return unparsable(`${text} is no JSON pointer`);
  return parsed(
    text
      .slice(1)
      .split('/')
      .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~')),
  );
}

function read(target: unknown, path: readonly string[]): Parsed<unknown> {
  let current = target;
  for (const segment of path) {
    const list: unknown = current;
    if (Array.isArray(list) && indexOf(segment, list.length - 1) !== undefined) {
      current = (list as readonly unknown[])[Number(segment)];
    } else if (isRecord(current) && Object.hasOwn(current, segment)) {
      current = current[segment];
    } else {
      return unparsable(`there is no ${segment}`);
    }
  }
  return parsed(current);
}

type Change =
  | { readonly kind: 'add'; readonly value: unknown }
  | { readonly kind: 'replace'; readonly value: unknown }
  | { readonly kind: 'remove' };

function write(target: unknown, path: readonly string[], change: Change): Parsed<unknown> {
  const [segment, ...rest] = path;
  if (segment === undefined) {
    return change.kind === 'remove' ? unparsable('the whole cannot be removed') : parsed(change.value);
  }
  if (Array.isArray(target)) return writeElement(target, segment, rest, change);
  if (!isRecord(target)) return unparsable(`there is nothing that could hold ${segment}`);
  const exists = Object.hasOwn(target, segment);
  if (!exists && (rest.length > 0 || change.kind !== 'add')) return unparsable(`there is no ${segment}`);
  const members = new Map(Object.entries(target));
  if (rest.length === 0 && change.kind === 'remove') {
    members.delete(segment);
    return parsed(Object.fromEntries(members));
  }
  const inner = write(members.get(segment), rest, change);
  if (!inner.ok) return inner;
  members.set(segment, inner.value);
  return parsed(Object.fromEntries(members));
}

function writeElement(
  list: readonly unknown[],
  segment: string,
  rest: readonly string[],
  change: Change,
): Parsed<unknown> {
  const inserts = rest.length === 0 && change.kind === 'add';
  const index = inserts && segment === '-' ? list.length : indexOf(segment, list.length - (inserts ? 0 : 1));
  if (index === undefined) return unparsable(`there is no element ${segment}`);
  if (inserts) return parsed(list.toSpliced(index, 0, change.value));
  if (rest.length === 0 && change.kind === 'remove') return parsed(list.toSpliced(index, 1));
  const inner = write(list[index], rest, change);
  return inner.ok ? parsed(list.with(index, inner.value)) : inner;
}

function indexOf(segment: string, largest: number): number | undefined {
  const index = /^(0|[1-9]\d{0,8})$/.test(segment) ? Number(segment) : Number.NaN;
  return index <= largest ? index : undefined;
}
