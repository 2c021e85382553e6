/** A cluster writer whose every answer is given by the test, when the test wants it. */
import type { BindingMetadata } from '../../../src/scheduler/binding-metadata.ts';
import type { BindCommand, BindOutcome, ClusterWriter } from '../../../src/scheduler/cluster-writer.ts';

export interface Write {
  readonly command: BindCommand;
  /** What is written; undefined for a pod without devices. */
  readonly metadata: BindingMetadata | undefined;
  readonly signal: AbortSignal;
  answer(outcome: BindOutcome): void;
}

export const boundOutcome: BindOutcome = { kind: 'bound' };
export const rejectedOutcome: BindOutcome = { kind: 'rejected', message: 'conflict' };

/** An outcome nobody knows, and the means to settle it. */
export function unknownOutcome(): { outcome: BindOutcome; settle: (result: 'bound' | 'rejected') => void } {
  const { promise, resolve } = Promise.withResolvers<'bound' | 'rejected'>();
  return { outcome: { kind: 'unknown', message: 'timed out', settled: promise }, settle: resolve };
}

export class ScriptedWriter implements ClusterWriter {
  /** Every write that was begun, in order, answered or not. */
  readonly writes: Write[] = [];
  /** The binds that wait for their node, in order; empty while every node is to be had at once. */
  readonly waiting: ((othersCame?: boolean) => void)[] = [];
  /** True for nodes that are had only when the test says so, by calling the first that waits. */
  keepsWaiting = false;

  bind(command: BindCommand, signal: AbortSignal): Promise<BindOutcome> {
    const { promise, resolve } = Promise.withResolvers<BindOutcome>();
    const begin = (othersCame = false) => {
      const metadata = command.devices?.metadata(othersCame);
      if (command.devices !== undefined && metadata === undefined) resolve(rejectedOutcome);
      else this.writes.push({ command, metadata, signal, answer: resolve });
    };
    if (this.keepsWaiting) this.waiting.push(begin);
    else begin();
    return promise;
  }

  /** `pod → node` of every write begun. */
  get begun(): readonly string[] {
    return this.writes.map(({ command }) => `${command.pod.name} → ${command.node}`);
  }

  /** The write at a position; throws when it was not begun. */
  write(position = this.writes.length - 1): Write {
    const write = this.writes[position];
    if (write === undefined) throw new Error(`no write ${position}, only ${this.writes.length} were begun`);
    return write;
  }
}
