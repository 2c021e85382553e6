/**
 * MetaX sGPUs: parts of cards, with memory in GiB or bytes, compute in percent, a QoS policy and an app class (vendors
 * §8). Admission gives a pod a policy, the Binding tells the plugin in its own form what the pod was given; which pods
 * may share a card is in `metax-sgpu-cards.ts`.
 */
import type { Allocation } from '../../model/allocation.ts';
import type { NodeObject } from '../../model/cluster-objects.ts';
import { countOf } from '../../model/quantity.ts';
import type { MetaxConfig } from './metax.ts';
import { chooseSgpus, refuseCompany } from './metax-sgpu-cards.ts';
import { appClassAnnotation, missingQos, qosAnnotation, topologyAnnotation } from './metax-sgpu-kind.ts';
import { readSgpuMemoryLimit } from './metax-sgpu-memory.ts';
import { parsePublication } from './metax-sgpu-publication.ts';
import { sgpuRating } from './metax-sgpu-rating.ts';
import { readSgpuRequest, sgpuProblems } from './metax-sgpu-request.ts';
import { sharedNodeLock } from '../node-lock.ts';
import { publishedDevices } from '../published-devices.ts';
import type { Discovery, Vendor } from '../vendor.ts';
import { resourcesNamed } from '../vendor-family.ts';

const key = 'Metax-SGPU';
const publication = 'metax-tech.com/node-gpu-devices';
const given = 'metax-tech.com/gpu-devices-allocated';
const predicateTime = 'metax-tech.com/predicate-time';

export function makeMetaxSgpu(config: MetaxConfig): Vendor {
  const resources = resourcesNamed({
    count: config.resourceVCountName,
    memory: config.resourceVMemoryName,
    cores: config.resourceVCoreName,
  });
  const rules = { vendor: key, resources, topologyAware: config.sgpuTopologyAware };
  return {
    key,
    resources,
    annotations: {
      allocated: 'hami.io/metax-sgpu-devices-allocated',
      toAllocate: 'hami.io/metax-sgpu-devices-to-allocate',
      useIds: 'metax-tech.com/use-gpuuuid',
      avoidIds: 'metax-tech.com/nouse-gpuuuid',
      reserved: [given, predicateTime],
    },
    memoryUnitMiB: 1024,
    readMemoryLimit: readSgpuMemoryLimit,
    nodeLock: sharedNodeLock,
    nodeAnnotations: [publication],
    podAnnotations: [appClassAnnotation, qosAnnotation, topologyAnnotation],
    cardRules: { accept: refuseCompany, choose: chooseSgpus, rating: sgpuRating },
    discover: (node) => discover(node, resources.count),
    request: (container, annotations) => readSgpuRequest(container, annotations, rules),
    mutate: (container) => ({
      usesDevices: countOf(container.limits[resources.count]) > 0,
      limits: {},
      env: {},
    }),
    annotatePod: missingQos,
    checkPod: (containers, annotations) => sgpuProblems(containers, annotations, rules),
    annotateBinding: ({ pod, allocation, timeNs }) => ({
      // For a pod that admission has not seen: the plugin has to reckon with the policy that we reckon with.
      ...missingQos(pod.annotations),
      [given]: encodeGiven(allocation),
      [predicateTime]: String(timeNs),
    }),
  };
}

function discover(node: NodeObject, countResource: string): Discovery {
  const published = publishedDevices(node, {
    vendor: key,
    annotation: publication,
    countResource,
    read: parsePublication,
  });
  return published.kind === 'devices' && published.devices.length === 0
    ? { kind: 'unavailable', detail: `${publication}: the device plugin sees no card` }
    : published;
}

/** A list per container of what it has on each card, in percent and MiB. What is 0 is left out, as the reference does. */
function encodeGiven(allocation: Allocation): string {
  const containers = allocation.map((shares) =>
    shares.map(({ deviceId, corePercent, memoryMiB }) => ({
      uuid: deviceId,
      ...(corePercent === 0 ? {} : { compute: corePercent }),
      ...(memoryMiB === 0 ? {} : { vRam: memoryMiB }),
    })),
  );
  return JSON.stringify(containers);
}
