/** The routes that only pods have: `pods/binding`, its older form `bindings`, and `pods/eviction`. */
import { Router } from 'express';
import type { ApiContext } from './api-context.ts';
import { sendStatus } from './answers.ts';
import { rootOf } from './discovery.ts';
import { textAt } from './json.ts';
import { bindPod, evictPod } from './pod-subresources.ts';
import { bodyValue } from './request-body.ts';
import { collectionPath, parameter, refuseMethod, writeOptions } from './resource-routes.ts';
import { pods } from './resources.ts';

export function podRoutes(context: ApiContext): Router {
  const router = Router();
  const item = `${collectionPath(pods)}/:name`;
  router
    .route(`${item}/binding`)
    .post((request, response) => {
      const target = { namespace: parameter(request, 'namespace'), name: parameter(request, 'name') };
      sendStatus(response, bindPod(context, target, bodyValue(request), writeOptions(request)));
    })
    .all(refuseMethod);
  router
    .route(`${rootOf(pods)}/namespaces/:namespace/bindings`)
    .post((request, response) => {
      const binding = bodyValue(request);
      const target = {
        namespace: parameter(request, 'namespace'),
        name: textAt(binding, 'metadata', 'name'),
      };
      sendStatus(response, bindPod(context, target, binding, writeOptions(request)));
    })
    .all(refuseMethod);
  router
    .route(`${item}/eviction`)
    .post((request, response) => {
      const target = { namespace: parameter(request, 'namespace'), name: parameter(request, 'name') };
      sendStatus(response, evictPod(context, target, bodyValue(request), writeOptions(request)));
    })
    .all(refuseMethod);
  return router;
}
