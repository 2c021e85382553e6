/**
 * What the node agent asks of a device plugin, whatever its family: what the plugin publishes, what it offers kubelet,
 * and Allocate. A family is one file beside this with its words and steps. Each writes its part of the wire protocol
 * down once more, on purpose: an agent that borrowed it from the scheduler could not tell when the scheduler is wrong.
 */
import type { Clock } from '../../../model/clock.ts';
import type { PodObject, TextMap } from '../../../model/cluster-objects.ts';
import type { ContainerRole } from '../../../model/container-role.ts';
import type { Device } from '../../../model/device.ts';
import type { AgentApi } from '../agent-api.ts';
import type { Gift } from '../allocation-book.ts';
import type { BehaviourSwitch } from '../plugin-behaviour.ts';

/** The machine that a plugin runs on. */
export interface PluginHost {
  readonly node: string;
  readonly api: AgentApi;
  readonly clock: Clock;
  readonly behaviour: BehaviourSwitch;
}

/** Makes the plugin of a part of a machine; `described` tells what that part is like now. */
export type PluginMaker<D> = (host: PluginHost, described: () => D) => NodePlugin;

export interface NodePlugin {
  /** The cards, as whoever looks at the hardware would count them. */
  devices(): readonly Device[];
  offers(): readonly OfferedResource[];
  /** What it writes on the node; nothing where there are no cards. */
  annotations(publication: Publication): TextMap;
  /** How often it does so again; undefined: never. */
  publishMs(): number | undefined;
  /** Its process begins. Throws `AgentApiError`. */
  start?(): Promise<void>;
  /** Kubelet's call for one container and one resource. Rejects only over a bug. */
  allocate(call: AllocateCall): Promise<AllocateAnswer>;
  /** A pod that ran before this plugin. */
  adopt?(pod: PodObject): void;
  /** The pod's containers have ended. */
  release?(podUid: string): void;
  /** The pod's object is gone. */
  forget?(pod: PodObject): Promise<void>;
}

/** An extended resource as kubelet counts it. */
export interface OfferedResource {
  readonly name: string;
  readonly capacity: number;
  readonly allocatable: number;
}

/** One publication of a plugin. */
export interface Publication {
  readonly nowMs: number;
  /** When the plugin's process began. */
  readonly startedMs: number;
  /** Uniform in [0, 1): some plugins publish their devices in another order each time (Q32). */
  readonly random: () => number;
}

export interface AllocateCall {
  readonly resource: string;
  readonly count: number;
  /**
   * For whom kubelet asks. A plugin is told device ids alone, so this is only for one that leaves the choice of cards to
   * kubelet's own books.
   */
  readonly books: { readonly podUid: string; readonly role: ContainerRole };
}

/** What was handed out; without pod and container where the plugin knows of none. */
export type Given = Omit<Gift, 'pod' | 'container'> & Partial<Pick<Gift, 'pod' | 'container'>>;

export type AllocateAnswer =
  ({ readonly kind: 'given' } & Given) | { readonly kind: 'refused'; readonly message: string };

/** Kubelet's devices of one resource: so many per card, of ill cards none. */
export function slotsOf(name: string, devices: readonly Device[]): readonly OfferedResource[] {
  const sum = (some: readonly Device[]) => some.reduce((total, { slots }) => total + slots, 0);
  if (devices.length === 0) return [];
  return [{ name, capacity: sum(devices), allocatable: sum(devices.filter(({ healthy }) => healthy)) }];
}
