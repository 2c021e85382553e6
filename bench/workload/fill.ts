/**
 * Fills machines with running pods, as if they had been scheduled: the planner chooses the cards, and annotations and
 * seal are those of a real Binding. Which pod comes to which machine is drawn from the seed.
 */
import type { ApiObject } from '../../src/emulator/api/api-object.ts';

import type { Sealer } from '../../src/kubernetes/seal.ts';
import type { Allocation } from '../../src/model/allocation.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { plan, type PolicyDefaults } from '../../src/placement/planner.ts';
import { bindingMetadata } from '../../src/scheduler/binding-metadata.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { sealAnnotation } from '../../src/vendors/pod-annotations.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { parsePod } from '../../src/wire/kubernetes.ts';
import { required } from '../required.ts';
import { anyOf } from './any-of.ts';
import { drawPod } from './pod-mix.ts';
import { pendingPod, runningPod } from './pod-object.ts';

export interface FillOptions {
  /** Knows the machines; takes the pods. */
  readonly state: DeviceState;
  readonly sealer: Sealer;
  readonly policies: PolicyDefaults;
  readonly random: () => number;
  /** Either so much of all memory, 0 to 1, or so many pods. */
  readonly until: { readonly fill: number } | { readonly pods: number };
}

export interface Filling {
  readonly pods: readonly ApiObject[];
  /** How much of the memory of all cards they hold, 0 to 1. */
  readonly fill: number;
}

const triesPerPod = 20;
/** Pods in a row that fit nowhere, after which the machines count as full. */
const mostFailures = 2000;
const filledMs = Date.UTC(2026, 0, 1);

/** Throws when the machines are full before it is done. */
export function fillMachines(options: FillOptions): Filling {
  const { state, random, until } = options;
  const nodes = [...state.nodeNames()];
  const capacityMiB = nodes.reduce((sum, name) => sum + (state.view(name)?.capacity.memoryMiB ?? 0), 0);
  const pods: ApiObject[] = [];
  let heldMiB = 0;
  let failures = 0;
  const isDone = () => ('pods' in until ? pods.length >= until.pods : heldMiB >= until.fill * capacityMiB);
  for (let number = 1; !isDone(); number += 1) {
    const placed = placeSomewhere(pendingPod({ number, wish: drawPod(random) }), nodes, options);
    if (placed !== undefined) {
      pods.push(placed.pod);
      heldMiB += memoryOf(placed.allocation);
      failures = 0;
    } else if ((failures += 1) > mostFailures) {
      throw new RangeError(`the machines are full with ${pods.length} pods`);
    }
  }
  return { pods, fill: capacityMiB === 0 ? 0 : heldMiB / capacityMiB };
}

function placeSomewhere(
  pending: ApiObject,
  nodes: readonly string[],
  { state, sealer, policies, random }: FillOptions,
): { readonly pod: ApiObject; readonly allocation: Allocation } | undefined {
  const read = podOf(pending);
  const { request } = readPodRequest(read, state.vendors);
  for (let attempt = 0; attempt < triesPerPod; attempt += 1) {
    const node = anyOf(nodes, random);
    const view = state.view(node);
    const verdict = view === undefined ? undefined : plan(view, request, policies);
    if (verdict?.ok !== true) continue;
    const { allocation } = verdict;
    const { annotations, labels } = bindingMetadata({
      pod: read,
      allocation,
      node,
      nowMs: filledMs,
      vendors: state.vendors,
      layoutOf: (vendor) => state.node(node)?.inventory(vendor)?.entries ?? 'all',
    });
    const seal = sealer.seal(read.uid, node, annotations);
    const pod = runningPod(pending, {
      node,
      labels,
      annotations: { ...annotations, [sealAnnotation]: seal },
    });
    state.applyPod(podOf(pod), filledMs);
    return { pod, allocation };
  }
  return undefined;
}

/** A pod of our own making. */
export function podOf(object: ApiObject): PodObject {
  return required(parsePod(object));
}

function memoryOf(allocation: Allocation): number {
  return allocation.flat().reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
}
