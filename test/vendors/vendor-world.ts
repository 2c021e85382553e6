/**
 * A family on a cluster of its own: nodes as its plugin publishes them, pods through admission, planner and Binding, and
 * back into the state by the annotations that were written. What a table of a family's tests says is what the whole
 * house makes of it.
 */
import { admit } from '../../src/admission/admit.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { plan, type Plan } from '../../src/placement/planner.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { type BindingMetadata, bindingMetadata } from '../../src/scheduler/binding-metadata.ts';
import { DeviceState, type DeviceStateOptions } from '../../src/state/device-state.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { parsePod } from '../../src/wire/kubernetes.ts';
import { applyPatch } from '../admission/apply-patch.ts';
import { makeReview } from '../admission/admission-fixture.ts';
import { makePod, type NodeFields, type PodFields } from '../support/kubernetes-objects.ts';
import { nodeObject } from '../state/support/device-states.ts';

export interface WorldFields {
  readonly vendors: readonly Vendor[];
  readonly nodes?: readonly NodeFields[];
  readonly nodePolicy?: 'binpack' | 'spread';
  /** Of cards; `spread` where left out, as in HAMi. */
  readonly devicePolicy?: string;
  /** Everything is believed where left out. */
  readonly trustOf?: DeviceStateOptions['trustOf'];
}

/** 2023-11-14T22:13:20Z. */
const nowMs = 1_700_000_000_000;

export class VendorWorld {
  readonly state: DeviceState;
  readonly #vendors: readonly Vendor[];
  readonly #policies: ReturnType<typeof policiesFrom>;
  #timeNs = BigInt(nowMs) * 1_000_000n;

  constructor({ vendors, nodes = [], trustOf = () => 'as-written', ...policies }: WorldFields) {
    const { nodePolicy = 'binpack', devicePolicy = 'spread' } = policies;
    this.#vendors = vendors;
    this.#policies = policiesFrom({ nodePolicy, devicePolicy }, vendors);
    this.state = new DeviceState({ vendors, trustOf });
    for (const node of nodes) this.state.applyNode(nodeObject(node));
    this.state.markSynced();
  }

  /** What is wrong with a pod's request, a sentence each. */
  problems(pod: PodFields): readonly string[] {
    return readPodRequest(podOf(pod), this.#vendors).problems.map(({ field, fix }) => `${field} ${fix}`);
  }

  /** The raw pod as admission leaves it, or why it is denied. */
  admit(pod: PodFields): unknown {
    const raw = makePod(pod);
    const answer = admit(makeReview(raw), {
      state: this.state,
      policies: this.#policies,
      schedulerNames: ['tessera-scheduler'],
      forceOverwriteDefaultScheduler: true,
    });
    return answer.allowed ? applyPatch(raw, answer.patch) : answer.message;
  }

  plan(pod: PodFields, node = 'n1'): Plan {
    const view = this.state.view(node);
    if (view === undefined) throw new Error(`there is no node ${node}`);
    return plan(view, readPodRequest(podOf(pod), this.#vendors).request, this.#policies);
  }

  /** Why a node refuses a pod, with the number of cards by reason; `fits` when it does not. */
  refusal(pod: PodFields, node = 'n1'): string {
    const planned = this.plan(pod, node);
    if (planned.ok) return 'fits';
    const { refusal } = planned;
    if (refusal.code !== 'AllocatedCardsInsufficientRequest') return refusal.code;
    const counts = Object.entries(refusal.refused).map(([reason, count]) => `${count} ${reason}`);
    return counts.sort().join(', ');
  }

  /** Ids of the cards that each container would get. */
  cards(pod: PodFields, node = 'n1'): readonly (readonly string[])[] {
    const planned = this.plan(pod, node);
    if (!planned.ok) throw new Error(JSON.stringify(planned.refusal));
    return planned.allocation.map((shares) => shares.map(({ deviceId }) => deviceId));
  }

  /** Plans a pod, writes its Binding and takes the bound pod into the state; what was written is answered. */
  bind(fields: PodFields, node = 'n1'): BindingMetadata['annotations'] {
    const planned = this.plan(fields, node);
    if (!planned.ok) throw new Error(JSON.stringify(planned.refusal));
    const record = this.state.node(node);
    const { annotations } = bindingMetadata({
      pod: podOf(fields),
      allocation: planned.allocation,
      node,
      nowMs,
      vendors: this.#vendors,
      layoutOf: (vendor) => record?.inventory(vendor)?.entries ?? 'all',
      deviceOf: (vendor, id) => record?.device(vendor, id),
      timeNs: (this.#timeNs += 1n),
    });
    const bound = { ...fields, nodeName: node, annotations: { ...fields.annotations, ...annotations } };
    const problems = this.state.applyPod(podOf(bound), nowMs);
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    return annotations;
  }

  /** Takes a pod as it is; answers the annotations that could not be read. */
  take(fields: PodFields): readonly string[] {
    return this.state.applyPod(podOf(fields), nowMs).map(({ annotation }) => annotation);
  }

  /** What is used of each card of a node, as `slots/MiB/compute` by id. */
  used(node = 'n1'): Readonly<Record<string, string>> {
    const devices = this.state.view(node)?.devices ?? [];
    return Object.fromEntries(
      devices.map(({ device, used }) => [device.id, `${used.slots}/${used.memoryMiB}/${used.corePercent}`]),
    );
  }

  /** A node as it is now, e.g. with another annotation. */
  see(node: NodeFields): void {
    this.state.applyNode(nodeObject(node));
  }
}

function podOf(fields: PodFields): PodObject {
  const pod = parsePod(makePod(fields));
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}
