/**
 * A whole cluster in one simulated time: the embedded API, machines, servers, kube-scheduler, and a judge that looks at
 * every change. All chance comes from one seed, by one stream for each part, so that a seed is a history. What befalls
 * the cluster is done here, to whoever it befalls; when and how often is the scenario's business.
 */
import { loadConfig } from '../../src/config/load.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { schedulerSettings } from '../../src/commands/demo/scheduler-settings.ts';
import { createEmulatorApp, type EmulatorApp } from '../../src/emulator/api/server.ts';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import type { RestClient } from '../../src/kubernetes/rest-client.ts';
import type { Log } from '../../src/telemetry/logger.ts';
import { ApiLink } from './api-link.ts';
import { apiStepOf, type CrashPoint } from './bind-steps.ts';
import { ClusterObjects } from './cluster-objects.ts';
import { ExtenderConnection } from './extender-connection.ts';
import { FaultDice, type FaultRates } from './fault-dice.ts';
import { Judge } from './judge.ts';
import { Journal } from './journal.ts';
import { KubeScheduler } from './kube-scheduler.ts';
import { listeningLog } from './listening-log.ts';
import { Replica } from './replica.ts';
import { SimulatedElection } from './simulated-election.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { VirtualTime } from './virtual-time.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: readonly NodeDescription[];
  readonly rates: FaultRates;
  /** How many servers there are; 1 where left out. */
  readonly replicas?: number;
  /** Whether the servers audit their ledgers; what they find is a fault. */
  readonly audits?: boolean;
}

/** What happens to a server at a crash point. */
export type Blow = 'kill' | 'stop';

interface ArmedBlow {
  readonly isMeant: (point: CrashPoint) => boolean;
  readonly strike: (server: Server, point: CrashPoint) => void;
}

export interface Server {
  readonly replica: Replica;
  readonly process: SimulatedProcess;
  readonly election: SimulatedElection;
}

const sealKey = Buffer.alloc(32, 7);
const heartbeatMs = 120_000;
/** A list that meets time-outs takes minutes. */
const readyLimitMs = 10 * 60_000;

export class World {
  readonly time = new VirtualTime();
  readonly config: TesseraConfig = configOf();
  readonly api: EmulatorApp;
  readonly agent: NodeAgent;
  readonly judge: Judge;
  readonly dice: FaultDice;
  readonly journal: Journal;
  /** Of whoever plays the cluster's users and administrators. */
  readonly client: RestClient;
  readonly objects: ClusterObjects;
  /** How far behind a server's watch of a path is, milliseconds at most. */
  watchLagMs: (path: string) => number = () => 0;
  /** Whether watches that go on repeat what they brought last. */
  repeatsEvents = false;
  servers: readonly Server[] = [];
  /** Whether nothing goes wrong any more. */
  isCalm = false;
  /** What went wrong inside a server. */
  readonly breaks: string[] = [];
  readonly nodes: readonly NodeDescription[];
  readonly #options: WorldOptions;
  readonly #log: Log;
  #armed: ArmedBlow | undefined;
  #made = 0;
  /** Nodes whose machine or object is not there. */
  readonly #away = new Set<string>();

  constructor(options: WorldOptions) {
    const { nodes, rates } = options;
    this.#options = options;
    this.nodes = nodes;
    this.journal = new Journal(this.time);
    this.#log = listeningLog(this.journal, this.breaks);
    this.dice = new FaultDice(rates, this.random('faults'));
    this.api = createEmulatorApp({ clock: this.time, random: this.random('api') });
    this.judge = new Judge(this.api.store, nodes, this.time);
    this.client = this.#peacefulLink('users').client;
    this.objects = new ClusterObjects(this.client, this.api.store);
    this.agent = new NodeAgent({
      client: this.#peacefulLink('machines').client,
      clock: this.time,
      random: this.random('machines'),
      log: this.#log,
      heartbeatMs,
    });
    this.api.store.collection('pods').subscribe(({ type, object, version }) => {
      this.journal.add(`${type} pod ${object.metadata.name}`, String(version));
    });
    this.api.store.collection('nodes').subscribe(({ type, object, version }) => {
      this.journal.add(`${type} node ${object.metadata.name}`, String(version));
    });
  }

  /** A stream of chance of its own for each purpose. */
  random(purpose: string): () => number {
    let hash = this.#options.seed;
    for (const letter of purpose) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
    return seededRandom(hash);
  }

