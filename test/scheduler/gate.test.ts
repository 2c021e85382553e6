import { describe, expect, it } from '@jest/globals';
import { type GateResult, NodeGates } from '../../src/scheduler/gate.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { flush } from './support/scheduler-world.ts';

/** A gate whose turns begin and end when the test says so. */
class Queue {
  readonly clock = new ManualClock(0);
  readonly gates = new NodeGates(this.clock);
  /** The turns that began, in order. */
  readonly begun: string[] = [];
  /** What became of each bind that is over. */
  readonly over: Record<string, string> = {};
  readonly #ends = new Map<string, (error?: Error) => void>();

  arrive(name: string, { node = 'n1', deadlineMs = 10_000, signal = new AbortController().signal } = {}) {
    const result = this.gates.run(node, { deadlineMs, signal }, (waitedMs) => {
      this.begun.push(`${name} after ${waitedMs}`);
      return new Promise<string>((resolve, reject) => {
        this.#ends.set(name, (error) => {
          if (error === undefined) resolve(name);
          else reject(error);
        });
      });
    });
    return result.then(
      (outcome: GateResult<string>) => (this.over[name] = outcome.ok ? 'done' : outcome.refusal),
      (error: unknown) => (this.over[name] = String(error)),
    );
  }

  async end(name: string, error?: Error): Promise<void> {
    const end = this.#ends.get(name);
    if (end === undefined) throw new Error(`${name} has no turn`);
    end(error);
    await flush();
  }
}

describe('the gate of a node', () => {
  it('gives turns one at a time, first come first served, and tells how long each waited', async () => {
    const queue = new Queue();
    for (const name of ['a', 'b', 'c']) void queue.arrive(name);
    await flush();
    expect(queue.begun).toEqual(['a after 0']);
    queue.clock.advance(100);
    await queue.end('a');
    expect(queue.begun).toEqual(['a after 0', 'b after 100']);
    queue.clock.advance(50);
    await queue.end('b');
    await queue.end('c');
    expect(queue.begun).toEqual(['a after 0', 'b after 100', 'c after 150']);
    expect(queue.over).toEqual({ a: 'done', b: 'done', c: 'done' });
  });

  it('does not hold up other nodes', async () => {
    const queue = new Queue();
    void queue.arrive('a');
    void queue.arrive('b', { node: 'n2' });
    await flush();
    expect(queue.begun).toEqual(['a after 0', 'b after 0']);
  });

  it('begins no turn after the deadline, and keeps the order of the others', async () => {
    const queue = new Queue();
    void queue.arrive('a');
    void queue.arrive('b', { deadlineMs: 500 });
    void queue.arrive('c');
    await flush();
    queue.clock.advance(499);
    await flush();
    expect(queue.over).toEqual({});
    queue.clock.advance(1);
    await flush();
    expect(queue.over).toEqual({ b: 'deadline' });
    await queue.end('a');
    expect(queue.begun).toEqual(['a after 0', 'c after 500']);
  });

  it('refuses at once who comes after the deadline, though nobody is before them', async () => {
    const queue = new Queue();
    queue.clock.advance(500);
    void queue.arrive('a', { deadlineMs: 500 });
    await flush();
    expect(queue.over).toEqual({ a: 'deadline' });
    expect(queue.begun).toEqual([]);
  });

  it('lets go who hangs up while waiting', async () => {
    const queue = new Queue();
    const caller = new AbortController();
    void queue.arrive('a');
    void queue.arrive('b', { signal: caller.signal });
    void queue.arrive('c');
    caller.abort();
    await flush();
    expect(queue.over).toEqual({ b: 'aborted' });
    await queue.end('a');
    expect(queue.begun).toEqual(['a after 0', 'c after 0']);
  });

  it('does not even queue who has hung up already', async () => {
    const queue = new Queue();
    void queue.arrive('a', { signal: AbortSignal.abort() });
    void queue.arrive('b');
    await flush();
    expect(queue.over).toEqual({ a: 'aborted' });
    expect(queue.begun).toEqual(['b after 0']);
  });

  it('does not end a turn that has begun, neither by deadline nor by hanging up', async () => {
    const queue = new Queue();
    const caller = new AbortController();
    void queue.arrive('a', { deadlineMs: 100, signal: caller.signal });
    await flush();
    caller.abort();
    queue.clock.advance(1000);
    await flush();
    expect(queue.over).toEqual({});
    await queue.end('a');
    expect(queue.over).toEqual({ a: 'done' });
  });

  it('opens again after a turn that rejects', async () => {
    const queue = new Queue();
    void queue.arrive('a');
    void queue.arrive('b');
    await flush();
    await queue.end('a', new Error('bug'));
    await queue.end('b');
    void queue.arrive('c');
    await flush();
    expect(queue.over).toEqual({ a: 'Error: bug', b: 'done' });
    expect(queue.begun).toEqual(['a after 0', 'b after 0', 'c after 0']);
  });

  it('leaves no timer and no listener behind', async () => {
    const queue = new Queue();
    const caller = new AbortController();
    let listeners = 0;
    const { signal } = caller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    void queue.arrive('a');
    void queue.arrive('b', { signal });
    void queue.arrive('c', { deadlineMs: 10, signal });
    expect([queue.clock.pending, listeners]).toEqual([2, 2]);
    queue.clock.advance(10);
    await flush();
    await queue.end('a');
    await queue.end('b');
    expect([queue.clock.pending, listeners]).toEqual([0, 0]);
  });
});

