/** Lets only callers pass whose certificate the configured authority has signed (mutual TLS). */
import { TLSSocket } from 'node:tls';
import { Router } from 'express';

export function requireClientCertificate(paths: readonly string[]): Router {
  const router = Router();
  router.use([...paths], (request, response, next) => {
    if (request.socket instanceof TLSSocket && request.socket.authorized) next();
    else response.status(403).json({ Error: 'a client certificate of the configured authority is needed' });
  });
  return router;
}
