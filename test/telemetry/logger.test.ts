import { describe, expect, it } from '@jest/globals';
import { type Log, type LogLevel, makeLogger } from '../../src/telemetry/logger.ts';

function recorded(level: LogLevel, write: (log: Log) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(makeLogger({ level, destination: { write: (line: string) => lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('makeLogger', () => {
  it('writes one JSON line with the level in words, the time in ISO form, fields and message', () => {
    const [line] = recorded('info', (log) => {
      log.info({ pod: 'a/b', podUid: 'u', score: 7 }, 'placed');
    });
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
      pod: 'a/b',
      podUid: 'u',
      score: 7,
      msg: 'placed',
    });
  });

  const levels: { name: string; level: LogLevel; want: string[] }[] = [
    { name: 'trace writes all', level: 'trace', want: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] },
    { name: 'info leaves out details', level: 'info', want: ['fatal', 'error', 'warn', 'info'] },
    { name: 'error leaves out what can wait', level: 'error', want: ['fatal', 'error'] },
    { name: 'silent writes nothing', level: 'silent', want: [] },
  ];
  it.each(levels)('$name', ({ level, want }) => {
    const lines = recorded(level, (log) => {
      for (const severity of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) {
        log[severity]({}, severity);
      }
    });
    expect(lines.map((line) => line['level'])).toEqual(want);
  });

  it('says whether a level would be written', () => {
    const log = makeLogger({ level: 'info', destination: { write: () => undefined } });
    expect(log.isLevelEnabled('info')).toBe(true);
    expect(log.isLevelEnabled('debug')).toBe(false);
  });

  it("gives a child's fields to each of its lines, hidden ones included", () => {
    const [line] = recorded('info', (log) => {
      log.child({ verb: 'bind', secret: { data: 'x' } }).info({ node: 'n1' }, 'bound');
    });
    expect(line).toMatchObject({ verb: 'bind', node: 'n1', secret: { data: '[hidden]' } });
  });

  const hidden = [
    { name: 'a pod given as a field', fields: { pod: { metadata: { name: 'a' }, spec: 'hush' } } },
    {
      name: 'a pod spread over the line',
      fields: { metadata: { name: 'a' }, spec: { containers: ['hush'] } },
    },
    { name: 'a pod within a review', fields: { request: { object: { spec: { env: 'hush' } } } } },
    {
      name: 'the data of a Secret',
      fields: { secret: { data: { key: 'hush' }, stringData: { key: 'hush' } } },
    },
    { name: 'a bearer token', fields: { req: { headers: { authorization: 'hush' } } } },
    { name: 'a private key', fields: { privateKey: 'hush' } },
  ];
  it.each(hidden)('hides $name', ({ fields }) => {
    const lines = recorded('info', (log) => {
      log.info(fields, 'seen');
    });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('hush');
    expect(JSON.stringify(lines)).toContain('[hidden]');
  });

  it('leaves the logged object as it was', () => {
    const pod = { spec: { nodeName: 'n1' } };
    recorded('info', (log) => {
      log.info({ pod }, 'seen');
    });
    expect(pod).toEqual({ spec: { nodeName: 'n1' } });
  });

  it('tells of an error its message, code, stack and causes, and nothing else it carries', () => {
    const cause = Object.assign(new TypeError('socket closed'), { code: 'ECONNRESET' });
    const err = Object.assign(new Error('bind failed', { cause }), {
      code: 409,
      headers: { cookie: 'hush' },
    });
    const [line] = recorded('info', (log) => {
      log.error({ err }, 'not bound');
    });
    expect(line?.['err']).toEqual({
      type: 'Error',
      message: 'bind failed',
      code: 409,
      stack: err.stack,
      cause: { type: 'TypeError', message: 'socket closed', code: 'ECONNRESET', stack: cause.stack },
    });
  });

  it('ends a chain of causes that bites its tail', () => {
    const err = new Error('round');
    err.cause = err;
    const [line] = recorded('info', (log) => {
      log.error({ err }, 'failed');
    });
    expect(JSON.stringify(line).match(/"message":"round"/g)).toHaveLength(6);
  });

  it('takes something thrown that is no error', () => {
    const lines = recorded('info', (log) => {
      log.error({ err: 'just text' }, 'failed');
      log.error({ err: null }, 'failed');
    });
    expect(lines.map(({ err }) => err)).toEqual(['just text', 'null']);
  });
});
