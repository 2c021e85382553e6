/** The servers' log as a simulated cluster hears it: lines go to the journal, and an error is one of ours. */
import type { Log, LogFields } from '../../src/telemetry/logger.ts';
import type { Journal } from './journal.ts';

/** @param breaks takes a sentence for every error */
export function listeningLog(journal: Journal, breaks: string[]): Log {
  const fail = (fields: LogFields, message: string) => {
    breaks.push(`${message}: ${textOf(fields)}`);
  };
  const note = (fields: LogFields, message: string) => {
    journal.add(`${message} ${textOf(fields)}`);
  };
  const nothing = () => undefined;
  const log: Log = {
    fatal: fail,
    error: fail,
    warn: note,
    info: note,
    debug: nothing,
    trace: nothing,
    isLevelEnabled: () => false,
    child: () => log,
  };
  return log;
}

function textOf(fields: LogFields): string {
  const shown = Object.entries(fields).map(([key, value]) => [
    key,
    value instanceof Error ? (value.stack ?? value.message) : value,
  ]);
  return JSON.stringify(Object.fromEntries(shown));
}
