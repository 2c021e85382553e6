/** The port through which a bind reaches the cluster; `kubernetes/` writes to an API server, tests and snapshots to memory. */
import type { PodObject } from '../model/cluster-objects.ts';
import type { BindingMetadata } from './binding-metadata.ts';

export interface BindCommand {
  readonly pod: PodObject;
  readonly node: string;
  /** Absent for a pod without devices, which needs no node lock. */
  readonly metadata?: BindingMetadata;
  /** Nothing may be written that begins after this time. */
  readonly deadlineMs: number;
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
