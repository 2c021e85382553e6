/**
 * The bodies of filter and prioritize. They are mostly node names, which kube-scheduler writes last and in a form that can
 * be read without the JSON parser; the rest, and everything that does not look like that, is parsed as any other body.
 * The value is the same either way.
 */
import express, { type RequestHandler } from 'express';
import { KnownNames } from '../wire/known-names.ts';
import { jsonBody } from './body.ts';

export function extenderBody(limitMiB: number): RequestHandler {
  const asOthers = jsonBody(limitMiB);
  const read = express.raw({ limit: limitMiB * 1024 * 1024, type: () => true });
  const known = new KnownNames();
  return (request, response, next) => {
    if (!isUtf8(request.headers['content-type'])) {
      asOthers(request, response, next);
      return;
    }
    read(request, response, (error: unknown) => {
      const body = request.body as unknown;
      if (error !== undefined || !Buffer.isBuffer(body)) {
        next(error);
        return;
      }
      try {
        request.body = body.length === 0 ? undefined : parseExtenderBody(body, known);
        next();
      } catch (cause) {
        next(asBodyFault(cause));
      }
    });
  };
}

/** True when a body with this content type is to be read as JSON is meant to be written. */
function isUtf8(contentType: string | undefined): boolean {
  return contentType === undefined || !/charset/i.test(contentType) || /charset="?utf-8/i.test(contentType);
}

/** As Go writes ExtenderArgs. */
const opening = '"NodeNames":[';
const openingBrace = 0x7b;
const closingBrace = 0x7d;
const comma = 0x2c;

/** What `JSON.parse` makes of the text. Throws its SyntaxError. */
export function parseExtenderBody(body: Buffer, known: KnownNames): unknown {
  const at = openingIn(body);
  const list = at < 0 ? undefined : known.read(body, at + opening.length);
  if (list === undefined || !endsAt(body, list.end)) return JSON.parse(new TextDecoder().decode(body));
  const rest = JSON.parse(`${body.toString('utf8', 0, at)}"NodeNames":null}`) as object;
  return { ...rest, NodeNames: list.names };
}

/** Where the list's key is; -1 where there is none. Behind a backslash it would be a part of another key. */
function openingIn(body: Buffer): number {
  const at = body.lastIndexOf(opening);
  const before = body[at - 1];
  return before === comma || before === openingBrace ? at : -1;
}

/** Nothing but the end of the outermost object may follow. */
function endsAt(body: Buffer, position: number): boolean {
  return body[position] === closingBrace && body.toString('latin1', position + 1).trim() === '';
}

/** A fault in the form of the body parser's own. */
function asBodyFault(cause: unknown): unknown {
  const fault = { type: 'entity.parse.failed', status: 400 };
  return cause instanceof SyntaxError ? Object.assign(cause, fault) : cause;
}
