/**
 * Shows in metrics how much of what is idle the expected pods can use, at the moment they are read. Where many nodes have
 * to be looked at, those who wait for answers of the scheduler come first.
 */
import { inTurns } from '../kubernetes/rebuilt-state.ts';
import { FragmentationBook, type FragmentationSources } from '../scheduler/fragmentation-book.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Looking at as many takes a few milliseconds. */
const nodesPerTurn = 50;

export function mirrorFragmentation(sources: FragmentationSources, metrics: Metrics): void {
  const book = new FragmentationBook(sources);
  const { fragmentationRatio, fragmentedCards, uselessCards } = metrics;
  const mirror = async () => {
    await inTurns(book.begin(), nodesPerTurn, (view) => {
      book.look(view);
    });
    for (const gauge of [fragmentationRatio, fragmentedCards, uselessCards]) gauge.reset();
    for (const { vendor, idleMilli, fragmentedMilli, uselessMilli } of book.sums()) {
      fragmentationRatio.set({ vendor }, idleMilli === 0 ? 0 : fragmentedMilli / idleMilli);
      fragmentedCards.set({ vendor }, fragmentedMilli / 1000);
      for (const [words, milli] of uselessMilli) uselessCards.set({ vendor, class: words }, milli / 1000);
    }
  };
  let mirroring: Promise<void> | undefined;
  // Pages that are asked for at once share one look.
  metrics.onRender(
    () =>
      (mirroring ??= mirror().finally(() => {
        mirroring = undefined;
      })),
  );
}
