/**
 * All families together on one node, as a pod meets them: admission, plan with the namespace's quotas, the reservation,
 * the Binding, and the bound pod as the watch brings it. A restart reads the same node and the bound pods into a state
 * that knows nothing.
 */
import { admit, type AdmissionAnswer } from '../../../src/admission/admit.ts';
import type { PodObject } from '../../../src/model/cluster-objects.ts';
import { plan, type Plan, type PolicyDefaults } from '../../../src/placement/planner.ts';
import { policiesFrom } from '../../../src/placement/policy-defaults.ts';
import { bindingMetadata } from '../../../src/scheduler/binding-metadata.ts';
import type { Trust } from '../../../src/state/charge.ts';
import { DeviceState } from '../../../src/state/device-state.ts';
import { type PodReading, readPodRequest } from '../../../src/vendors/pod-request.ts';
import type { Vendor } from '../../../src/vendors/vendor.ts';
import { makeVendors, type VendorsConfig } from '../../../src/vendors/vendors.ts';
import { podFrom } from '../../../src/wire/kubernetes.ts';
import { applyPatch } from '../../admission/apply-patch.ts';
import { makeReview } from '../../admission/admission-fixture.ts';
import { makePod, type NodeFields, type PodFields, type PodJson } from '../../support/kubernetes-objects.ts';
import { nodeObject } from '../../state/support/device-states.ts';
import { defaultVendorsConfig } from '../default-config.ts';
import type { ScenePod } from './arbitrary-pods.ts';

/** Every block as it is by default, but switched on. */
export function everyBlock(): VendorsConfig {
  return Object.fromEntries(
    Object.entries(defaultVendorsConfig()).map(([block, own]) => [block, { ...own, enabled: true }]),
  ) as unknown as VendorsConfig;
}

export const everyVendor: readonly Vendor[] = makeVendors({ vendors: everyBlock() });

export type Policies = Parameters<typeof policiesFrom>[0];

export interface FamiliesFields {
  readonly vendors?: readonly Vendor[];
  readonly policies?: Policies;
  readonly trust?: Trust;
  /** By written amount, of the namespace `default`. */
  readonly quota?: Readonly<Record<string, string>>;
}

const nowMs = 1_700_000_000_000;
export const node = 'n1';

export class FamiliesWorld {
  readonly state: DeviceState;
  readonly vendors: readonly Vendor[];
  readonly #policies: PolicyDefaults;
  #timeNs = BigInt(nowMs) * 1_000_000n;

  constructor(fields: NodeFields, { vendors = everyVendor, policies, trust, quota }: FamiliesFields = {}) {
    this.vendors = vendors;
    this.#policies = policiesFrom(policies ?? { nodePolicy: 'binpack', devicePolicy: 'spread' }, vendors);
    this.state = new DeviceState({ vendors, trustOf: () => trust ?? 'as-written' });
    this.state.applyNode(nodeObject(fields));
    if (quota !== undefined) {
      this.state.applyQuota({ namespace: 'default', name: 'limits', resourceVersion: '1', hard: quota });
    }
    this.state.markSynced();
  }

  review(raw: unknown): AdmissionAnswer {
    return admit(makeReview(raw), {
      state: this.state,
      policies: this.#policies,
      schedulerNames: ['tessera-scheduler'],
      forceOverwriteDefaultScheduler: true,
    });
  }

  /** The pod as admission leaves it; undefined when it is denied. */
  admit(fields: PodFields): PodJson | undefined {
    const raw = makePod(fields);
    const answer = this.review(raw);
    return answer.allowed ? applyPatch(raw, answer.patch) : undefined;
  }

  /** The pod as filter meets it; undefined when it is denied or refused for what it says. */
  come(fields: ScenePod): PodJson | undefined {
    if (!fields.unseen) return this.admit(fields);
    const raw = makePod(fields);
    return this.read(raw).problems.length === 0 ? raw : undefined;
  }

  read(raw: PodJson): PodReading {
    return readPodRequest(podFrom(raw), this.vendors);
  }

  plan(raw: PodJson): Plan {
    const pod = podFrom(raw);
    const view = this.state.view(node);
    if (view === undefined) throw new Error('the node is gone');
    const quota = this.state.quotaOf(pod.namespace);
    return plan(view, this.read(raw).request, { ...this.#policies, quota });
  }

  /** The pod with its Binding, reserved and then seen bound; undefined where it does not fit. Throws on over-commitment. */
  bind(raw: PodJson): PodJson | undefined {
    const planned = this.plan(raw);
    if (!planned.ok) return undefined;
    const { allocation } = planned;
    const pod = podFrom(raw);
    this.state.assume({ pod, request: this.read(raw).request, node, allocation });
    const record = this.state.node(node);
    const { annotations } = bindingMetadata({
      pod,
      allocation,
      node,
      nowMs,
      vendors: this.vendors,
      layoutOf: (vendor) => record?.inventory(vendor)?.entries ?? 'all',
      deviceOf: (vendor, id) => record?.device(vendor, id),
      timeNs: (this.#timeNs += 1n),
    });
    const { metadata, spec } = raw;
    const bound = {
      ...raw,
      metadata: { ...metadata, annotations: { ...metadata?.annotations, ...annotations } },
      spec: { ...spec, nodeName: node },
    };
    this.take(bound);
    return bound;
  }

  /** Admission and bind of pods one after the other; what is denied or does not fit is left out. */
  bindAll(pods: readonly ScenePod[]): readonly PodJson[] {
    return pods.flatMap((fields) => {
      const raw = this.come(fields);
      return (raw === undefined ? undefined : this.bind(raw)) ?? [];
    });
  }

  /** A bound pod as an event brings it. Throws when something of its allocation cannot be read. */
  take(raw: PodJson): void {
    const problems = this.state.applyPod(podFrom(raw), nowMs);
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
  }

  release({ uid }: Pick<PodObject, 'uid'>): void {
    this.state.removePod(uid, nowMs);
  }
}
