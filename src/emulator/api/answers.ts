/** Answers on the wire: objects, lists and tables as JSON, warnings as headers, failures as Status. */
import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Clock } from '../../model/clock.ts';
import type { ApiObject } from './api-object.ts';
import type { ListPage } from './list.ts';
import { type AnswerForm, negotiate } from './negotiation.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { ApiError, badRequest, internalError, notAcceptable, type Status } from './status.ts';
import { tableOf } from './tables.ts';
import { itemText, objectText } from './wire-form.ts';

/** The form that the client takes. Throws ApiError 406. */
export function requireForm(request: Request): AnswerForm {
  const form = negotiate(request.headers.accept);
  if (form === undefined) throw notAcceptable();
  return form;
}

export function queryOf(request: Request): URLSearchParams {
  return new URL(request.originalUrl, 'http://emulator').searchParams;
}

export interface AnswerContext {
  readonly clock: Clock;
  readonly request: Request;
  readonly response: Response;
}

/** Without a charset, as the API server names the type. Bytes, since Node would recode headers along with a text. */
function sendText(response: Response, code: number, text: string): void {
  response.status(code).setHeader('content-type', 'application/json').end(Buffer.from(text));
}

export function sendJson(response: Response, value: unknown, code = 200): void {
  sendText(response, code, JSON.stringify(value));
}

export function sendObject(
  { clock, request, response }: AnswerContext,
  resource: Resource,
  object: ApiObject,
  code = 200,
): void {
  if (requireForm(request) === 'objects') {
    sendText(response, code, objectText(resource, object));
    return;
  }
  const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
  sendJson(response, tableOf(resource, [object], metadata, tableOptions(clock, request)), code);
}

export function sendList(
  { clock, request, response }: AnswerContext,
  resource: Resource,
  { objects, version, continueToken, remaining }: ListPage,
): void {
  const metadata = {
    resourceVersion: String(version),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
  if (requireForm(request) === 'table') {
    sendJson(response, tableOf(resource, objects, metadata, tableOptions(clock, request)));
    return;
  }
  const head = JSON.stringify({
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata,
  });
  const items = objects.map((object) => itemText(resource, object)).join(',');
  sendText(response, 200, `${head.slice(0, -1)},"items":[${items}]}`);
}

function tableOptions(clock: Clock, request: Request) {
  const includeObject = queryOf(request).get('includeObject') ?? '';
  return { nowMs: clock.nowMs(), includeObject, withColumns: true };
}

export function sendStatus(response: Response, status: Status): void {
  sendJson(response, status, status.code);
}

/** Sentences for the client, in the form of RFC 9111's warning 299, UTF-8 as Go servers send it. */
export function setWarnings(response: Response, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  response.setHeader(
    'Warning',
    warnings.map((warning) => {
      const oneLine = warning.replaceAll(/\p{Cc}+/gu, ' ').replaceAll(/["\\]/g, String.raw`\$&`);
      return Buffer.from(`299 - "${oneLine}"`, 'utf8').toString('latin1');
    }),
  );
}

/** Every failure becomes a Status; what is no ApiError is a defect of the emulator and says 500. */
export const sendFailure: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const failure = error instanceof ApiError ? error : failureOf(error);
  const retryAfterSeconds = failure.status.details?.retryAfterSeconds;
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
  sendStatus(response, failure.status);
};

/** The body parser's own refusals carry an HTTP status. */
function failureOf(error: unknown): ApiError {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'status' in error ? error.status : undefined;
  if (code === 413) return new ApiError(413, 'RequestEntityTooLarge', 'Request entity too large');
  return typeof code === 'number' && code < 500 ? badRequest(message) : internalError(message);
}
