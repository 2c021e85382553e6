/** The query parameters of list and watch, read once, with the refusals of the real server (k8s v1.36). */
import type { ApiObject } from './api-object.ts';
import type { Resource } from './resources.ts';
import { type ObjectPredicate, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { ApiError, badRequest, type FieldFault, invalid } from './status.ts';

/** Which objects of a resource are meant. */
export interface Selection {
  readonly matches: ObjectPredicate;
  /** Whether a label or field selector narrows it. */
  readonly narrowed: boolean;
}

export type VersionMatch = 'Exact' | 'NotOlderThan';

export interface ListQuery {
  readonly limit?: number;
  readonly continueToken?: string;
  /** Absent when not given; 0 stands for any version. */
  readonly version?: number;
  readonly versionMatch?: VersionMatch;
}

/** The selection of a request; `namespace` is absent for all namespaces. Throws ApiError 400. */
export function readSelection(
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
): Selection {
  const labelText = query.get('labelSelector') ?? '';
  const fieldText = query.get('fieldSelector') ?? '';
  const labels = parseLabelSelector(labelText);
  if (!labels.ok) throw badRequest(labels.problem);
  const fields = parseFieldSelector(fieldText, resource.fields);
  if (!fields.ok) throw badRequest(fields.problem);
  return {
    matches: (object: ApiObject) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      fields.value(object) &&
      labels.value(object.metadata.labels ?? {}),
    narrowed: labelText !== '' || fieldText !== '',
  };
}

/** Paging and version of a list. Throws ApiError: 400 for unreadable numbers, 422 for parameters at odds. */
export function readListQuery(query: URLSearchParams): ListQuery {
  const limit = wholeNumber(query.get('limit'), 'limit');
  const continueToken = query.get('continue') ?? '';
  const version = readVersion(query);
  const versionMatch = readVersionMatch(query, version, continueToken);
  if (continueToken !== '' && version !== undefined && version > 0) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  return {
    ...(limit === undefined || limit === 0 ? {} : { limit }),
    ...(continueToken === '' ? {} : { continueToken }),
    ...(version === undefined ? {} : { version }),
    ...(versionMatch === undefined ? {} : { versionMatch }),
  };
}

/** The asked version; absent when not given. Throws ApiError 400. */
function readVersion(query: URLSearchParams): number | undefined {
  return wholeNumber(query.get('resourceVersion'), 'resourceVersion');
}

function readVersionMatch(
  query: URLSearchParams,
  version: number | undefined,
  continueToken: string,
): VersionMatch | undefined {
  const text = query.get('resourceVersionMatch') ?? '';
  if (text === '') return undefined;
  if (continueToken !== '') {
    throw optionsFault('resourceVersionMatch is forbidden when continue is provided');
  }
  if (version === undefined) {
    throw optionsFault('resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  if (text !== 'Exact' && text !== 'NotOlderThan') {
    throw invalid(listOptions, '', [
      {
        kind: 'Invalid',
        field: 'resourceVersionMatch',
        value: text,
        detail: 'is neither Exact nor NotOlderThan',
      },
    ]);
  }
  if (text === 'Exact' && version === 0) {
    throw optionsFault('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
  }
  return text;
}

const listOptions = { group: 'meta.k8s.io', kind: 'ListOptions' };

function optionsFault(detail: string): ApiError {
  const fault: FieldFault = { kind: 'Forbidden', field: 'resourceVersionMatch', detail };
  return invalid(listOptions, '', [fault]);
}

export interface WatchQuery {
  /** Absent: from the present state on, which is sent first. */
  readonly version?: number;
  readonly bookmarks: boolean;
  /** Absent where the client leaves the duration to the server. */
  readonly timeoutSeconds?: number;
  /** Whether the present state comes first and ends with a bookmark that says so. */
  readonly initialEvents: boolean;
}

/** Throws ApiError: 400 for unreadable numbers, 422 for parameters at odds. */
export function readWatchQuery(query: URLSearchParams): WatchQuery {
  const version = readVersion(query);
  const timeoutSeconds = wholeNumber(query.get('timeoutSeconds'), 'timeoutSeconds');
  const initialEvents = isTrue(query.get('sendInitialEvents'));
  if (initialEvents && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    const detail = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    throw optionsFault(detail);
  }
  return {
    ...(version === undefined || version === 0 ? {} : { version }),
    ...(timeoutSeconds === undefined || timeoutSeconds === 0 ? {} : { timeoutSeconds }),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    initialEvents,
  };
}

export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1';
}

function wholeNumber(text: string | null, name: string): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}`);
  return Number(text);
}
