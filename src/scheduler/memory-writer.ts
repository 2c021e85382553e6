/** A cluster that is only remembered: a bind becomes the pod event that a watch would bring. For snapshots and play. */
import type { PodObject } from '../model/cluster-objects.ts';
import type { BindCommand, BindOutcome, ClusterWriter } from './cluster-writer.ts';

export class MemoryWriter implements ClusterWriter {
  readonly #onBound: (pod: PodObject) => void;

  /** @param onBound takes the pod as it is after the bind */
  constructor(onBound: (pod: PodObject) => void) {
    this.#onBound = onBound;
  }

  bind({ pod, node, devices }: BindCommand): Promise<BindOutcome> {
    const metadata = devices?.metadata(false);
    if (devices !== undefined && metadata === undefined) {
      return Promise.resolve({ kind: 'rejected', message: `the pod has no place on node ${node} any more` });
    }
    this.#onBound({
      ...pod,
      nodeName: node,
      annotations: { ...pod.annotations, ...metadata?.annotations },
      labels: { ...pod.labels, ...metadata?.labels },
    });
    return Promise.resolve({ kind: 'bound' });
  }
}
