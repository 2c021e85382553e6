/** How the demo shows what happens: a live screen where there is a terminal, else plain lines. */
import type { BoardChange } from './pod-board.ts';

export interface View {
  open(): void;
  /** A change that the board tells of. */
  take(change: BoardChange): void;
  close(): Promise<void>;
}
