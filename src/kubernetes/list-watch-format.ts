/**
 * The envelopes in which the API server hands out objects: pages of a list and lines of a watch (Kubernetes API
 * concepts, "Efficient detection of changes"). Only the envelope is read here; what is inside stays unread until the
 * parser of its kind takes it.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { type JsonSchema, schemaParser } from '../wire/validate.ts';
import { type Shape, shapeWith } from './skim.ts';

/** What tells one object from another, and one version of it from the next; empty where the object does not say. */
export interface ObjectIdentity {
  /** Empty for kinds that belong to no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface ListPage {
  readonly items: readonly unknown[];
  /** Of the whole list, the same on all its pages. */
  readonly resourceVersion: string;
  /** Names the next page; absent on the last one. */
  readonly continueToken?: string;
}

export type WatchEvent =
  | { readonly kind: 'applied' | 'deleted'; readonly object: unknown }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }
  /** The server ends the watch. */
  | { readonly kind: 'error'; readonly status: number; readonly message: string };

interface RawPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly unknown[] | null;
}

interface RawEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: object;
}

const text = { type: 'string' };
const version = { type: 'string', minLength: 1 };
const record = (properties: JsonSchema, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
});

const readPage = schemaParser<RawPage>(
  record(
    {
      metadata: record({ resourceVersion: version, continue: text }, ['resourceVersion']),
      items: { type: 'array', nullable: true },
    },
    ['metadata'],
  ),
);
const readEvent = schemaParser<RawEvent>(
  record(
    { type: { enum: ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] }, object: { type: 'object' } },
    ['type', 'object'],
  ),
);

/**
 * Of a page, what is read of it and of its objects.
 *
 * @param object of which the identity is read in any case
 */
export function pageShape(object: Shape): Shape {
  return shapeWith({ metadata: 'whole', items: object });
}

/** Of a watch's event, what is read of it and of its object; an error is an object of its own kind. */
export function eventShape(object: Shape): Shape {
  if (object === 'whole') return 'whole';
  return shapeWith({
    type: 'whole',
    object: [...object, ...shapeWith({ code: 'whole', message: 'whole' })],
  });
}

/** Reads a page of a list of any kind. Never throws. */
export function parseListPage(body: unknown): Parsed<ListPage> {
  const page = readPage(body);
  if (!page.ok) return page;
  const { metadata, items } = page.value;
  const continueToken = metadata.continue ?? '';
  return parsed({
    items: items ?? [],
    resourceVersion: metadata.resourceVersion,
    ...(continueToken === '' ? {} : { continueToken }),
  });
}

/** Reads a line of a watch. Never throws. */
export function parseWatchEvent(line: string): Parsed<WatchEvent> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return unparsable('not JSON');
  }
  const event = readEvent(value);
  if (!event.ok) return event;
  const { type, object } = event.value;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return parsed({ kind: 'applied', object });
    case 'DELETED':
      return parsed({ kind: 'deleted', object });
    case 'BOOKMARK': {
      const { resourceVersion } = identityOf(object);
      return resourceVersion === ''
        ? unparsable('a bookmark without a resourceVersion')
        : parsed({ kind: 'bookmark', resourceVersion });
    }
    case 'ERROR': {
      const { code, message } = object as { readonly code?: unknown; readonly message?: unknown };
      return parsed({
        kind: 'error',
        status: typeof code === 'number' ? code : 0,
        message: typeof message === 'string' ? message : 'no message',
      });
    }
  }
}

/** Reads what it can of an object's identity. Never throws. */
export function identityOf(object: unknown): ObjectIdentity {
  const metadata = fieldOf(object, 'metadata');
  return {
    namespace: textOf(metadata, 'namespace'),
    name: textOf(metadata, 'name'),
    uid: textOf(metadata, 'uid'),
    resourceVersion: textOf(metadata, 'resourceVersion'),
  };
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
}

function textOf(value: unknown, field: string): string {
  const found = fieldOf(value, field);
  return typeof found === 'string' ? found : '';
}
