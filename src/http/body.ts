/**
 * Request bodies: any content type is read as JSON (kube-scheduler names none of its own), one byte over the limit is
 * refused with 413 rather than cut (Q17), and every fault becomes an answer that the caller's protocol can carry.
 */
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express';

export function jsonBody(limitMiB: number): RequestHandler {
  const parse = express.json({ limit: limitMiB * 1024 * 1024, type: () => true, strict: false });
  return (request, response, next) => {
    // Clients send this for no body at all, and the parser would make an object of it.
    if (request.headers['content-length'] === '0') next();
    else parse(request, response, next);
  };
}

/** What a body parser's error means; undefined when the error is another one. */
export interface BodyFault {
  readonly status: number;
  readonly message: string;
  readonly oversized: boolean;
}

export function bodyFaultOf(error: unknown, limitMiB: number): BodyFault | undefined {
  if (typeof error !== 'object' || error === null || !('type' in error) || !('status' in error))
    return undefined;
  const { type, status } = error;
  if (typeof type !== 'string' || typeof status !== 'number') return undefined;
  const oversized = type === 'entity.too.large';
  const text = 'message' in error ? String(error.message) : type;
  return {
    status,
    oversized,
    message: oversized
      ? `the request body is larger than ${limitMiB} MiB (configuration key bodyLimitMiB)`
      : `the request body cannot be read: ${text}`,
  };
}

/** True when nothing was sent, which Express leaves undefined. */
export function isBodyMissing(request: Request): boolean {
  return (request.body as unknown) === undefined;
}

/** Turns body faults into answers of the route they were sent to; other errors go on. */
export function bodyFaults(
  limitMiB: number,
  answer: (fault: BodyFault, ...rest: Parameters<ErrorRequestHandler>) => void,
): ErrorRequestHandler {
  return (error, request, response, next) => {
    const fault = bodyFaultOf(error, limitMiB);
    if (fault === undefined) next(error);
    else answer(fault, error, request, response, next);
  };
}
