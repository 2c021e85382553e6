/** How much room a cluster has for pods of one request class: how many more fit, and why there is none. */
import type { NodeView } from '../../model/node-view.ts';
import type { PodRequest } from '../../model/request.ts';
import type { RequestClass } from '../../placement/fragmentation/request-class.ts';
import type { PolicyDefaults } from '../../placement/planner.ts';
import { shapeOf } from '../../placement/verdicts.ts';
import { findScatteredRoom } from '../../scheduler/scattered-room.ts';
import { howManyFit } from '../../simulator/what-if.ts';
import { countedResources, type Vendor } from '../../vendors/vendor.ts';

export interface ClassRoom {
  readonly fits: number;
  /** Where none fits although what is asked for is free in sum: where it is. */
  readonly scattered?: string;
}

/** More of one kind on one node are not counted. */
const mostPerNode = 1000;

export function roomFor(
  entry: RequestClass,
  views: readonly NodeView[],
  { policies, vendors }: { readonly policies: PolicyDefaults; readonly vendors: readonly Vendor[] },
): ClassRoom {
  const request = podOf(entry, vendors);
  const pod = { request, shape: shapeOf(request), problems: [] };
  const copies = Array.from({ length: mostPerNode }, () => pod);
  const policy = { name: policies.nodePolicy, rules: policies, choice: 'highest' } as const;
  let fits = 0;
  // Pods that are alike take nothing from each other on other nodes, so each node is asked by itself.
  for (const view of views) {
    const question = { views: [view], pods: copies, policy, random: () => 0, untilRefused: true };
    fits += howManyFit(question).outcomes.filter(({ ok }) => ok).length;
  }
  const scattered = fits > 0 ? undefined : findScatteredRoom(request, views, policies)?.sentence;
  return scattered === undefined ? { fits } : { fits, scattered };
}

function podOf(
  { vendor: key, count, memory, corePercent, selector, cpuMilli, memoryMiB }: RequestClass,
  vendors: readonly Vendor[],
): PodRequest {
  const vendor = vendors.find((one) => one.key === key);
  const isCounted = vendor !== undefined && countedResources(vendor).includes(vendor.resources.count);
  return {
    podUid: '',
    namespace: '',
    name: 'class',
    containers: [
      {
        name: 'main',
        role: 'app',
        devices: key === undefined ? [] : [{ vendor: key, count, memory, corePercent }],
      },
    ],
    selectors: new Map(key === undefined || selector === undefined ? [] : [[key, selector]]),
    counts: new Map(isCounted ? [[vendor.resources.count, count]] : []),
    host: { cpuMilli, memoryMiB, pods: 1 },
    priority: 0,
  };
}
