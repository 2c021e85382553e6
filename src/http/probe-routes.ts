/** Probes and metrics. `/healthz`: the process answers; `/readyz`: its answers about the cluster are complete. */
import { Router } from 'express';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Readiness {
  /** Why the server is not ready; undefined when it is. */
  notReadyBecause(): string | undefined;
}

export function probeRoutes(readiness: Readiness): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok');
  });
  router.get('/readyz', (_request, response) => {
    const cause = readiness.notReadyBecause();
    response
      .status(cause === undefined ? 200 : 503)
      .type('text/plain')
      .send(cause ?? 'ok');
  });
  return router;
}

export function metricsRoute(metrics: Pick<Metrics, 'contentType' | 'render'>): Router {
  const router = Router();
  router.get('/metrics', async (_request, response) => {
    const page = await metrics.render();
    response.type(metrics.contentType).send(page);
  });
  return router;
}
