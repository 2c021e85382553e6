/**
 * The writing side as a server wires it, on a `TestCluster`: locks, label keeper, seal and writer over the real client.
 * The watch delivers at once unless a test holds it back.
 */
import { LabelKeeper } from '../../../src/kubernetes/label-keeper.ts';
import { NodeLocks } from '../../../src/kubernetes/node-locks.ts';
import { NodeWatch } from '../../../src/kubernetes/node-watch.ts';
import { Sealer } from '../../../src/kubernetes/seal.ts';
import { KubernetesWriter } from '../../../src/kubernetes/writer.ts';
import type { NodeObject, PodObject } from '../../../src/model/cluster-objects.ts';
import { nodeLockAnnotation } from '../../../src/vendors/node-lock.ts';
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

export class BindRig {
  readonly clock: ManualClock;
  readonly cluster: TestCluster;
  readonly watch = new NodeWatch();
  readonly locks: NodeLocks;
  readonly labels: LabelKeeper;
  readonly sealer = new Sealer(Buffer.alloc(32, 7), nvidiaVendors);
  readonly writer: KubernetesWriter;
  /** False while the watch of nodes is behind. */
  watching = true;

  constructor(cluster: TestCluster) {
    const { clock, client, model } = cluster;
    this.cluster = cluster;
    this.clock = clock;
    this.locks = new NodeLocks({ client, watch: this.watch, clock });
    this.labels = new LabelKeeper(client);
    const { locks, labels, sealer } = this;
    this.writer = new KubernetesWriter({ client, locks, labels, sealer, clock });
    model.onChange = (path, object) => {
      if (path.startsWith('/api/v1/nodes/') && this.watching) this.tellNode(object, path);
    };
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

  addNode({ lock, name = 'n1' }: { lock?: string; name?: string } = {}): Stored {
    const annotations = lock === undefined ? {} : { [nodeLockAnnotation]: lock };
    return this.cluster.model.put(
      `/api/v1/nodes/${name}`,
      makeNodeObject({ name, annotations }) as unknown as Stored,
    );
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

  /** The pod as the API server has it. */
  stored(pod: { namespace: string; name: string }): PodObject {
    return this.podOf(this.cluster.model.find(pathOf(pod)));
  }

  /** The lock as the API server has it. */
  get lock(): string | undefined {
    return this.cluster.model.find(nodePath)?.metadata.annotations?.[nodeLockAnnotation];
  }

  setLock(value: string | null): Stored {
    return this.cluster.model.change(nodePath, {
      metadata: { annotations: { [nodeLockAnnotation]: value } },
    });
  }
}
