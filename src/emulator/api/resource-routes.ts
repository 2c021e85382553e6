/** The routes of one resource: list, watch, read, create, change, delete, and its status. */
import { type Request, type RequestHandler, Router } from 'express';
import {
  type AnswerContext,
  queryOf,
  requireForm,
  sendList,
  sendObject,
  sendStatus,
  setWarnings,
} from './answers.ts';
import type { ApiContext } from './api-context.ts';
import { deleteObject, type DeleteOptions, readDeleteOptions } from './deletion.ts';
import { rootOf } from './discovery.ts';
import { isTrue, readListQuery, readSelection, readWatchQuery } from './list-query.ts';
import { listPage } from './list.ts';
import { applyPatch } from './patch.ts';
import { bodyText, bodyValue } from './request-body.ts';
import type { Resource } from './resources.ts';
import { ApiError, badRequest, methodNotAllowed, success } from './status.ts';
import { serveWatch, type WatchDeps } from './watch.ts';
import { readPatched, readSent, wireObject } from './wire-form.ts';
import {
  changeObject,
  createObject,
  type NamedTarget,
  requireObject,
  type WriteOptions,
  type WriteTarget,
  type WrittenPart,
} from './writes.ts';

export interface RouteDeps extends ApiContext, WatchDeps {}

export const refuseMethod: RequestHandler = () => {
  throw methodNotAllowed();
};

/** The path of a resource's objects, within a namespace where it belongs to one. */
export function collectionPath(resource: Resource): string {
  return `${rootOf(resource)}${resource.namespaced ? '/namespaces/:namespace' : ''}/${resource.plural}`;
}

export function resourceRoutes(resource: Resource, deps: RouteDeps): Router {
  const router = Router();
  const collection = collectionPath(resource);
  const list = listOrWatch(resource, deps);
  if (resource.namespaced) {
    router
      .route(`${rootOf(resource)}/${resource.plural}`)
      .get(list)
      .all(refuseMethod);
  }
  router
    .route(collection)
    .get(list)
    .post(creation(resource, deps))
    .delete(collectionDeletion(resource, deps))
    .all(refuseMethod);
  router
    .route(`${collection}/:name`)
    .get(reading(resource, deps))
    .put(replacement(resource, 'main', deps))
    .patch(patching(resource, 'main', deps))
    .delete(deletion(resource, deps))
    .all(refuseMethod);
  if (resource.hasStatus) {
    router
      .route(`${collection}/:name/status`)
      .get(reading(resource, deps))
      .put(replacement(resource, 'status', deps))
      .patch(patching(resource, 'status', deps))
      .all(refuseMethod);
  }
  return router;
}

export function parameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

function writeTarget(resource: Resource, request: Request): WriteTarget {
  return resource.namespaced ? { resource, namespace: parameter(request, 'namespace') } : { resource };
}

function namedTarget(resource: Resource, request: Request): NamedTarget {
  return { ...writeTarget(resource, request), name: parameter(request, 'name') };
}

export function writeOptions(request: Request): WriteOptions {
  return { dryRun: queryOf(request).get('dryRun') === 'All' };
}

function listOrWatch(resource: Resource, deps: RouteDeps): RequestHandler {
  return (request, response) => {
    const query = queryOf(request);
    const { namespace } = request.params;
    const selection = readSelection(resource, typeof namespace === 'string' ? namespace : undefined, query);
    const form = requireForm(request);
    if (isTrue(query.get('watch'))) {
      const includeObject = query.get('includeObject') ?? '';
      serveWatch(deps, { resource, selection, query: readWatchQuery(query), form, includeObject }, response);
      return;
    }
    const page = listPage(deps.store, resource, selection, readListQuery(query));
    sendList({ clock: deps.clock, request, response }, resource, page);
  };
}

function reading(resource: Resource, deps: RouteDeps): RequestHandler {
  return (request, response) => {
    const object = requireObject(deps, namedTarget(resource, request));
    sendObject({ clock: deps.clock, request, response }, resource, object);
  };
}

function creation(resource: Resource, deps: RouteDeps): RequestHandler {
  return async (request, response) => {
    const sent = readSent(resource, bodyValue(request));
    const { object, warnings } = await createObject(
      deps,
      writeTarget(resource, request),
      sent,
      writeOptions(request),
    );
    setWarnings(response, warnings);
    sendObject({ clock: deps.clock, request, response }, resource, object, 201);
  };
}

function replacement(resource: Resource, part: WrittenPart, deps: RouteDeps): RequestHandler {
  return async (request, response) => {
    const target = namedTarget(resource, request);
    const next = readSent(resource, bodyValue(request));
    const context: AnswerContext = { clock: deps.clock, request, response };
    if (part === 'main' && resource.createOnUpdate && !exists(deps, target)) {
      if (next.metadata.name !== target.name)
        throw badRequest('the name of the object does not match the URL');
      const { object } = await createObject(deps, target, next, writeOptions(request));
      sendObject(context, resource, object, 201);
      return;
    }
    const changed = changeObject(deps, target, { part, next, by: 'put' }, writeOptions(request));
    sendObject(context, resource, changed);
  };
}

function exists(deps: ApiContext, target: NamedTarget): boolean {
  try {
    requireObject(deps, target);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return false;
    throw error;
  }
}

function patching(resource: Resource, part: WrittenPart, deps: RouteDeps): RequestHandler {
  return (request, response) => {
    const target = namedTarget(resource, request);
    const contentType = request.headers['content-type'];
    const current = wireObject(resource, requireObject(deps, target));
    const next = readPatched(resource, applyPatch(contentType, current, bodyText(request)));
    const changed = changeObject(deps, target, { part, next, by: 'patch' }, writeOptions(request));
    sendObject({ clock: deps.clock, request, response }, resource, changed);
  };
}

/** Options come in the body, or as parameters of the query. */
function deleteOptions(request: Request): DeleteOptions {
  const sent = bodyText(request) === '' ? {} : bodyValue(request);
  const options = readDeleteOptions(sent, writeOptions(request).dryRun);
  const graceText = queryOf(request).get('gracePeriodSeconds') ?? '';
  return /^-?\d{1,9}$/.test(graceText) ? { ...options, gracePeriodSeconds: Number(graceText) } : options;
}

function deletion(resource: Resource, deps: RouteDeps): RequestHandler {
  return (request, response) => {
    const object = deleteObject(deps, namedTarget(resource, request), deleteOptions(request));
    if (resource.deleteReturnsObject) {
      sendObject({ clock: deps.clock, request, response }, resource, object);
      return;
    }
    const { name, uid = '' } = object.metadata;
    const { group, plural } = resource;
    sendStatus(
      response,
      success({ details: { name, ...(group === '' ? {} : { group }), kind: plural, uid } }),
    );
  };
}

function collectionDeletion(resource: Resource, deps: RouteDeps): RequestHandler {
  return (request, response) => {
    const target = writeTarget(resource, request);
    const options = deleteOptions(request);
    const selection = readSelection(resource, target.namespace, queryOf(request));
    const page = listPage(deps.store, resource, selection, {});
    for (const { metadata } of page.objects) deleteObject(deps, { ...target, name: metadata.name }, options);
    sendList({ clock: deps.clock, request, response }, resource, page);
  };
}
