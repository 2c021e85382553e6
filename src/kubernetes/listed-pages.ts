/**
 * One complete list of a kind, page by page: for those who want to know how things are and not to follow them. A page
 * that does not come ends it; nothing is asked twice, because half of an old list and half of a new one are no list.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { pageShape, parseListPage } from './list-watch-format.ts';
import type { Query, RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';
import type { Shape } from './skim.ts';

export interface Listing {
  readonly client: Pick<RestClient, 'request'>;
  /** Of the collection, e.g. `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Query;
  /** What is read of an object; everything where left out. */
  readonly shape?: Shape;
  /** Objects per page; small ones keep this process answering others. */
  readonly pageSize: number;
  readonly signal?: AbortSignal;
}

const pageTimeoutMs = 60_000;

/** The objects of each page, unread. After a refusal nothing follows. Never throws. */
export async function* listedPages(listing: Listing): AsyncGenerator<Parsed<readonly unknown[]>, void> {
  const { client, path, query = {}, shape = 'whole', pageSize, signal } = listing;
  let continueToken: string | undefined;
  do {
    const result = await client.request({
      method: 'GET',
      path,
      query: { ...query, limit: pageSize, continue: continueToken },
      shape: pageShape(shape),
      timeoutMs: pageTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const page =
      result.kind === 'ok' ? parseListPage(result.body) : unparsable(`${path}: ${failureText(result)}`);
    if (!page.ok) {
      yield page;
      return;
    }
    yield parsed(page.value.items);
    continueToken = page.value.continueToken;
  } while (continueToken !== undefined);
}
