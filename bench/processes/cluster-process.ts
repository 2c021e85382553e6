/**
 * The cluster around the server under test: the embedded API with machines and running pods already in it, and a
 * stand-in for all their device plugins and kubelets. Everything is put straight into the API's memory, so that the
 * server sees the events of a real cluster and nobody else's calls.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withMeta } from '../../src/emulator/api/api-object.ts';
import { nodes, pods } from '../../src/emulator/api/resources.ts';
import { startEmulator } from '../../src/emulator/api/server.ts';
import type { ObjectStore } from '../../src/emulator/api/store.ts';
import { itemText } from '../../src/emulator/api/wire-form.ts';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { type ClusterSize, makeCluster, sealKeyOf } from '../workload/cluster.ts';
import { publishedAnew } from '../workload/node-object.ts';
import { drawImpossiblePod, drawPod } from '../workload/pod-mix.ts';
import { asSentToExtenders, pendingPod, podNamespace } from '../workload/pod-object.ts';
import { epochMs, markAnnotation } from './marked-client.ts';
import { NodeStandIn } from './node-stand-in.ts';
import { answerParent } from './parent.ts';
import { type ChurnOptions, PodChurn } from './pod-churn.ts';

const answers = { open, createPod, deletePod, whenRunning, publishAll, churn };
export type ClusterAnswers = typeof answers;
answerParent(answers);

/** Room for a storm: a real API server cuts watchers off later than the embedded one does by default. */
const watchBufferBytes = 1024 * 1024 * 1024;
const historyLimit = 20_000;
/** Machines that publish in one turn of the event loop. */
const publishTogether = 20;
/** Numbers of the pods that come while the benchmark runs; those that are there before count from 1. */
const firstNewPod = 10_000_000;

interface Running {
  readonly store: ObjectStore;
  readonly descriptions: readonly NodeDescription[];
  readonly standIn: NodeStandIn;
  readonly random: () => number;
  created: number;
}

let running: Running | undefined;

function cluster(): Running {
  if (running === undefined) throw new Error('the cluster was not opened');
  return running;
}

export interface OpenedCluster {
  readonly url: string;
  readonly nodeNames: readonly string[];
  readonly pods: number;
  /** Of the memory of all cards. */
  readonly fill: number;
}

/** Makes the cluster and serves it. */
async function open(size: ClusterSize): Promise<OpenedCluster> {
  const made = makeCluster(size);
  const random = seededRandom(size.seed + 1);
  const { url, store } = await startEmulator({
    clock: systemClock,
    random,
    historyLimit,
    watchBufferBytes,
  });
  for (const name of ['tessera-system', podNamespace]) store.put('namespaces', { metadata: { name } });
  const key = sealKeyOf(size.seed).toString('base64');
  store.put('secrets', {
    metadata: { name: 'tessera-seal', namespace: 'tessera-system', uid: 'seal' },
    type: 'Opaque',
    data: { key },
  });
  for (const node of made.nodes) itemText(nodes, store.put(nodes.collection, node));
  for (const pod of made.pods) itemText(pods, store.put(pods.collection, pod));
  // What led here is nobody's business, and would be undone for every list.
  store.forgetHistory();
  const standIn = new NodeStandIn(store, random);
  running = { store, descriptions: made.descriptions, standIn, random, created: 0 };
  return {
    url,
    nodeNames: made.descriptions.map(({ name }) => name),
    pods: made.pods.length,
    fill: made.fill,
  };
}

/** Creates a pod and answers it as kube-scheduler would send it. */
function createPod({ impossible }: { readonly impossible: boolean }): object {
  const { store, random } = cluster();
  const wish = impossible ? drawImpossiblePod(random) : drawPod(random);
  cluster().created += 1;
  const pod = pendingPod({ number: firstNewPod + cluster().created, wish });
  return asSentToExtenders(store.put(pods.collection, pod));
}

function deletePod(name: string): void {
  const { store } = cluster();
  const pod = store.collection(pods.collection).find(`${podNamespace}/${name}`);
  if (pod !== undefined) store.remove(pods.collection, pod);
}

/** Resolves when the bound pod runs and its node's lock is free again. */
function whenRunning(podUid: string): Promise<void> {
  return cluster().standIn.whenRunning(podUid);
}

/** Every machine's device plugin publishes its cards in another order. Answers when it began and how many there are. */
async function publishAll(mark: string): Promise<{ readonly startedMs: number; readonly events: number }> {
  const { store, descriptions, random } = cluster();
  const startedMs = epochMs();
  for (const [index, description] of descriptions.entries()) {
    if (index % publishTogether === 0) await nextTurn();
    const marked = index === descriptions.length - 1 ? { [markAnnotation]: mark } : {};
    const node = store.collection(nodes.collection).find(description.name);
    if (node === undefined) continue;
    const annotations = { ...node.metadata.annotations, ...publishedAnew(description, random), ...marked };
    store.put(nodes.collection, withMeta(node, { annotations }));
  }
  return { startedMs, events: descriptions.length };
}

/** Pods change, end and come at a steady rate. Answers how many events there were and when each mark was sent. */
function churn(options: ChurnOptions) {
  const { store, random } = cluster();
  return new PodChurn(store, random).run(options);
}
