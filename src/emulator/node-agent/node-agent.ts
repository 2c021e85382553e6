/**
 * Plays the machines of a cluster: for every node it is told of, a kubelet and a device plugin against a real or an
 * emulated API server. All nodes share one client and one watch of pods. It is a tool for the demo and for tests: it
 * runs no containers, and its book tells what a scheduler did wrong.
 */
import type { Clock } from '../../model/clock.ts';
import type { PodObject } from '../../model/cluster-objects.ts';
import { pause } from '../../kubernetes/backoff.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import type { Log } from '../../telemetry/logger.ts';
import { parsePod } from '../../wire/kubernetes.ts';
import { AgentApi, type AgentClient, hasStatus, isAgentApiError } from './agent-api.ts';
import { AllocationBook } from './allocation-book.ts';
import { DevicePlugin } from './device-plugin.ts';
import { Kubelet } from './kubelet.ts';
import { handshakePeriodMs } from './handshake.ts';
import { devicesOf, type NodeDescription } from './node-description.ts';
import {
  allocatableSlots,
  nodeAnnotations,
  nodeManifest,
  nodeStatus,
  type Publication,
  readyCondition,
} from './node-object.ts';
import { BehaviourSwitch, type PluginBehaviour } from './plugin-behaviour.ts';
import { nvidiaFamily, type PluginFamily } from './plugin-family.ts';
import { traitsOf } from './plugin-version.ts';

export interface NodeAgentOptions {
  readonly client: AgentClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** NVIDIA's where left out. */
  readonly family?: PluginFamily;
  /** How often a node says that it is ready; 10 s where left out. */
  readonly heartbeatMs?: number;
  /**
   * How often the plugin publishes its devices, each time in another order. Where left out, old plugins do so every
   * 30 s with their handshake, and newer ones never again.
   */
  readonly shuffleMs?: number;
}

interface Machine {
  description: NodeDescription;
  readonly kubelet: Kubelet;
  readonly behaviour: BehaviourSwitch;
  readonly cancelTimers: (() => void)[];
}

const defaultHeartbeatMs = 10_000;
const notReadyTaint = 'node.kubernetes.io/not-ready';
const mostTaintAttempts = 10;
const taintRetryMs = 50;

