/**
 * A pod as admission leaves it for the scheduler: with the devices that it asks for by a default, and with the
 * annotations that the families it uses add. Whether it may be admitted at all is not asked here.
 */
import type { ContainerObject, PodObject, TextMap } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import type { Vendor } from '../vendors/vendor.ts';
import type { ContainerEdits } from './container-patch.ts';

export interface MutatedContainer {
  /** Whose devices it asks for. */
  readonly families: ReadonlySet<VendorKey>;
  readonly edits: ContainerEdits;
  /** Of the families that have one. */
  readonly runtimeClassNames: readonly string[];
}

export interface CompletedPod {
  readonly pod: PodObject;
  /** One per container. */
  readonly mutations: readonly MutatedContainer[];
  /** What is added to the pod's annotations; only what differs. */
  readonly annotations: TextMap;
}

/** Never throws. Applied to its own result it adds nothing. */
export function completedPod(pod: PodObject, vendors: readonly Vendor[]): CompletedPod {
  const mutations = pod.containers.map((container) => mutateContainer(container, pod.annotations, vendors));
  const annotations = annotationsFor(pod, mutations, vendors);
  const complete = {
    ...pod,
    annotations: { ...pod.annotations, ...annotations },
    containers: pod.containers.map((container, index) => ({
      ...container,
      limits: { ...container.limits, ...mutations[index]?.edits.limits },
    })),
  };
  return { pod: complete, mutations, annotations };
}

function mutateContainer(
  container: ContainerObject,
  podAnnotations: TextMap,
  vendors: readonly Vendor[],
): MutatedContainer {
  const mutations = vendors.map((vendor) => ({
    key: vendor.key,
    ...vendor.mutate(container, podAnnotations),
  }));
  return {
    families: new Set(mutations.filter(({ usesDevices }) => usesDevices).map(({ key }) => key)),
    edits: {
      limits: Object.assign({}, ...mutations.map(({ limits }) => limits)) as Record<string, string>,
      env: Object.assign({}, ...mutations.map(({ env }) => env)) as Record<string, string>,
    },
    runtimeClassNames: mutations.flatMap(({ runtimeClassName = [] }) => runtimeClassName),
  };
}

/** What the families whose devices the pod asks for add. */
function annotationsFor(
  { annotations }: PodObject,
  mutations: readonly MutatedContainer[],
  vendors: readonly Vendor[],
): TextMap {
  const asked = vendors.filter(({ key }) => mutations.some(({ families }) => families.has(key)));
  const wanted = asked.flatMap((vendor) => Object.entries(vendor.annotatePod?.(annotations) ?? {}));
  return Object.fromEntries(wanted.filter(([key, value]) => annotations[key] !== value));
}
