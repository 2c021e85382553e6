/**
 * Lists and their pages. All pages of one list show the same moment: the continue token carries the version of the
 * first page and the last key, and a token whose version is forgotten is answered with 410.
 */
import { type ApiObject, keyOf } from './api-object.ts';
import { isRecord, numberAt, textAt } from './json.ts';
import type { ListQuery, Selection } from './list-query.ts';
import type { Resource } from './resources.ts';
import { badRequest, expired, expiredContinue, versionTooLarge } from './status.ts';
import type { ObjectStore } from './store.ts';

export interface ListPage {
  readonly objects: readonly ApiObject[];
  readonly version: number;
  /** Absent on the last page. */
  readonly continueToken?: string;
  /** How many follow; absent when a selector would have to be asked about each. */
  readonly remaining?: number;
}

/** One page. Throws ApiError: 400 for a token that is none, 410 for a forgotten version, 504 for one to come. */
export function listPage(
  store: ObjectStore,
  resource: Resource,
  selection: Selection,
  query: ListQuery,
): ListPage {
  const collection = store.collection(resource.collection);
  const token = query.continueToken === undefined ? undefined : readToken(query.continueToken);
  const version = token?.version ?? versionOf(query, store.version);
  // Of what a selector leaves of the present, few are to be sorted, and mostly no page follows.
  const few = selection.narrowed && token === undefined && version === store.version;
  const all = few ? collection.select(selection.matches) : collection.at(version);
  if (all === undefined) {
    throw token === undefined
      ? expired('list')
      : expiredContinue(makeToken({ version: store.version, after: token.after }));
  }
  const candidates = token === undefined ? all : all.slice(firstAfter(all, token.after));
  const { limit } = query;
  const objects: ApiObject[] = [];
  let more = false;
  for (const object of candidates) {
    if (!selection.matches(object)) continue;
    if (objects.length === limit) {
      more = true;
      break;
    }
    objects.push(object);
  }
  const last = objects.at(-1);
  if (!more || last === undefined) return { objects, version };
  return {
    objects,
    version,
    continueToken: makeToken({ version, after: keyOf(last.metadata) }),
    ...(selection.narrowed
      ? {}
      : { remaining: candidates.filter((object) => selection.matches(object)).length - objects.length }),
  };
}

function versionOf({ version, versionMatch, limit }: ListQuery, current: number): number {
  if (version === undefined || version === 0) return current;
  if (version > current) throw versionTooLarge(version, current);
  // A limit without a rule means the exact version, for the sake of old clients.
  const exact = versionMatch === 'Exact' || (versionMatch === undefined && limit !== undefined);
  return exact ? version : current;
}

/** Index of the first object whose key follows. */
function firstAfter(objects: readonly ApiObject[], key: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const object = objects[middle];
    if (object !== undefined && keyOf(object.metadata) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Token {
  readonly version: number;
  readonly after: string;
}

function makeToken({ version, after }: Token): string {
  return Buffer.from(JSON.stringify({ v: 'emulator/v1', rv: version, after })).toString('base64url');
}

function readToken(text: string): Token {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    value = undefined;
  }
  const version = numberAt(value, 'rv');
  if (!isRecord(value) || version === undefined || textAt(value, 'v') !== 'emulator/v1') {
    throw badRequest('invalid continue token: continue key is not valid');
  }
  return { version, after: textAt(value, 'after') };
}