  /** Machines, servers and kube-scheduler, all of them ready. */
  async start(): Promise<void> {
    void this.agent.start();
    for (const node of this.nodes) await this.await(this.agent.addNode(node));
    for (let index = 0; index < (this.#options.replicas ?? 1); index += 1) this.startServer();
    this.#first().election.lead();
    const { process, link } = this.#peacefulParts('kube-scheduler');
    const trips = this.random('extender');
    const connection = new ExtenderConnection({
      process,
      time: this.time,
      tripMs: () => 0.1 + trips(),
      server: () => this.leader?.replica,
    });
    const scheduler = new KubeScheduler({
      client: link.client,
      extender: connection,
      settings: schedulerSettings(this.config, 'http://extender.invalid'),
      clock: process.clock,
      random: this.random('kube-scheduler'),
      log: this.#log,
    });
    void scheduler.start();
    await this.until('the servers are ready', () => this.servers.every(isReady), readyLimitMs);
  }

  /** The server that the Service leads to: the leader, as soon as it is ready. */
  get leader(): Server | undefined {
    return this.servers.find((server) => server.election.isLabelled && isReady(server));
  }

  /** Another server, which leads as soon as it is told to. */
  startServer(): Server {
    this.#made += 1;
    const name = `server-${this.#made}`;
    const process = new SimulatedProcess(name, this.time);
    const election = new SimulatedElection(name);
    const replica = new Replica({
      app: this.api.app,
      process,
      time: this.time,
      random: this.random(name),
      faultOf: (request) => this.dice.faultOf(request),
      onCarriedOut: (request, answer) => {
        const step = apiStepOf(request);
        if (step === undefined) return;
        const outcome = answer.kind === 'status' ? answer.status : answer.kind;
        this.journal.add(`${name}: ${step} ${request.path}`, String(outcome));
      },
      lagMs: (path) => this.watchLagMs(path),
      repeats: () => this.repeatsEvents,
      config: this.config,
      election,
      key: sealKey,
      audits: this.#options.audits ?? false,
      log: this.#log,
      onPoint: (point) => {
        this.#reach(server, point);
      },
      onAudit: (report) => {
        for (const { kind, object } of report.kind === 'skipped' ? [] : report.drift) {
          this.breaks.push(`the audit of ${name} found drift ${kind} of ${object}`);
        }
      },
    });
    const server = { replica, process, election };
    this.servers = [...this.servers, server];
    this.journal.add(`${name} starts`);
    return server;
  }

  /** SIGKILL. The Service leads to nobody until another server leads. */
  kill(server: Server): void {
    this.journal.add(`${server.process.name} is killed`);
    server.process.kill();
    server.election.follow();
    this.servers = this.servers.filter((other) => other !== server);
  }

  /** At the next point that is meant, once. */
  armBlow(isMeant: ArmedBlow['isMeant'], strike: ArmedBlow['strike']): void {
    this.#armed = { isMeant, strike };
  }

  disarm(): void {
    this.#armed = undefined;
  }

  get isBlowPending(): boolean {
    return this.#armed !== undefined;
  }

  get schedulerName(): string {
    return this.config.schedulerNames[0] ?? '';
  }

  /** Nothing more goes wrong: calls succeed, watches keep up, plugins serve, and whoever was struck goes on. */
  calm(): void {
    this.isCalm = true;
    this.journal.add('calm');
    this.dice.isArmed = false;
    this.disarm();
    this.watchLagMs = () => 0;
    this.repeatsEvents = false;
    for (const { name } of this.nodes) if (this.hasMachine(name)) this.agent.setBehaviour(name, 'serve');
  }

  // --- users, machines and objects

  /** Whether the node's machine and object are there. */
  hasMachine(name: string): boolean {
    return !this.#away.has(name);
  }

  setAway(name: string, isAway: boolean): void {
    if (isAway) this.#away.add(name);
    else this.#away.delete(name);
    // One that comes back is told how to behave by whoever plays on.
    if (!isAway && this.isCalm) this.agent.setBehaviour(name, 'serve');
  }

  pass(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.time.after(durationMs, resolve);
    });
  }

  // --- time

  /** Lets time pass until the promise is settled. */
  async await<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    // Its failure is the caller's, below.
    settled.catch(() => undefined);
    await this.until('a call has ended', () => isSettled, limitMs);
    return settled;
  }

  /** Lets time pass until a state is reached; throws when it is not within the limit. */
  async until(what: string, isReached: () => boolean, limitMs: number): Promise<void> {
    if (await this.time.runUntil(isReached, limitMs)) return;
    throw new Error(`not within ${limitMs / 1000} s: ${what}`);
  }

  #first(): Server {
    const [server] = this.servers;
    if (server === undefined) throw new Error('there is no server');
    return server;
  }

  #reach(server: Server, point: CrashPoint): void {
    const { process } = server;
    if (process.isDead) return;
    this.dice.count(point);
    if (this.#armed?.isMeant(point) !== true) return;
    const { strike } = this.#armed;
    this.#armed = undefined;
    this.journal.add(`${process.name} is struck at ${point}`);
    strike(server, point);
  }

  #peacefulLink(name: string): ApiLink {
    return this.#peacefulParts(name).link;
  }

  #peacefulParts(name: string): { readonly process: SimulatedProcess; readonly link: ApiLink } {
    const process = new SimulatedProcess(name, this.time);
    const { time } = this;
    return { process, link: new ApiLink({ app: this.api.app, process, time, random: this.random(name) }) };
  }
}

function isReady({ replica, process }: Server): boolean {
  return replica.state.synced && !process.isDead;
}

function configOf(): TesseraConfig {
  const loaded = loadConfig({ environment: {}, flags: {} });
  if (!loaded.ok) throw new Error(loaded.problem);
  return loaded.value.config;
}