export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #family: PluginFamily;
  readonly #api: AgentApi;
  readonly #machines = new Map<string, Machine>();
  /** Every bound pod of the cluster, by UID. */
  readonly #pods = new Map<string, PodObject>();
  readonly #reflector: Reflector<PodObject>;
  readonly #startedMs: number;
  readonly book: AllocationBook;

  constructor(options: NodeAgentOptions) {
    const { client, clock, random, log, family = nvidiaFamily } = options;
    this.#options = options;
    this.#family = family;
    this.#api = new AgentApi(client);
    this.book = new AllocationBook(clock);
    this.#startedMs = clock.nowMs();
    this.#reflector = new Reflector<PodObject>({
      kind: 'bound pods',
      client,
      clock,
      random,
      log,
      path: '/api/v1/pods',
      query: { fieldSelector: 'spec.nodeName!=' },
      parse: parsePod,
      handler: {
        upsert: (pod) => {
          this.#pods.set(pod.uid, pod);
          this.#machineOf(pod)?.kubelet.see(pod);
        },
        remove: ({ uid }) => {
          const pod = this.#pods.get(uid);
          this.#pods.delete(uid);
          if (pod !== undefined) this.#machineOf(pod)?.kubelet.forget(uid);
        },
        malformed: ({ namespace, name }, problem) => {
          this.book.addFault(`pod ${namespace}/${name} cannot be read: ${problem}`);
        },
      },
    });
  }

  /** Begins to watch pods; resolves when all that exist are known. */
  async start(): Promise<void> {
    this.#reflector.start();
    await this.#reflector.synced;
  }

  /** All machines fall silent. The API objects stay. */
  async stop(): Promise<void> {
    for (const name of [...this.#machines.keys()]) this.loseNode(name);
    await this.#reflector.stop();
  }

  /** Registers a node, or takes over one that exists, and makes it ready. Throws `AgentApiError`. */
  async addNode(description: NodeDescription): Promise<void> {
    const { clock } = this.#options;
    const { name } = description;
    if (this.#machines.has(name)) throw new RangeError(`node ${name} has been added already`);
    this.book.setDevices(name, devicesOf(description, this.#family.vendor));
    try {
      await this.#api.createNode(nodeManifest(description, this.#family, this.#publication()));
    } catch (error) {
      if (!hasStatus(error, 409)) throw error;
      await this.#publish(description);
    }
    await this.#removeNotReadyTaint(name);
    const machine = this.#makeMachine(description);
    this.#machines.set(name, machine);
    this.#repeat(machine, this.#options.heartbeatMs ?? defaultHeartbeatMs, () =>
      this.#api.patchNodeStatus(name, { status: { conditions: [readyCondition(clock.nowMs())] } }),
    );
    const publishMs = this.#options.shuffleMs ?? this.#handshakeMs(description);
    if (publishMs !== undefined) this.#repeat(machine, publishMs, () => this.#publishDevices(machine));
    for (const pod of this.#pods.values()) {
      if (pod.nodeName === name) machine.kubelet.see(pod);
    }
  }

  /** The machine has changed, e.g. a card fell ill: both annotation and allocatable say so. */
  async updateNode(description: NodeDescription): Promise<void> {
    const machine = this.#machine(description.name);
    machine.description = description;
    this.book.setDevices(description.name, devicesOf(description, this.#family.vendor));
    await this.#publish(description);
  }

  /** The machine is lost: its kubelet and plugin do nothing any more. The Node object stays. */
  loseNode(name: string): void {
    const machine = this.#machine(name);
    this.#machines.delete(name);
    machine.kubelet.stop();
    for (const cancel of machine.cancelTimers) cancel();
  }

  /** How the plugin of a node behaves from now on. */
  setBehaviour(node: string, behaviour: PluginBehaviour): void {
    this.#machine(node).behaviour.set(behaviour);
  }

  /** How the plugin of a node behaves at the next container that it is asked for. */
  setNextBehaviour(node: string, behaviour: PluginBehaviour): void {
    this.#machine(node).behaviour.setNext(behaviour);
  }

  #makeMachine(description: NodeDescription): Machine {
    const { clock } = this.#options;
    const { name: node } = description;
    const behaviour = new BehaviourSwitch();
    const plugin = new DevicePlugin({
      node,
      family: this.#family,
      describe: () => machine.description,
      api: this.#api,
      clock,
      behaviour,
    });
    const machine: Machine = {
      description,
      behaviour,
      cancelTimers: [],
      kubelet: new Kubelet({
        node,
        countResource: this.#family.countResource,
        allocatable: () => allocatableSlots(machine.description, this.#family),
        plugin,
        api: this.#api,
        book: this.book,
        clock,
      }),
    };
    return machine;
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new RangeError(`there is no node ${name}`);
    return machine;
  }

  #machineOf({ nodeName }: PodObject): Machine | undefined {
    return nodeName === undefined ? undefined : this.#machines.get(nodeName);
  }

  // --- the Node object

  async #publish(description: NodeDescription): Promise<void> {
    const { name } = description;
    const annotations = nodeAnnotations(description, this.#family, this.#publication());
    await this.#api.patchNode(name, { metadata: { annotations } });
    await this.#api.patchNodeStatus(name, {
      status: nodeStatus(description, this.#family, this.#options.clock.nowMs()),
    });
  }

  #publishDevices({ description }: Machine): Promise<void> {
    const annotations = nodeAnnotations(description, this.#family, this.#publication());
    return this.#api.patchNode(description.name, { metadata: { annotations } });
  }

  #publication(): Publication {
    const { clock, random } = this.#options;
    return { nowMs: clock.nowMs(), startedMs: this.#startedMs, random };
  }

  #handshakeMs({ plugin }: NodeDescription): number | undefined {
    return traitsOf(plugin?.version).writesHandshake ? handshakePeriodMs : undefined;
  }

  /** Every new node gets the taint; where no controller takes it away, its kubelet must. */
  async #removeNotReadyTaint(name: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { taints, resourceVersion } = await this.#api.node(name);
      const others = taints.filter(({ key }) => key !== notReadyTaint);
      if (others.length === taints.length) return;
      try {
        await this.#api.patchNode(name, { metadata: { resourceVersion }, spec: { taints: others } });
        return;
      } catch (error) {
        if (!hasStatus(error, 409) || attempt === mostTaintAttempts) throw error;
        await pause(this.#options.clock, taintRetryMs);
      }
    }
  }

  /** Does something to a machine's Node again and again; a call that fails is made up for by the next. */
  #repeat(machine: Machine, everyMs: number, action: () => Promise<void>): void {
    const { clock, log } = this.#options;
    const position = machine.cancelTimers.length;
    const schedule = () => {
      machine.cancelTimers[position] = clock.after(everyMs, () => {
        // The error handler below takes whatever happens.
        void action()
          .catch((error: unknown) => {
            if (!isAgentApiError(error)) throw error;
            log.warn({ node: machine.description.name, err: error }, 'node could not be updated');
          })
          .finally(() => {
            if (this.#machines.get(machine.description.name) === machine) schedule();
          });
      });
    };
    schedule();
  }
}
