/**
 * One queue per node. The device plugin serves one pod of a node at a time (the node lock names it), so binds to the
 * same node take turns, first come first served; accounting never waits here, it is done before a bind queues.
 */
import type { Clock } from '../model/clock.ts';

export interface GateLimits {
  /** No turn begins after this time. */
  readonly deadlineMs: number;
  /** Aborted when nobody waits for the answer any longer. */
  readonly signal: AbortSignal;
}

/** Why a turn never came. */
export type GateRefusal = 'deadline' | 'aborted';

export type GateResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: GateRefusal };

interface Gate {
  readonly waiting: (() => void)[];
  /** When the turn that is under way began; undefined while the node is free. */
  busySinceMs: number | undefined;
  /** Moving average of how long a turn takes; undefined before the first has ended. */
  turnMs: number | undefined;
}

/** Weight of the newest turn in the average. */
const averageWeight = 0.3;

export class NodeGates {
  readonly #clock: Clock;
  readonly #gates = new Map<string, Gate>();
  /** Those of them in which a turn is under way. */
  #busy = 0;
  /** Over all nodes, for those that have not shown their own pace yet. */
  #turnMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * How long a bind that came now would wait for its turn, by the average of past turns. A turn that takes longer than
   * that is expected to take as long again as it has taken.
   */
  expectedWaitMs(node: string): number {
    // Asked for thousands of nodes in one call, of which few are busy.
    const gate = this.#busy === 0 ? undefined : this.#gates.get(node);
    if (gate?.busySinceMs === undefined) return 0;
    const turnMs = gate.turnMs ?? this.#turnMs ?? 0;
    return gate.waiting.length * turnMs + Math.max(turnMs, this.#clock.nowMs() - gate.busySinceMs);
  }

  /**
   * Runs `turn` when the node is free, and tells it how long it waited. Rejects only if `turn` does; the gate opens
   * again either way.
   */
  async run<T>(
    node: string,
    limits: GateLimits,
    turn: (waitedMs: number) => Promise<T>,
  ): Promise<GateResult<T>> {
    const gate = this.#gate(node);
    const arrivedMs = this.#clock.nowMs();
    const refusal = await this.#waitForTurn(gate, limits);
    if (refusal !== undefined) return { ok: false, refusal };
    const startedMs = this.#clock.nowMs();
    try {
      return { ok: true, value: await turn(startedMs - arrivedMs) };
    } finally {
      const tookMs = this.#clock.nowMs() - startedMs;
      gate.turnMs = averaged(gate.turnMs ?? this.#turnMs, tookMs);
      this.#turnMs = averaged(this.#turnMs, tookMs);
      this.#passOn(node, gate);
    }
  }

  #gate(node: string): Gate {
    let gate = this.#gates.get(node);
    if (gate === undefined) {
      gate = { waiting: [], busySinceMs: undefined, turnMs: undefined };
      this.#gates.set(node, gate);
    }
    return gate;
  }

  /** Resolves with undefined when the turn is ours (the gate is then busy), else with the reason it is not. */
  #waitForTurn(gate: Gate, { deadlineMs, signal }: GateLimits): Promise<GateRefusal | undefined> {
    if (signal.aborted) return Promise.resolve('aborted');
    const leftMs = deadlineMs - this.#clock.nowMs();
    if (leftMs <= 0) return Promise.resolve('deadline');
    if (gate.busySinceMs === undefined) {
      gate.busySinceMs = this.#clock.nowMs();
      this.#busy += 1;
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const settle = (refusal: GateRefusal | undefined) => {
        cancelTimer();
        signal.removeEventListener('abort', abort);
        resolve(refusal);
      };
      const begin = () => {
        settle(undefined);
      };
      const leave = (refusal: GateRefusal) => {
        const place = gate.waiting.indexOf(begin);
        if (place < 0) return;
        gate.waiting.splice(place, 1);
        settle(refusal);
      };
      const abort = () => {
        leave('aborted');
      };
      const cancelTimer = this.#clock.after(leftMs, () => {
        leave('deadline');
      });
      signal.addEventListener('abort', abort);
      gate.waiting.push(begin);
    });
  }

  /** Hands the turn to the next in line, or forgets a gate that has nobody and nothing to remember. */
  #passOn(node: string, gate: Gate): void {
    const next = gate.waiting.shift();
    gate.busySinceMs = next === undefined ? undefined : this.#clock.nowMs();
    if (next !== undefined) {
      next();
      return;
    }
    this.#busy -= 1;
    if (gate.turnMs === undefined || gate.turnMs < 1) this.#gates.delete(node);
  }
}

function averaged(beforeMs: number | undefined, tookMs: number): number {
  return beforeMs === undefined ? tookMs : beforeMs * (1 - averageWeight) + tookMs * averageWeight;
}
