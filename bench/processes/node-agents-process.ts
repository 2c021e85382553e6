/**
 * The machines of a real API server and the owners of its pods: the emulator's node agent plays every kubelet and device
 * plugin with all calls that the real ones make, and pods are created here as fast as the server takes them. Machines
 * send no heartbeats; those of real ones are leases, which no extender sees.
 */
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import type { AllocationBook } from '../../src/emulator/node-agent/allocation-book.ts';
import { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import type { RestClient, RestRequest } from '../../src/kubernetes/rest-client.ts';
import { failureText } from '../../src/kubernetes/rest-result.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { wholeNode } from '../workload/node-object.ts';
import { drawPlainPod, drawSmallPod, withoutCards } from '../workload/pod-mix.ts';
import { asCreated, pendingPod, podNamespace } from '../workload/pod-object.ts';
import { AgentObserver, type PodEvent } from './agent-observer.ts';
import { type ApiLogin, clientWith } from './api-login.ts';
import { inParallel } from './in-parallel.ts';
import { answerParent } from './parent.ts';
import { PodsUnderWay } from './pods-under-way.ts';
import { type ProcessFigures, SelfMeter } from './self-meter.ts';

const answers = { start, runPods, clear };
export type NodeAgentsAnswers = typeof answers;
answerParent(answers);

const atOnce = 64;
const callTimeoutMs = 30_000;
const clearTimeoutMs = 5 * 60_000;
const neverMs = 24 * 3600 * 1000;
const podsPath = `/api/v1/namespaces/${podNamespace}/pods`;

export interface MachinesOptions {
  readonly login: ApiLogin;
  readonly machines: readonly NodeDescription[];
  readonly seed: number;
}

/** `without-cards`: the mixed ones for a scheduler that knows no cards. */
export type WishedPods = 'mixed' | 'small' | 'without-cards';

export interface PodRunOptions {
  readonly pods: number;
  readonly wishes: WishedPods;
}

export interface PodRun {
  /** From the first creation until all pods ran. */
  readonly elapsedMs: number;
  /** Of every pod, from the start of its creation. */
  readonly untilBoundMs: readonly number[];
  readonly untilRunningMs: readonly number[];
  /** See `AgentObserver.longestWorkMs`. */
  readonly longestWorkMs: number;
  /** What the nodes saw that must never happen. */
  readonly faults: readonly string[];
  /** Of this process. */
  readonly self: ProcessFigures;
}

interface Running {
  readonly client: RestClient;
  readonly observer: AgentObserver;
  readonly book: AllocationBook;
  readonly random: () => number;
  created: number;
}

const meter = new SelfMeter();
let running: Running | undefined;
let onPod: (event: PodEvent, name: string) => void = () => undefined;

function cluster(): Running {
  if (running === undefined) throw new Error('the machines were not started');
  return running;
}

/** Registers all machines; resolves when every one is there. */
async function start({ login, machines, seed }: MachinesOptions): Promise<void> {
  const client = clientWith(login);
  const random = seededRandom(seed);
  const observer = new AgentObserver(client, (event, name) => {
    onPod(event, name);
  });
  const agent = new NodeAgent({
    client: {
      request: (request) => observer.request(registersNode(request) ? withWholeNode(request) : request),
      stream: (request) => observer.stream(request),
    },
    clock: systemClock,
    random,
    log: makeLogger({ level: 'silent' }),
    heartbeatMs: neverMs,
  });
  await agent.start();
  await inParallel(atOnce, machines, (description) => agent.addNode(description));
  running = { client, observer, book: agent.book, random, created: 0 };
}

/** Creates so many pods and waits until all of them run. Rejects when one fails, or when nothing goes on any more. */
async function runPods({ pods: count, wishes }: PodRunOptions): Promise<PodRun> {
  const { client, observer, book } = cluster();
  const pods = Array.from({ length: count }, () => nextPod(wishes));
  const faultsBefore = book.faults.length;
  observer.reset();
  await meter.begin({ profile: false });
  const underWay = new PodsUnderWay(count);
  onPod = (event, name) => {
    underWay.note(event, name);
  };
  const startedMs = performance.now();
  const created = inParallel(atOnce, pods, async (pod) => {
    underWay.create(pod.metadata.name);
    await call(client, { method: 'POST', path: podsPath, body: pod, timeoutMs: callTimeoutMs });
  });
  await Promise.all([created, underWay.allRun]);
  return {
    elapsedMs: performance.now() - startedMs,
    untilBoundMs: underWay.untilBoundMs,
    untilRunningMs: underWay.untilRunningMs,
    longestWorkMs: observer.longestWorkMs,
    faults: book.faults.slice(faultsBefore),
    self: await meter.end(),
  };
}

/** Removes all pods at once, as if nobody had to stop them. */
async function clear(): Promise<void> {
  await call(cluster().client, {
    method: 'DELETE',
    path: podsPath,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 },
    timeoutMs: clearTimeoutMs,
  });
}

function nextPod(wishes: WishedPods) {
  const { random } = cluster();
  const wish = wishes === 'small' ? drawSmallPod(random) : drawPlainPod(random);
  cluster().created += 1;
  const number = cluster().created;
  return asCreated(pendingPod({ number, wish: wishes === 'without-cards' ? withoutCards(wish) : wish }));
}

function registersNode({ method, path }: RestRequest): boolean {
  return method === 'POST' && path === '/api/v1/nodes';
}

/** Of the size that kubelet registers with. */
function withWholeNode(request: RestRequest): RestRequest {
  return { ...request, body: asCreated(wholeNode(request.body as object, 0)), timeoutMs: callTimeoutMs };
}

async function call(client: RestClient, request: RestRequest): Promise<void> {
  const result = await client.request(request);
  if (result.kind !== 'ok') throw new Error(`${request.method} ${request.path}: ${failureText(result)}`);
}
