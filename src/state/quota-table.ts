/** The ResourceQuotas of every namespace, as they were written. */
import { type NamespacedName, podName, type QuotaObject } from '../model/cluster-objects.ts';

export class QuotaTable {
  readonly #quotas = new Map<string, QuotaObject>();

  apply(quota: QuotaObject): void {
    this.#quotas.set(podName(quota), quota);
  }

  remove(quota: NamespacedName): void {
    this.#quotas.delete(podName(quota));
  }

  all(): Iterable<QuotaObject> {
    return this.#quotas.values();
  }
}
