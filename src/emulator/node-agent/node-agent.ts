/**
 * Plays the machines of a cluster: for every node it is told of, a kubelet and its device plugins against a real or an
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
import { Kubelet } from './kubelet.ts';
import type { NodeDescription } from './node-description.ts';
import { nodeAnnotations, nodeManifest, nodeStatus, readyCondition } from './node-object.ts';
import { BehaviourSwitch, type PluginBehaviour } from './plugin-behaviour.ts';
import { MachinePlugins } from './plugins/machine-plugins.ts';
import type { NodePlugin, Publication } from './plugins/node-plugin.ts';

export interface NodeAgentOptions {
  readonly client: AgentClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** How often a node says that it is ready; 10 s where left out. */
  readonly heartbeatMs?: number;
  /**
   * How often every plugin publishes its devices, NVIDIA's each time in another order. Where left out, each does so in
   * its own time: many every 30 s, NVIDIA's newer ones never again.
   */
  readonly shuffleMs?: number;
}

interface Machine {
  readonly plugins: MachinePlugins;
  /** Plugins that publish by a timer. */
  readonly publishing: Set<NodePlugin>;
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
  readonly #api: AgentApi;
  readonly #machines = new Map<string, Machine>();
  /** Every bound pod of the cluster, by UID. */
  readonly #pods = new Map<string, PodObject>();
  readonly #reflector: Reflector<PodObject>;
  readonly #startedMs: number;
  readonly book: AllocationBook;

  constructor(options: NodeAgentOptions) {
    const { client, clock, random, log } = options;
    this.#options = options;
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
    const machine = this.#makeMachine(description);
    const { plugins } = machine;
    this.book.setDevices(name, plugins.devices);
    try {
      await this.#api.createNode(nodeManifest(plugins, this.#publication()));
    } catch (error) {
      if (!hasStatus(error, 409)) throw error;
      await this.#publish(plugins);
    }
    await this.#removeNotReadyTaint(name);
    for (const plugin of plugins.all) if (plugin.start !== undefined) await plugin.start();
    this.#machines.set(name, machine);
    this.#repeat(machine, this.#options.heartbeatMs ?? defaultHeartbeatMs, () =>
      this.#api.patchNodeStatus(name, { status: { conditions: [readyCondition(clock.nowMs())] } }),
    );
    this.#publishAgain(machine);
    for (const pod of this.#pods.values()) {
      if (pod.nodeName === name) machine.kubelet.see(pod);
    }
  }

  /** The machine has changed, e.g. a card fell ill: both annotation and allocatable say so. */
  async updateNode(description: NodeDescription): Promise<void> {
    const machine = this.#machine(description.name);
    const { plugins } = machine;
    plugins.describe(description);
    this.book.setDevices(description.name, plugins.devices);
    this.#publishAgain(machine);
    await this.#publish(plugins);
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
    const plugins = new MachinePlugins({ node, api: this.#api, clock, behaviour }, description);
    return {
      plugins,
      publishing: new Set(),
      behaviour,
      cancelTimers: [],
      kubelet: new Kubelet({ node, plugins: () => plugins.all, api: this.#api, book: this.book, clock }),
    };
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

  async #publish(plugins: MachinePlugins): Promise<void> {
    const { name } = plugins.description;
    const annotations = nodeAnnotations(plugins, this.#publication());
    await this.#api.patchNode(name, { metadata: { annotations } });
    await this.#api.patchNodeStatus(name, { status: nodeStatus(plugins, this.#options.clock.nowMs()) });
  }

  /** Lets the plugins that do so publish now and then; those that do already go on. */
  #publishAgain(machine: Machine): void {
    const { plugins, publishing } = machine;
    for (const plugin of plugins.all) {
      const everyMs = this.#options.shuffleMs ?? plugin.publishMs();
      if (everyMs === undefined || publishing.has(plugin)) continue;
      publishing.add(plugin);
      this.#repeat(machine, everyMs, async () => {
        const annotations = plugins.all.includes(plugin) ? plugin.annotations(this.#publication()) : {};
        if (Object.keys(annotations).length === 0) return;
        await this.#api.patchNode(plugins.description.name, { metadata: { annotations } });
      });
    }
  }

  #publication(): Publication {
    const { clock, random } = this.#options;
    return { nowMs: clock.nowMs(), startedMs: this.#startedMs, random };
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
    const { name } = machine.plugins.description;
    const position = machine.cancelTimers.length;
    const schedule = () => {
      machine.cancelTimers[position] = clock.after(everyMs, () => {
        // The error handler below takes whatever happens.
        void action()
          .catch((error: unknown) => {
            if (!isAgentApiError(error)) throw error;
            log.warn({ node: name, err: error }, 'node could not be updated');
          })
          .finally(() => {
            if (this.#machines.get(name) === machine) schedule();
          });
      });
    };
    schedule();
  }
}
