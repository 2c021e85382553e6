/**
 * Keeps the live screen up to date: about once a second it puts together what the board knows of pods and what the
 * server says of cards, and asks the server what the pods that have waited longest lack.
 */
import type { Clock } from '../../model/clock.ts';
import { refusalSentence } from '../../scheduler/refusal-text.ts';
import { changeText, shortReason, shownName } from './change-texts.ts';
import type { FrameContent, FrameNode, FrameWaiting } from './frame.ts';
import type { BoardChange, BoardPod, PodBoard } from './pod-board.ts';
import { elapsedText } from './pod-texts.ts';
import type { Screen } from './screen.ts';
import type { View } from './view.ts';
import type { ServerQuestions } from './server-questions.ts';

export interface LiveViewOptions {
  readonly screen: Screen;
  readonly board: PodBoard;
  readonly questions: ServerQuestions;
  readonly clock: Clock;
  readonly help: readonly string[];
}

const refreshMs = 1000;
const mostExplained = 6;
const keptChanges = 60;

export class LiveView implements View {
  readonly #options: LiveViewOptions;
  readonly #startedMs: number;
  #changes: BoardChange[] = [];
  #nodes: readonly FrameNode[] = [];
  #cancel: () => void = () => undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
  }

  /** That somebody waits is shown where all who wait are. */
  take(change: BoardChange): void {
    if (change.change === 'waits') return;
    this.#changes = [change, ...this.#changes].slice(0, keptChanges);
  }

  open(): void {
    this.#options.screen.open();
    this.#next();
  }

  /** Gives the terminal back, and waits for questions under way. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    this.#options.screen.close();
    await this.#round;
  }

  #next(): void {
    this.#round = this.#refresh().finally(() => {
      if (this.#stopped) return;
      this.#cancel = this.#options.clock.after(refreshMs, () => {
        this.#next();
      });
    });
  }

  async #refresh(): Promise<void> {
    const { board, questions, screen, help, clock } = this.#options;
    const longest = board.waiting;
    const [states, ...misses] = await Promise.all([
      questions.nodes(),
      ...longest.slice(0, mostExplained).map(({ pod }) => questions.nearestMiss(pod)),
    ]);
    // A server that does not answer leaves the last picture of its cards.
    if (states !== undefined) {
      this.#nodes = states.map(({ name, devices = [] }) => ({ name, devices, pods: this.#podsOn(name) }));
    }
    const nearest = misses.map((miss) =>
      miss?.refusal === undefined ? '' : `${miss.node}, ${refusalSentence(miss.refusal)}`,
    );
    const content: FrameContent = {
      elapsed: elapsedText(clock.nowMs() - this.#startedMs),
      nodes: this.#nodes,
      counts: board.counts,
      waiting: longest.map((entry, index) => this.#waitingOf(entry, nearest[index] ?? '')),
      changes: this.#changes.map((change) => ({
        at: elapsedText(change.atMs - this.#startedMs),
        name: shownName(change.entry),
        ...changeText(change),
      })),
      help,
    };
    screen.show(content);
  }

  #podsOn(node: string): number {
    return this.#options.board.pods.filter(
      ({ pod, endedMs }) => pod.nodeName === node && endedMs === undefined,
    ).length;
  }

  #waitingOf(entry: BoardPod, nearest: string): FrameWaiting {
    return {
      name: shownName(entry),
      asks: entry.asks,
      waited: elapsedText(this.#options.clock.nowMs() - entry.sinceMs),
      reason: shortReason(entry.reason),
      nearest,
    };
  }
}
