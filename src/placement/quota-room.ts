/**
 * How much of one vendor a namespace's quota still leaves to a pod while its containers are planned one after another.
 * The pod counts with what it holds at its worst moment, by the rule of `effectiveAmount`, so the order of calls is
 * that of the pod: `begin`, `allows` and `take` for the cards of one container, `end`. Every container takes part with
 * its own role, also those that ask for nothing (Q10). Asking changes nothing and allocates nothing.
 */
import type { ContainerRole } from '../model/container-role.ts';
import type { QuotaLimit, VendorQuota } from '../model/quota.ts';

export class QuotaRoom {
  readonly #quota: VendorQuota | undefined;
  readonly #memoryMiB = new PodAmount();
  readonly #corePercent = new PodAmount();
  #role: ContainerRole = 'app';

  /** @param quota undefined limits nothing */
  constructor(quota: VendorQuota | undefined) {
    this.#quota = quota;
  }

  /** Starts the next container of the pod. */
  begin(role: ContainerRole): void {
    this.#role = role;
  }

  /** The limit that keeps the container from taking this much more, memory before cores; undefined when none does. */
  allows(memoryMiB: number, corePercent: number): QuotaLimit | undefined {
    const { memory, cores } = this.#quota ?? {};
    if (
      memory !== undefined &&
      memory.used + this.#memoryMiB.peakWith(this.#role, memoryMiB) > memory.limit
    ) {
      return memory;
    }
    if (
      cores !== undefined &&
      cores.used + this.#corePercent.peakWith(this.#role, corePercent) > cores.limit
    ) {
      return cores;
    }
    return undefined;
  }

  /** Counts a share that the container was given. */
  take(memoryMiB: number, corePercent: number): void {
    this.#memoryMiB.container += memoryMiB;
    this.#corePercent.container += corePercent;
  }

  /** The container has all its cards. */
  end(): void {
    this.#memoryMiB.close(this.#role);
    this.#corePercent.close(this.#role);
  }
}

/** One additive amount of a pod so far, as `effectiveAmount` sums it up. */
class PodAmount {
  /** What the container that is being planned has taken. */
  container = 0;
  #sidecars = 0;
  #initPeak = 0;
  #apps = 0;

  /** The pod's effective amount if its current container took this much more. */
  peakWith(role: ContainerRole, more: number): number {
    const running = this.#sidecars + this.container + more;
    return Math.max(this.#initPeak, role === 'init' ? running : running + this.#apps);
  }

  close(role: ContainerRole): void {
    switch (role) {
      case 'sidecar':
        this.#sidecars += this.container;
        break;
      case 'init':
        this.#initPeak = Math.max(this.#initPeak, this.#sidecars + this.container);
        break;
      case 'app':
        this.#apps += this.container;
        break;
    }
    this.container = 0;
  }
}
