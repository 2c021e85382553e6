/**
 * `POST /simulate`: what would become of pods that nobody has created. Any replica answers; a question that cannot be
 * understood is 400 with its place, one before the cluster is known is 503, and one too many at a time is 429.
 */
import { type Request, type Response, Router } from 'express';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { parseSimulateRequest } from '../wire/simulate.ts';
import { bodyFaults, isBodyMissing, jsonBody } from './body.ts';
import { simulate, type SimulateDeps } from './simulate.ts';

export interface SimulateRouteDeps extends SimulateDeps {
  readonly metrics: Pick<Metrics, 'malformed' | 'oversized'>;
  readonly log: Log;
  readonly bodyLimitMiB: number;
}

/** Each has its turns, so that many would keep filter waiting. */
const mostAtATime = 2;

export function simulateRoute(deps: SimulateRouteDeps): Router {
  const { metrics, log, bodyLimitMiB } = deps;
  const router = Router();
  let running = 0;
  router.post('/simulate', jsonBody(bodyLimitMiB), async (request, response) => {
    if (running >= mostAtATime) {
      fail(response, 429, `${running} simulations are running; ask again when one is done`);
      return;
    }
    running += 1;
    try {
      await answer(request, response, deps);
    } finally {
      running -= 1;
    }
  });
  router.use(
    '/simulate',
    bodyFaults(bodyLimitMiB, ({ status, message, oversized }, _error, _request, response) => {
      metrics.malformed.inc({ kind: 'body' });
      if (oversized) metrics.oversized.inc();
      log.warn({ route: '/simulate', reason: message }, 'request body refused');
      fail(response, status, message);
    }),
  );
  return router;
}

async function answer(request: Request, response: Response, deps: SimulateRouteDeps): Promise<void> {
  const { state, metrics, log } = deps;
  if (!state.synced) {
    fail(response, 503, 'the device state is not complete yet');
    return;
  }
  const asked = isBodyMissing(request)
    ? ({ ok: false, problem: 'Please send a request body' } as const)
    : parseSimulateRequest(request.body);
  if (!asked.ok) {
    metrics.malformed.inc({ kind: 'body' });
    fail(response, 400, asked.problem);
    return;
  }
  const answered = await simulate(asked.value, deps);
  if (!answered.ok) {
    fail(response, 400, answered.problem);
    return;
  }
  const { counts, truncated } = answered.value;
  log.info({ ...counts, truncated }, 'simulated');
  response.json(answered.value);
}

function fail(response: Response, status: number, error: string): void {
  response.status(status).json({ error });
}
