/**
 * The floor under a whole extender: it lets every node through, ranks all alike and writes what the server writes for a
 * bind (node lock, Binding with an allocation, Event) with the server's own classes, in turns per node as the protocol
 * demands. It decides and remembers nothing; cards are made up. What the server takes beyond it is the server's own.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { Router } from 'express';
import { createApp } from '../../src/http/app.ts';
import { jsonBody } from '../../src/http/body.ts';
import { listen } from '../../src/http/listener.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { makeBindingSide } from '../../src/kubernetes/binding-side.ts';
import { EventRecorder } from '../../src/kubernetes/event-recorder.ts';
import { Reflector } from '../../src/kubernetes/reflector.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import { sealKeyBytes } from '../../src/kubernetes/seal-key.ts';
import { bindBudgetMs } from '../../src/commands/bind-budget.ts';
import type { Allocation } from '../../src/model/allocation.ts';
import { askedQuantity, type NodeObject, type PodObject } from '../../src/model/cluster-objects.ts';
import { countOf } from '../../src/model/quantity.ts';
import { bindingMetadata } from '../../src/scheduler/binding-metadata.ts';
import { NodeGates } from '../../src/scheduler/gate.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { nodeLockAnnotation, sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { type BindingArgs, type HostPriorityList, parseBindingArgs } from '../../src/wire/extender.ts';
import { parseNode, parsePod } from '../../src/wire/kubernetes.ts';
import { required } from '../required.ts';
import { type ApiLogin, clientWith } from './api-login.ts';
import { answerParent } from './parent.ts';
import { SelfMeter } from './self-meter.ts';
import { loadServerConfig } from './server-config.ts';

const answers = { start, begin, end };
export type EchoAnswers = typeof answers;
answerParent(answers);

const meter = new SelfMeter();
const config = loadServerConfig();
const vendors = makeVendors(config);
const silent = makeLogger({ level: 'silent' });
const vendor = 'NVIDIA';
const countResource = 'nvidia.com/gpu';

/** Resolves when it answers and knows all nodes; answers the URL. */
async function start(api: ApiLogin): Promise<string> {
  const binder = await startBinder(api);
  const asked = new Map<string, unknown>();
  const router = Router();
  router.use(jsonBody(config.bodyLimitMiB));
  router.post('/filter', (request, response) => {
    const { Pod, NodeNames } = request.body as {
      readonly Pod: { readonly metadata: { readonly uid: string } };
      readonly NodeNames: readonly string[];
    };
    asked.set(Pod.metadata.uid, Pod);
    response.json({ NodeNames });
  });
  router.post('/prioritize', (request, response) => {
    const { NodeNames } = request.body as { readonly NodeNames: readonly string[] };
    const equal: HostPriorityList = NodeNames.map((Host) => ({ Host, Score: 0 }));
    response.json(equal);
  });
  router.post('/bind', async (request, response) => {
    const args = required(parseBindingArgs(request.body));
    const pod = required(parsePod(asked.get(args.uid)));
    const problem = await binder(pod, args);
    if (problem === '') asked.delete(args.uid);
    response.json({ Error: problem });
  });
  const app = createApp([router], silent);
  const { keepAliveSeconds } = config;
  return (await listen({ app, host: '127.0.0.1', port: 0, keepAliveSeconds })).url;
}

function begin(): Promise<void> {
  return meter.begin({ profile: false });
}

function end() {
  return meter.end();
}

/** Answers what went wrong; the empty text for nothing. */
type Bind = (pod: PodObject, args: BindingArgs) => Promise<string>;

async function startBinder(api: ApiLogin): Promise<Bind> {
  const client = clientWith(api);
  const clock = systemClock;
  const sealer = new Sealer(randomBytes(sealKeyBytes), vendors);
  const yes = () => true;
  // It has no memory that could be behind, and so nothing to list for.
  const nodePods = { catchUp: () => Promise.resolve({ ok: true } as const) };
  const binding = makeBindingSide({
    client,
    clock,
    sealer,
    vendors,
    nodePods,
    isCharged: yes,
    isLeader: yes,
  });
  const bound = new Map<string, string>();
  const served = (node: string) => {
    binding.pods.forget(bound.get(node) ?? '');
  };
  const nodes = new Reflector<NodeObject>({
    kind: 'nodes',
    client,
    clock,
    random: Math.random,
    log: silent,
    path: '/api/v1/nodes',
    parse: parseNode,
    handler: {
      upsert: (node) => {
        // It follows no pods: a free lock tells it that the last one was served.
        if (node.annotations[nodeLockAnnotation] === undefined) served(node.name);
        binding.nodes.see(node);
      },
      remove: ({ name }) => {
        binding.nodes.forget(name);
      },
      malformed: () => undefined,
    },
  });
  nodes.start();
  await nodes.synced;
  const gates = new NodeGates(clock);
  const events = new EventRecorder({
    client,
    clock,
    component: 'echo',
    uniqueName: randomUUID,
    onFailure: () => undefined,
  });
  return async (pod, { node }) => {
    const deadlineMs = clock.nowMs() + bindBudgetMs(config);
    const { signal } = new AbortController();
    const turn = await gates.run(node, { deadlineMs, signal }, () => {
      const allocation = madeUp(pod);
      const nowMs = clock.nowMs();
      const metadata = bindingMetadata({ pod, allocation, node, nowMs, vendors, layoutOf: () => 'all' });
      bound.set(node, pod.uid);
      const devices = { term: 'echo', locks: [sharedNodeLock], metadata: () => metadata };
      return binding.writer.bind({ pod, node, deadlineMs, devices }, signal);
    });
    if (!turn.ok) return turn.refusal;
    if (turn.value.kind !== 'bound') return turn.value.message;
    events.emit({ pod, type: 'Normal', reason: 'BindingSucceed', message: `bound to node ${node}` });
    return '';
  };
}

/** As many shares as each container asks for, with values as long as real ones. */
function madeUp({ containers }: PodObject): Allocation {
  return containers.map((container) =>
    Array.from({ length: countOf(askedQuantity(container, countResource)) }, (_, index) => ({
      vendor,
      deviceId: `GPU-00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      memoryMiB: 16_000,
      corePercent: 30,
    })),
  );
}
