/**
 * Mends what the audit found in memory, through the same doors by which events come in. Where a pod's own annotations
 * are what is wrong, memory stays as it is: for a bound pod the allocation never changes, and the caller has to write it
 * back.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import type { DeviceState } from './device-state.ts';
import type { ChargeDriftKind, ComparedCharge } from './ledger-audit.ts';

export interface FoundCharge {
  readonly kind: ChargeDriftKind;
  readonly podUid: string;
  readonly memory: ComparedCharge['memory'];
  readonly api: ComparedCharge['api'];
  /** As the API server has it now; undefined when it is gone. */
  readonly pod: PodObject | undefined;
  /** Whether the pod carries an allocation under an intact seal. */
  readonly sealed: boolean;
}

/** `write-back`: memory is right and the pod is not. */
export type RepairKind = 'memory' | 'write-back';

/**
 * Which side a difference is mended on. Only what memory believed once may be written back; a readable allocation under
 * an intact seal proves more than memory does.
 */
export function repairOf(found: Omit<FoundCharge, 'podUid' | 'pod'>): RepairKind {
  const { kind, memory, api, sealed } = found;
  if (kind !== 'altered' || memory?.believed !== true) return 'memory';
  return sealed && api?.believed === true ? 'memory' : 'write-back';
}

/** Brings memory in line with the pod; to be called in the step that found the difference. */
export function repairMemory(state: DeviceState, { kind, podUid, pod }: FoundCharge, nowMs: number): void {
  if (pod === undefined) {
    // What was last seen running stays charged for its grace period.
    state.removePod(podUid, nowMs);
    return;
  }
  // What ends on its own, and what is taken from the pod anew, leaves first.
  if (kind === 'leaked' || kind === 'altered') state.discharge(podUid);
  state.applyPod(pod, nowMs);
}
