/** Bodies of requests as JSON values: read as bytes, since protobuf comes too, and refused by type with 415. */
import type { Request } from 'express';
import { mediaTypeOf } from './patch.ts';
import { readProtobuf } from './protobuf-body.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

/** The body as text; empty when there is none. */
export function bodyText(request: Request): string {
  return bodyBytes(request).toString('utf8');
}

function bodyBytes(request: Request): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** The value of a body that must be there. Throws ApiError: 400 for what cannot be read, 415 for other types. */
export function bodyValue(request: Request): unknown {
  const type = mediaTypeOf(request.headers['content-type']);
  if (type === 'application/vnd.kubernetes.protobuf') {
    const value = readProtobuf(bodyBytes(request));
    if (!value.ok) throw unsupportedMediaType(`${value.problem} - send application/json`);
    return value.value;
  }
  if (type !== '' && type !== 'application/json') {
    throw unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json',
    );
  }
  return parseJson(bodyText(request));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw badRequest(`the object provided is unrecognized: json parse error: ${problem}`);
  }
}
