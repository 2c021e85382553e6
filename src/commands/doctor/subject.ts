/** What all findings are made from: the cluster as it was looked at, and the state that a server would make of it. */
import type { TesseraConfig } from '../../config/config.ts';
import { hasLabels } from '../../config/node-label-selector.ts';
import type { Sealer } from '../../kubernetes/seal.ts';
import type { ClusterPicture } from '../../migration/cluster-picture.ts';
import type { NamespacedName, NodeObject } from '../../model/cluster-objects.ts';
import { DeviceState } from '../../state/device-state.ts';
import type { Vendor } from '../../vendors/vendor.ts';
import type { ServerLedger } from './server-ledger.ts';

export interface WebhookLook {
  readonly configuration: string;
  /** `missing`: there is no such configuration. `differs`: the served certificate is of another authority. */
  readonly standing: 'sound' | 'missing' | 'without-authority' | 'differs';
}

/** One look at everything. */
export interface Look {
  readonly picture: ClusterPicture;
  /** Undefined where no server was named. */
  readonly server: ServerLedger | undefined;
  readonly webhooks: readonly WebhookLook[];
  /** What could not be looked at, with the cause, beside what the picture lacks. */
  readonly missing: ReadonlyMap<string, string>;
  readonly nowMs: number;
}

export interface Judges {
  readonly config: TesseraConfig;
  readonly vendors: readonly Vendor[];
  /** Undefined where the key is not known; then allocations are taken as they are written. */
  readonly sealer: Pick<Sealer, 'isSealed'> | undefined;
  /** The lease that says who leads; undefined where there is no election. */
  readonly lease: NamespacedName | undefined;
}

export interface Subject extends Look, Judges {
  /** The state of a server that has just started on this cluster. */
  readonly state: DeviceState;
  /** The nodes that such a server follows. */
  readonly nodes: readonly NodeObject[];
}

export function subjectOf(look: Look, judges: Judges): Subject {
  const { picture, nowMs } = look;
  const { config, vendors, sealer } = judges;
  const state = new DeviceState({
    vendors,
    trustOf: (pod) => (sealer === undefined || sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
  });
  const nodes = picture.nodes.filter(({ labels }) => hasLabels(labels, config.nodeLabelSelector));
  for (const node of nodes) state.applyNode(node);
  for (const { pod } of picture.pods) state.applyPod(pod, nowMs);
  return { ...look, ...judges, state, nodes };
}
