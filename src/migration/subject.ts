/** What all findings are made from: the picture, the configuration it is judged by, and the state it would become. */
import type { TesseraConfig } from '../config/config.ts';
import type { NodeObject, PodObject } from '../model/cluster-objects.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { PodReading } from '../vendors/pod-request.ts';
import type { Vendor } from '../vendors/vendor.ts';
import type { ClusterPicture, PicturedPod } from './cluster-picture.ts';
import type { ObjectReference } from './finding.ts';

/** A pod that has not ended, and what it asks for. */
export interface LivePod extends PicturedPod {
  readonly reading: PodReading;
  /** Whether it asks for a managed resource, in whatever spelling. */
  readonly asks: boolean;
}

export interface Subject {
  readonly picture: ClusterPicture;
  readonly config: TesseraConfig;
  readonly vendors: readonly Vendor[];
  /** The state of a server that has just started on this cluster. */
  readonly state: DeviceState;
  /** The nodes that such a server follows. */
  readonly nodes: readonly NodeObject[];
  readonly livePods: readonly LivePod[];
  readonly nowMs: number;
}

export function nodeReference({ name }: Pick<NodeObject, 'name'>): ObjectReference {
  return { kind: 'Node', name };
}

export function podReference({ namespace, name }: Pick<PodObject, 'namespace' | 'name'>): ObjectReference {
  return { kind: 'Pod', namespace, name };
}
