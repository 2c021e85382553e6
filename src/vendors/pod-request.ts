/**
 * What a pod asks of all vendors together: the one parse that filter, bind, admission and the ledger share. A field
 * that cannot be understood is a problem of the whole pod; it never degrades into "asks for nothing" (spec Q12).
 */
import {
  askedQuantity,
  type ContainerObject,
  type PodObject,
  type TextMap,
} from '../model/cluster-objects.ts';
import { effectiveAmount } from '../model/container-role.ts';
import { type HostAmounts, hostAmountsOf } from '../model/host-amounts.ts';
import type {
  ContainerRequest,
  DeviceSelector,
  DeviceRequest,
  PodRequest,
  ScoringWeights,
} from '../model/request.ts';
import { countOf } from '../model/quantity.ts';
import { parseWeights, policiesOf, weightsAnnotation } from './policy-annotations.ts';
import { parseSelector } from './selection.ts';
import { countedResources, type RequestProblem, type Vendor } from './vendor.ts';

export interface PodReading {
  /** With problems, this holds what such a pod must be reckoned with if it runs all the same: whole cards. */
  readonly request: PodRequest;
  readonly problems: readonly RequestProblem[];
  readonly warnings: readonly string[];
}

/**
 * What the containers say of a pod's request, with the annotations that some families read beside them: the same for
 * all pods of one template.
 */
export interface ContainersReading {
  readonly requests: readonly ContainerRequest[];
  /** Effective amount of everything that kubelet counts of the vendors, by resource name; only positive ones. */
  readonly counts: ReadonlyMap<string, number>;
  readonly host: HostAmounts;
  readonly problems: readonly RequestProblem[];
  readonly warnings: readonly string[];
}

/** Reads what containers ask for. Never throws. */
export function readContainers(
  { containers, annotations }: Pick<PodObject, 'containers' | 'annotations'>,
  vendors: readonly Vendor[],
): ContainersReading {
  const problems: RequestProblem[] = [];
  const warnings: string[] = [];
  const requests = containers.map((container) => {
    const devices: DeviceRequest[] = [];
    for (const vendor of vendors) {
      const reading = vendor.request(container, annotations);
      if (!reading.ok) {
        problems.push(...reading.problems);
        devices.push(reading.charge);
        continue;
      }
      warnings.push(...reading.warnings);
      if (reading.request !== undefined) devices.push(reading.request);
    }
    return { name: container.name, role: container.role, devices };
  });
  for (const vendor of vendors) problems.push(...(vendor.checkPod?.(requests, annotations) ?? []));
  problems.push(...lockProblems(requests, vendors));
  const counts = countsOf(containers, vendors);
  return { requests, counts, host: hostAmountsOf(containers), problems, warnings };
}

/**
 * The first plugin that serves a pod gives their lock back. One that finds pods by the lock alone then finds none, so it
 * cannot be asked beside another that has the same lock.
 */
function lockProblems(
  requests: readonly ContainerRequest[],
  vendors: readonly Vendor[],
): readonly RequestProblem[] {
  const asked = vendors.filter(({ key }) =>
    requests.some(({ devices }) => devices.some(({ vendor }) => vendor === key)),
  );
  if (asked.length < 2) return [];
  return asked.flatMap(({ nodeLock, findsUnlockedPods, resources }) => {
    const beside = asked.find(
      (other) => other.nodeLock?.annotation === nodeLock?.annotation && other.resources !== resources,
    );
    if (nodeLock === undefined || findsUnlockedPods === true || beside === undefined) return [];
    const fix = `cannot be asked for beside ${beside.resources.count}: both device plugins wait for one lock of the node, and the first to serve the pod gives it back; make a pod for each`;
    return [{ field: resources.count, value: '', fix }];
  });
}

/**
 * Reads a pod's request. Never throws.
 *
 * @param read what was read of its containers before, where that is at hand; it becomes part of the answer
 */
export function readPodRequest(
  pod: PodObject,
  vendors: readonly Vendor[],
  read = readContainers(pod, vendors),
): PodReading {
  const problems = [...read.problems];
  const weights = weightsOf(pod.annotations, problems);
  const { uid: podUid, namespace, name, priority } = pod;
  return {
    request: {
      podUid,
      namespace,
      name,
      priority,
      containers: read.requests,
      selectors: selectorsOf(pod, vendors),
      counts: read.counts,
      host: read.host,
      ...policiesOf(pod.annotations),
      ...(weights === undefined ? {} : { weights }),
    },
    problems,
    warnings: read.warnings,
  };
}

const noSelectors: PodRequest['selectors'] = new Map();

function selectorsOf({ annotations }: PodObject, vendors: readonly Vendor[]): PodRequest['selectors'] {
  const selectors = new Map<string, DeviceSelector>();
  for (const vendor of vendors) {
    const selector = parseSelector(annotations, vendor.annotations);
    if (selector !== undefined) selectors.set(vendor.key, selector);
  }
  return selectors.size === 0 ? noSelectors : selectors;
}

/** Weights that cannot be read are a problem of the pod; they never count as equal ones (spec §1.11). */
function weightsOf(annotations: TextMap, problems: RequestProblem[]): ScoringWeights | undefined {
  const value = annotations[weightsAnnotation];
  const weights = value === undefined ? undefined : parseWeights(value);
  if (weights?.ok !== false) return weights?.value;
  const fix = `cannot be read: ${weights.problem}; write slot=A,core=B,memory=C with whole numbers`;
  problems.push({ field: weightsAnnotation, value: value ?? '', fix });
  return undefined;
}

/** The effective amount of each vendor's counted resources, by resource name; only positive ones. */
function countsOf(
  containers: readonly ContainerObject[],
  vendors: readonly Vendor[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const roles = containers.map(({ role }) => role);
  for (const resource of vendors.flatMap(countedResources)) {
    const amounts = containers.map((container) => countOf(askedQuantity(container, resource)));
    const total = effectiveAmount(roles, (index) => amounts[index] ?? 0);
    if (total > 0) counts.set(resource, total);
  }
  return counts;
}