describe('the backlog of a node', () => {
  it('is nothing where no turn has been taken', () => {
    expect(new Queue().gates.expectedWaitMs('n1')).toBe(0);
  });

  it('is the number of turns ahead times their average, in which the newest weighs 0.3', async () => {
    const queue = new Queue();
    void queue.arrive('a');
    await flush();
    queue.clock.advance(1000);
    await queue.end('a');
    expect(queue.gates.expectedWaitMs('n1')).toBe(0);
    void queue.arrive('b');
    expect(queue.gates.expectedWaitMs('n1')).toBeCloseTo(1000);
    void queue.arrive('c');
    void queue.arrive('d');
    expect(queue.gates.expectedWaitMs('n1')).toBeCloseTo(3000);
    expect(queue.gates.expectedWaitMs('n2')).toBe(0);
    await flush();
    queue.clock.advance(2000);
    await queue.end('b');
    // 1000 × 0.7 + 2000 × 0.3, for the turn of c and for d.
    expect(queue.gates.expectedWaitMs('n1')).toBeCloseTo(2 * 1300);
  });

  it('is expected by the pace of the other nodes where the node has not shown its own', async () => {
    const queue = new Queue();
    void queue.arrive('a');
    await flush();
    queue.clock.advance(700);
    await queue.end('a');
    void queue.arrive('b', { node: 'n2' });
    void queue.arrive('c', { node: 'n2' });
    expect(queue.gates.expectedWaitMs('n2')).toBeCloseTo(1400);
  });

  it('grows with a turn that takes longer than turns do', async () => {
    const queue = new Queue();
    void queue.arrive('a');
    await flush();
    queue.clock.advance(100);
    await queue.end('a');
    void queue.arrive('b');
    queue.clock.advance(5000);
    expect(queue.gates.expectedWaitMs('n1')).toBeCloseTo(5000);
  });

  it('shrinks when somebody leaves the queue', async () => {
    const queue = new Queue();
    const caller = new AbortController();
    void queue.arrive('a');
    await flush();
    queue.clock.advance(1000);
    await queue.end('a');
    void queue.arrive('b');
    void queue.arrive('c', { signal: caller.signal });
    caller.abort();
    expect(queue.gates.expectedWaitMs('n1')).toBeCloseTo(1000);
  });
});
