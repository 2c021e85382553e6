/**
 * The device plugins that run on one machine: NVIDIA's, and one per further description of accelerators. A plugin
 * outlives changes of its description, because it remembers what it has handed out.
 */
import type { Device } from '../../../model/device.ts';
import type { NodeDescription } from '../node-description.ts';
import { type AcceleratorDescription, makeAccelerator } from './accelerators.ts';
import type { NodePlugin, PluginHost } from './node-plugin.ts';
import { makeNvidia } from './nvidia.ts';

interface Described {
  /** Family, and the position among several descriptions of one family. */
  readonly key: string;
  readonly accelerator: AcceleratorDescription;
}

export class MachinePlugins {
  readonly #host: PluginHost;
  readonly #nvidia: NodePlugin;
  readonly #others = new Map<string, NodePlugin>();
  #description: NodeDescription;

  constructor(host: PluginHost, description: NodeDescription) {
    this.#host = host;
    this.#description = description;
    this.#nvidia = makeNvidia(host, () => this.#description);
    this.describe(description);
  }

  get description(): NodeDescription {
    return this.#description;
  }

  /** Those that run now. */
  get all(): readonly NodePlugin[] {
    return [this.#nvidia, ...this.#others.values()];
  }

  get devices(): readonly Device[] {
    return this.all.flatMap((plugin) => plugin.devices());
  }

  /** The machine is another now: plugins of families that it no longer has end, new ones begin. */
  describe(description: NodeDescription): void {
    this.#description = description;
    const present = describedBy(description);
    for (const key of [...this.#others.keys()]) {
      if (!present.some((described) => described.key === key)) this.#others.delete(key);
    }
    for (const { key, accelerator } of present) {
      if (this.#others.has(key)) continue;
      const current = () =>
        describedBy(this.#description).find((described) => described.key === key)?.accelerator ?? accelerator;
      this.#others.set(key, makeAccelerator(this.#host, accelerator.family, current));
    }
  }
}

function describedBy({ accelerators = [] }: NodeDescription): readonly Described[] {
  return accelerators.map((accelerator, position) => {
    const before = accelerators.slice(0, position).filter(({ family }) => family === accelerator.family);
    return { key: `${accelerator.family}/${before.length}`, accelerator };
  });
}
