/**
 * How kubelet gets a pod's devices: it counts what the node offers of each extended resource that a container names,
 * then asks the plugin of each, container by container. A resource that nobody offers is none of its business.
 */
import { askedQuantity, type ContainerObject, type PodObject } from '../../model/cluster-objects.ts';
import { effectiveAmount } from '../../model/container-role.ts';
import { countOf } from '../../model/quantity.ts';
import type { AllocationBook } from './allocation-book.ts';
import type { NodePlugin } from './plugins/node-plugin.ts';

export type DevicePlugin = Pick<NodePlugin, 'offers' | 'allocate' | 'adopt' | 'release' | 'forget'>;

export interface DeviceAdmission {
  readonly node: string;
  readonly plugins: readonly DevicePlugin[];
  /** The node's other pods that hold devices. */
  readonly others: readonly PodObject[];
  readonly book: Pick<AllocationBook, 'give'>;
}

/** Gets all devices of a pod; answers why it cannot run. Rejects only over a bug. */
export async function admitDevices(
  pod: PodObject,
  { node, plugins, others, book }: DeviceAdmission,
): Promise<string | undefined> {
  const offers = plugins.flatMap((plugin) => plugin.offers());
  for (const { name, allocatable } of offers) {
    const wanted = amountOf(pod, name);
    const free = allocatable - others.reduce((sum, other) => sum + amountOf(other, name), 0);
    if (wanted > 0 && wanted > free) {
      return `Allocate failed due to requested number of devices unavailable for ${name}. Requested: ${wanted}, Available: ${free}, which is unexpected`;
    }
  }
  for (const container of pod.containers) {
    for (const plugin of plugins) {
      for (const { name: resource } of plugin.offers()) {
        const count = asked(container, resource);
        if (count === 0) continue;
        const books = { podUid: pod.uid, role: container.role };
        const answer = await plugin.allocate({ resource, count, books });
        if (answer.kind === 'refused') {
          return `Allocate failed due to rpc error: code = Unknown desc = ${answer.message}, which is unexpected`;
        }
        // A plugin that knows no pods means the one that it was asked for.
        book.give({ node, pod, container: container.name }, { pod, container: container.name, ...answer });
      }
    }
  }
  return undefined;
}

function amountOf({ containers }: PodObject, resource: string): number {
  const counts = containers.map((container) => asked(container, resource));
  return effectiveAmount(
    containers.map(({ role }) => role),
    (index) => counts[index] ?? 0,
  );
}

function asked(container: ContainerObject, resource: string): number {
  return countOf(askedQuantity(container, resource));
}
