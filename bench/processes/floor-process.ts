/**
 * The floor under every extender and webhook call: a process like the server's, with the same HTTP stack, that reads
 * the same body in the same way and sends the names back. What the server takes beyond it is the server's own.
 */
import { Router } from 'express';
import { jsonBody } from '../../src/http/body.ts';
import { createApp } from '../../src/http/app.ts';
import { listen } from '../../src/http/listener.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { answerParent } from './parent.ts';
import { loadServerConfig } from './server-config.ts';

const answers = { start };
export type FloorAnswers = typeof answers;
answerParent(answers);

/** Answers the URL. */
async function start(): Promise<string> {
  const { bodyLimitMiB, keepAliveSeconds } = loadServerConfig();
  const router = Router();
  router.post('/{*path}', jsonBody(bodyLimitMiB), (request, response) => {
    const { NodeNames = null } = request.body as { readonly NodeNames?: unknown };
    response.json({ NodeNames });
  });
  const app = createApp([router], makeLogger({ level: 'silent' }));
  const { url } = await listen({ app, host: '127.0.0.1', port: 0, keepAliveSeconds });
  return url;
}
