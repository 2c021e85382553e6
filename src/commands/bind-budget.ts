/** How long a bind may wait: kube-scheduler's time-out less what the last write and its answer may take. */
import type { TesseraConfig } from '../config/config.ts';

const writeMarginMs = 5000;

export function bindBudgetMs({
  extenderTimeoutSeconds,
}: Pick<TesseraConfig, 'extenderTimeoutSeconds'>): number {
  return extenderTimeoutSeconds * 1000 - writeMarginMs;
}
