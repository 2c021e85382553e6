/**
 * The API's failures: `Status` objects in the words and codes of a Kubernetes API server (v1.36), thrown as `ApiError`
 * and sent by one error handler. Clients decide by `code` and `reason`; messages are for people.
 */
import type { ResourceName } from './resource-name.ts';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export class ApiError extends Error {
  readonly code: number;
  readonly status: Status;

  constructor(code: number, reason: string, message: string, more: Partial<Status> = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...more,
      code,
    };
  }
}

export function success(more: Partial<Status> = {}): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', ...more };
}

/** `pods`, or `leases.coordination.k8s.io` for a resource of a named group. */
function qualified({ group, plural }: ResourceName): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function detailsOf(resource: ResourceName, name: string): StatusDetails {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
}

export function notFound(resource: ResourceName, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, {
    details: detailsOf(resource, name),
  });
}

export function alreadyExists(resource: ResourceName, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, {
    details: detailsOf(resource, name),
  });
}

export const modifiedMessage =
  'the object has been modified; please apply your changes to the latest version and try again';

/** A write that lost against another one, or whose preconditions do not hold. */
export function conflict(resource: ResourceName, name: string, why: string): ApiError {
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    { details: detailsOf(resource, name) },
  );
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

/** What is wrong with one field, in the four forms that are used here. */
export type FieldFault =
  | { readonly kind: 'Required'; readonly field: string; readonly detail?: string }
  | { readonly kind: 'Invalid'; readonly field: string; readonly value: string; readonly detail: string }
  | { readonly kind: 'Duplicate'; readonly field: string; readonly value: string }
  | { readonly kind: 'Forbidden'; readonly field: string; readonly detail: string };

function faultText(fault: FieldFault): string {
  switch (fault.kind) {
    case 'Required':
      return fault.detail === undefined ? 'Required value' : `Required value: ${fault.detail}`;
    case 'Invalid':
      return `Invalid value: ${JSON.stringify(fault.value)}: ${fault.detail}`;
    case 'Duplicate':
      return `Duplicate value: ${JSON.stringify(fault.value)}`;
    case 'Forbidden':
      return `Forbidden: ${fault.detail}`;
  }
}

/** 422 for an object that was understood and is not allowed; `kind` is the kind's name, e.g. `Pod`. */
export function invalid(
  { group, kind }: { readonly group: string; readonly kind: string },
  name: string,
  faults: readonly FieldFault[],
): ApiError {
  const texts = faults.map((fault) => `${fault.field}: ${faultText(fault)}`);
  const list = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return new ApiError(
    422,
    'Invalid',
    `${group === '' ? kind : `${kind}.${group}`} "${name}" is invalid: ${list}`,
    {
      details: {
        ...(name === '' ? {} : { name }),
        ...(group === '' ? {} : { group }),
        kind,
        causes: faults.map((fault) => ({
          reason: `FieldValue${fault.kind}`,
          message: faultText(fault),
          field: fault.field,
        })),
      },
    },
  );
}

/** 410: the asked version is no longer kept. The client lists anew. */
export function expired(what: 'list' | 'watch'): ApiError {
  return new ApiError(410, 'Expired', `The resourceVersion for the provided ${what} is too old.`);
}

export function expiredContinue(freshToken: string): ApiError {
  return new ApiError(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. Start a new list, or use the ' +
      'continue token of this answer for the remainder as it is now.',
    { metadata: { continue: freshToken } },
  );
}

export function versionTooLarge(asked: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });
}

export function unsupportedMediaType(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message);
}

export function notAcceptable(): ApiError {
  return new ApiError(406, 'NotAcceptable', 'only application/json is served');
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    { details: {} },
  );
}

export function unknownResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', { details: {} });
}

export function internalError(message: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {
    details: { causes: [{ reason: 'InternalError', message }] },
  });
}
