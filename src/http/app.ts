/**
 * Builds an Express application from the routes a listener should answer. It never listens, so tests call it directly;
 * an error that no route expected is logged once and answered without its details.
 */
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import type { Log } from '../telemetry/logger.ts';

export function createApp(routes: readonly Router[], log: Log): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  for (const router of routes) app.use(router);
  app.use((request, response) => {
    response.status(404).json({ error: `nothing is served at ${request.method} ${request.path}` });
  });
  app.use(unexpectedError(log));
  return app;
}

function unexpectedError(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const status = clientStatusOf(error);
    if (status !== undefined && !response.headersSent) {
      response.status(status).json({ error: 'the request cannot be understood' });
      return;
    }
    log.error({ err: error, route: request.path }, 'request failed');
    if (response.headersSent) next(error);
    else response.status(500).json({ error: 'internal error; the log has the details' });
  };
}

/** The status of an error that the caller made, e.g. a path that cannot be decoded. */
function clientStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
