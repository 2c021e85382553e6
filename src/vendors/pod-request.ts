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
import type { RequestProblem, Vendor } from './vendor.ts';

export interface PodReading {
  /** With problems, this holds what such a pod must be reckoned with if it runs all the same: whole cards. */
  readonly request: PodRequest;
  readonly problems: readonly RequestProblem[];
  readonly warnings: readonly string[];
}

/** What the containers alone say of a pod's request: the same for all pods of one template. */
export interface ContainersReading {
  readonly requests: readonly ContainerRequest[];
  /** Effective amount of every vendor's count resource, by resource name; only positive ones. */
  readonly counts: ReadonlyMap<string, number>;
  readonly problems: readonly RequestProblem[];
  readonly warnings: readonly string[];
}

/** Reads what containers ask for. Never throws. */
export function readContainers(
  containers: readonly ContainerObject[],
  vendors: readonly Vendor[],
): ContainersReading {
  const problems: RequestProblem[] = [];
  const warnings: string[] = [];
  const requests = containers.map((container) => {
    const devices: DeviceRequest[] = [];
    for (const vendor of vendors) {
      const reading = vendor.request(container);
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
  return { requests, counts: countsOf(containers, vendors), problems, warnings };
}

/**
 * Reads a pod's request. Never throws.
 *
 * @param read what was read of its containers before, where that is at hand; it becomes part of the answer
 */
export function readPodRequest(
  pod: PodObject,
  vendors: readonly Vendor[],
  read = readContainers(pod.containers, vendors),
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

/** The effective amount of each vendor's count resource, by resource name; only positive ones. */
function countsOf(
  containers: readonly ContainerObject[],
  vendors: readonly Vendor[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const roles = containers.map(({ role }) => role);
  for (const { resources } of vendors) {
    const amounts = containers.map((container) => countOf(askedQuantity(container, resources.count)));
    const total = effectiveAmount(roles, (index) => amounts[index] ?? 0);
    if (total > 0) counts.set(resources.count, total);
  }
  return counts;
}
