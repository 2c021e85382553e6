/**
 * Probes and metrics. `/healthz`: the process answers; `/readyz`: its answers about the cluster are complete. Followers
 * are as ready as the leader, for they answer the webhook; what a replica is stands beside the answer.
 */
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Readiness {
  /** Why the server is not ready; undefined when it is. */
  notReadyBecause(): string | undefined;
}

/** @param role among replicas; where left out, there are none */
export function probeRoutes(readiness: Readiness, role?: () => string | undefined): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.type('text/plain').send('ok');
  });
  router.get('/readyz', (_request, response) => {
    const cause = readiness.notReadyBecause();
    response
      .status(cause === undefined ? 200 : 503)
      .type('text/plain')
      .send(cause ?? (role === undefined ? 'ok' : `ok, ${role() ?? 'role not known yet'}`));
  });
  return router;
}

/** A page that breaks off ends its connection, so that no scraper takes it for a whole one. */
export function metricsRoute(metrics: Pick<Metrics, 'contentType' | 'page'>): Router {
  const router = Router();
  router.get('/metrics', async (_request, response) => {
    const page = metrics.page();
    // What fails before the first part still gets a status.
    const first = await page.next();
    response.type(metrics.contentType);
    if (first.done !== true) response.write(first.value);
    try {
      await pipeline(page, response);
    } catch (error) {
      if (!isHangUp(error)) throw error;
    }
  });
  return router;
}

/** True when the scraper left before it had everything, which is its own business. */
function isHangUp(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
