/**
 * The logger: JSON, one line per event, to stdout. It is made once and handed in; no room reaches for it. Objects
 * come first and a fixed message second: `log.info({ pod, node, score }, 'placed')`.
 * Levels: error = someone must act; warn = degraded; info = one line per decision or state change; debug = per node;
 * trace = per device. Pods are written `namespace/name`, with `podUid`. Secrets and pod specs never get out whole.
 */
import { type DestinationStream, pino } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export type LogFields = Readonly<Record<string, unknown>>;

type Write = (fields: LogFields, message: string) => void;

/** What the house needs of a logger, so that a test can hand in a list. */
export interface Log {
  readonly fatal: Write;
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
  readonly debug: Write;
  readonly trace: Write;
  /** Whether a line of this level would be written; asked before fields that are costly to gather. */
  isLevelEnabled(level: LogLevel): boolean;
  /** A log whose lines all carry these fields. */
  child(fields: LogFields): Log;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Where lines go instead of stdout. */
  readonly destination?: DestinationStream;
}

/** Fields that hold a whole pod spec or the content of a Secret, wherever people usually put those objects. */
const hiddenFields = ['spec', 'data', 'stringData', 'token', 'authorization', 'Authorization', 'privateKey'];
const hiddenPaths = hiddenFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** Writes synchronously, so that the last line before an exit is not lost. */
export function makeLogger({ level, destination }: LoggerOptions): Log {
  return pino(
    {
      level,
      // The process id and the host are known to whoever collects the lines.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: hiddenPaths, censor: '[hidden]' },
      serializers: { err: describeError },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** Deeper chains of causes are cut, and so are circles. */
const deepestCause = 5;

/**
 * What is told of an error: its name, message, code, stack and causes. Other properties stay out, since errors of
 * HTTP clients carry requests with credentials and responses with whole objects.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, message, code, stack, cause } = error as Partial<Record<string, unknown>>;
  const told = cause === undefined || depth >= deepestCause ? {} : { cause: describeError(cause, depth + 1) };
  return { type: name, message, code, stack, ...told };
}
