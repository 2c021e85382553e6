/**
 * A process of its own for each part of a benchmark, so that nobody's work shows in another's latency or memory. The
 * parent asks by name and gets one answer; a child that dies fails whatever was asked of it, and every child ends with
 * its parent.
 */
import { type ChildProcess, fork } from 'node:child_process';

/** What a child answers: functions of at most one argument, by name. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>;

export interface Question {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly problem: string };

type ArgumentOf<A extends Answers, M extends keyof A> =
  Parameters<A[M]> extends [infer T, ...unknown[]] ? T : undefined;

export interface Child<A extends Answers> {
  /** Rejects when the child refuses, dies or takes longer than ten minutes. */
  ask<M extends keyof A & string>(method: M, argument: ArgumentOf<A, M>): Promise<Awaited<ReturnType<A[M]>>>;
  /** Ends the process and waits until it is gone. May be called twice. */
  stop(): Promise<void>;
}

const answerTimeoutMs = 10 * 60_000;
const stopTimeoutMs = 10_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts a module as a process; what it logs to its standard output is dropped.
 *
 * @param heapMiB the most it may have on its heap; Node's default where left out
 */
export function startChild<A extends Answers>(module: URL, heapMiB?: number): Child<A> {
  const process = fork(module, {
    // None of the parent's own, e.g. those of a test runner; the nursery as in the image.
    execArgv: [
      '--max-semi-space-size=16',
      ...(heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`]),
    ],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  process.on('message', (reply: Reply) => {
    const question = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) question?.resolve(reply.value);
    else question?.reject(new Error(reply.problem));
  });
  const gone = new Promise<void>((resolve) => {
    process.once('exit', (code, signal) => {
      const error = new Error(`${module.pathname} ended with ${signal ?? `code ${code ?? 0}`}`);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      resolve();
    });
  });
  return {
    ask: async (method, argument) => {
      asked += 1;
      const id = asked;
      const answer = new Promise<unknown>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        process.send({ id, method, argument } satisfies Question, (error) => {
          if (error !== null) reject(error);
        });
      });
      // What comes back over the channel is what the child's function of that name returned.
      return (await within(answer, method)) as never;
    },
    stop: () => stop(process, gone),
  };
}

async function within(answer: Promise<unknown>, method: string): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer to ${method} within ${answerTimeoutMs / 1000} s`));
    }, answerTimeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function stop(process: ChildProcess, gone: Promise<void>): Promise<void> {
  if (process.connected) process.disconnect();
  const timer = setTimeout(() => process.kill('SIGKILL'), stopTimeoutMs);
  await gone;
  clearTimeout(timer);
}
