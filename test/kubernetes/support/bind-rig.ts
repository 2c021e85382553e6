/**
 * The writing side as a server wires it, on a `TestCluster` and over the real client.
 * The watch delivers at once unless a test holds it back.
 */
import { type BindingSide, makeBindingSide } from '../../../src/kubernetes/binding-side.ts';
import { Sealer } from '../../../src/kubernetes/seal.ts';
import type { NamespacedName, NodeObject, PodObject, TextMap } from '../../../src/model/cluster-objects.ts';
import { fenceAnnotation, formatFence, nodeLockAnnotation } from '../../../src/vendors/node-lock.ts';
import { parseNode, parsePod } from '../../../src/wire/kubernetes.ts';
import { nvidiaVendors } from '../../state/support/device-states.ts';
import { gpuLimits, makeNodeObject, makePod, type PodFields } from '../../support/kubernetes-objects.ts';
import type { ManualClock } from '../../support/manual-clock.ts';
import type { Stored } from './cluster-model.ts';
import type { TestCluster } from './test-cluster.ts';

export const nodePath = '/api/v1/nodes/n1';

export function pathOf({ namespace, name }: { namespace: string; name: string }): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}

/** Of the leadership in which the rig binds. */
export const term = 'server-0/1/a1';

export class BindRig {
  readonly clock: ManualClock;
  readonly cluster: TestCluster;
  readonly sealer: Sealer;
  readonly binding: BindingSide;
  /** Whether the ledger has a bound pod. */
  isCharged: (podUid: string) => boolean = () => true;
  /** The pod that closes the node to whoever needs its lock. */
  stray: NamespacedName | undefined;
  /** False while the watch of nodes is behind. */
  watching = true;

  constructor(cluster: TestCluster, { ownerlessExpiryMs = 5 * 60_000, vendors = nvidiaVendors } = {}) {
    const { clock, client, model } = cluster;
    this.cluster = cluster;
    this.clock = clock;
    this.sealer = new Sealer(Buffer.alloc(32, 7), vendors);
    this.binding = makeBindingSide({
      client,
      clock,
      sealer: this.sealer,
      vendors,
      isCharged: (uid) => this.isCharged(uid),
      isLeader: () => true,
      strayOn: () => this.stray,
      ownerlessExpiryMs,
    });
    model.onChange = (path, object) => {
      if (path.startsWith('/api/v1/nodes/') && this.watching) this.tellNode(object, path);
    };
  }

  get watch() {
    return this.binding.nodes;
  }

  get locks() {
    return this.binding.locks;
  }

  get labels() {
    return this.binding.labels;
  }

  get writer() {
    return this.binding.writer;
  }

  /** Lets the watch bring a state of a node, old or new. */
  tellNode(object: Stored | undefined, path = nodePath): void {
    if (object === undefined) {
      this.watch.forget(path.slice(path.lastIndexOf('/') + 1));
      return;
    }
    this.watch.see(this.nodeOf(object));
  }

  nodeOf(object: Stored | undefined): NodeObject {
    const node = parseNode(object);
    if (!node.ok) throw new Error(node.problem);
    return node.value;
  }

  /** Stores a node all of whose pods are known: the last commit was one of this leadership. */
  addNode({
    lock,
    locks = lock === undefined ? {} : { [nodeLockAnnotation]: lock },
    name = 'n1',
  }: { lock?: string; locks?: TextMap; name?: string } = {}): Stored {
    const annotations = { [fenceAnnotation]: formatFence(term, 'uid-before'), ...locks };
    const stored = this.cluster.model.put(
      `/api/v1/nodes/${name}`,
      makeNodeObject({ name, annotations }) as unknown as Stored,
    );
    this.locks.trust(name, term);
    return stored;
  }

  /** Stores a pod and answers it as the watch would bring it; one card and 3000 MiB where no containers are given. */
  addPod(fields: PodFields = {}): PodObject {
    const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
    const made = makePod({ containers: [{ limits }], ...fields }) as unknown as Stored;
    return this.podOf(
      this.cluster.model.put(pathOf({ namespace: 'default', name: 'pod-1', ...fields }), made),
    );
  }

  podOf(object: Stored | undefined): PodObject {
    const pod = parsePod(object);
    if (!pod.ok) throw new Error(pod.problem);
    return pod.value;
  }

  /** The device plugin has done its work for a bound pod, which runs, and the watch has told so. */
  serve(pod: PodObject): void {
    this.setLock(null);
    this.binding.pods.see({ ...this.stored(pod), phase: 'Running' });
  }

  /** The pod as the API server has it. */
  stored(pod: { namespace: string; name: string }): PodObject {
    return this.podOf(this.cluster.model.find(pathOf(pod)));
  }

  /** The lock as the API server has it. */
  get lock(): string | undefined {
    return this.lockAt(nodeLockAnnotation);
  }

  lockAt(annotation: string): string | undefined {
    return this.cluster.model.find(nodePath)?.metadata.annotations?.[annotation];
  }

  setLock(value: string | null, annotation = nodeLockAnnotation): Stored {
    return this.cluster.model.change(nodePath, { metadata: { annotations: { [annotation]: value } } });
  }
}
