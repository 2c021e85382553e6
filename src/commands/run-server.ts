/** What every command that serves does around its start: configuration, log, one sentence for a failure, an orderly end. */
import type { TesseraConfig } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Endpoints } from '../http/endpoints.ts';
import type { Parsed } from '../model/result.ts';
import { type Log, makeLogger } from '../telemetry/logger.ts';
import { fail } from './fail.ts';
import { untilInterrupted } from './until-interrupted.ts';

export type StartServer = (config: TesseraConfig, log: Log) => Promise<Parsed<Endpoints>>;

/** Starts the server and serves until a signal comes. */
export async function runServer(loaded: Parsed<LoadedConfig>, start: StartServer): Promise<void> {
  if (!loaded.ok) {
    fail(`configuration: ${loaded.problem}`);
    return;
  }
  const { config, warnings } = loaded.value;
  const log = makeLogger({ level: config.logLevel });
  for (const warning of warnings) log.warn({ warning }, 'configuration');

  const started = await start(config, log);
  if (!started.ok) {
    fail(started.problem);
    return;
  }
  const signal = await untilInterrupted();
  log.info({ signal }, 'shutting down');
  await started.value.close();
}
