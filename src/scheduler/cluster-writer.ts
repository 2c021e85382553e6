/** The port through which a bind reaches the cluster; `kubernetes/` writes to an API server, tests and snapshots to memory. */
import type { PodObject } from '../model/cluster-objects.ts';
import type { NodeLockProtocol } from '../vendors/node-lock.ts';
import type { BindingMetadata } from './binding-metadata.ts';

export interface BindCommand {
  readonly pod: PodObject;
  readonly node: string;
  /** Absent for a pod without devices, which competes with nobody. */
  readonly devices?: DeviceBind;
  /** Nothing may be written that begins after this time. */
  readonly deadlineMs: number;
}

export interface DeviceBind {
  /** Names the leadership in which this is done, for whoever leads next. */
  readonly term: string;
  /** By which node locks the device plugins know whom they are to serve; none for families that take none. */
  readonly locks: readonly NodeLockProtocol[];
  /**
   * Asked once, when the node is ours and right before the write. Undefined: the pod has no place there any more.
   *
   * @param othersCame pods may have come to the ledger that somebody else had bound to the node
   */
  readonly metadata: (othersCame: boolean) => BindingMetadata | undefined;
}

export type BindOutcome =
  /** The pod is bound to the node with this metadata. */
  | { readonly kind: 'bound' }
  /** The pod is not bound by this command, and nothing of it is left behind. */
  | { readonly kind: 'rejected'; readonly message: string }
  /** Nobody knows yet; `settled` tells once the pod could be read. The allocation stays charged until then. */
  | {
      readonly kind: 'unknown';
      readonly message: string;
      readonly settled: Promise<'bound' | 'rejected'>;
    };

export interface ClusterWriter {
  /** Never rejects. `signal` is aborted when the caller has gone; a write that has begun is carried to its end. */
  bind(command: BindCommand, signal: AbortSignal): Promise<BindOutcome>;
}
