/**
 * What a process can tell of itself: peak memory, processor time, how late its event loop was, and a CPU profile where
 * one is asked for. Measured by the process itself, so that nobody's polling is part of it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { dirname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface ProcessFigures {
  /** The most that was ever resident, since the start of the process. */
  readonly peakRssMiB: number;
  /** How much later than asked the event loop came round, 99th percentile since `begin`. */
  readonly loopDelayP99Ms: number;
  /** Processor time of all threads since `begin`. */
  readonly cpuMs: number;
  /** Time since `begin`. */
  readonly elapsedMs: number;
}

const resolutionMs = 1;

export class SelfMeter {
  readonly #delays = monitorEventLoopDelay({ resolution: resolutionMs });
  #cpu = process.cpuUsage();
  #startedMs = performance.now();
  #profiler: Session | undefined;

  constructor() {
    this.#delays.enable();
  }

  async begin({ profile }: { readonly profile: boolean }): Promise<void> {
    if (profile && this.#profiler === undefined) {
      this.#profiler = new Session();
      this.#profiler.connect();
      await this.#profiler.post('Profiler.enable');
      await this.#profiler.post('Profiler.start');
    }
    this.#delays.reset();
    this.#cpu = process.cpuUsage();
    this.#startedMs = performance.now();
  }

  /** @param profileFile where a profile that was begun is written, for Chrome's developer tools */
  async end(profileFile?: string): Promise<ProcessFigures> {
    const { user, system } = process.cpuUsage(this.#cpu);
    const figures = {
      // Told in KiB.
      peakRssMiB: process.resourceUsage().maxRSS / 1024,
      // A tick that is on time counts with the interval between ticks.
      loopDelayP99Ms: Math.max(0, this.#delays.percentile(99) / 1e6 - resolutionMs),
      cpuMs: (user + system) / 1000,
      elapsedMs: performance.now() - this.#startedMs,
    };
    if (this.#profiler !== undefined && profileFile !== undefined) {
      const { profile } = await this.#profiler.post('Profiler.stop');
      this.#profiler.disconnect();
      this.#profiler = undefined;
      await mkdir(dirname(profileFile), { recursive: true });
      await writeFile(profileFile, JSON.stringify(profile));
    }
    return figures;
  }
}
