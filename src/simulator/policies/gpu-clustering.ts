/**
 * GpuClustering as the publication compares it: pods of a kind together, on as full a node as there is. A kind is how
 * many cards a pod asks for, or a part of one. What kinds a node has is noted as pods come and go, since a picture of the
 * node does not tell.
 */
import { compareText } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';
import type { PodRequest } from '../../model/request.ts';
import { classOf } from '../../placement/fragmentation/request-class.ts';
import type { MakePolicy, PodObserver } from '../policy.ts';
import { rateTightest } from './best-fit-card.ts';
import { cardMilli, freeBefore, neededMilli, sumOf } from './free-milli.ts';
import { largestCards } from './largest-node.ts';

export const makeGpuClustering: MakePolicy = ({ defaults }) => {
  const kinds = new PodKinds();
  return {
    name: 'gpuclustering',
    rules: {
      ...defaults,
      nodePolicy: 'fragmentation',
      scoring: {
        rateShare: rateTightest,
        rateNode: ({ view, request }) => {
          const kind = kindOf(request, view);
          if (kind === undefined) return 0;
          const fullness = (25 * (largestCards - sumOf(freeBefore(view)))) / largestCards;
          return Math.floor(fullness) + kinds.company(view.name, kind);
        },
      },
    },
    choice: 'highest',
    observer: kinds,
  };
};

/** Of all pods on the nodes, by node and kind. */
class PodKinds implements PodObserver {
  readonly #byNode = new Map<string, Map<string, number>>();

  placed(node: NodeView, request: PodRequest): void {
    this.#add(node, request, 1);
  }

  left(node: NodeView, request: PodRequest): void {
    this.#add(node, request, -1);
  }

  /** What the pods of a node are worth to a pod of a kind. */
  company(node: string, kind: string): 0 | 25 | 50 | 75 {
    const present = this.#byNode.get(node);
    if (present === undefined || present.size === 0) return 25;
    if (!present.has(kind)) return 0;
    return present.size === 1 ? 75 : 50;
  }

  /** How many there are of a kind makes no difference. */
  describe({ name }: NodeView): string {
    return [...(this.#byNode.get(name)?.keys() ?? [])].sort(compareText).join();
  }

  #add(node: NodeView, request: PodRequest, more: number): void {
    const kind = kindOf(request, node);
    if (kind === undefined) return;
    const present = this.#byNode.get(node.name) ?? new Map<string, number>();
    const count = (present.get(kind) ?? 0) + more;
    if (count > 0) present.set(kind, count);
    else present.delete(kind);
    this.#byNode.set(node.name, present);
  }
}

/** Undefined for a pod that asks for no card. */
function kindOf(request: PodRequest, { devices }: NodeView): string | undefined {
  const asked = classOf(request);
  if (asked.count === 0) return undefined;
  if (asked.count > 1) return `${asked.count}`;
  const card = devices.find(({ device }) => device.vendor === asked.vendor)?.device;
  return card !== undefined && neededMilli(asked, card) < cardMilli ? 'shared' : '1';
}
