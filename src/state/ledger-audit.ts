/**
 * The ledger audit's judgement: what memory charges a pod beside what a start on the same objects would charge, and what
 * the ledger's sums say beside its entries. A difference has a kind and both sides. What is different for a good reason
 * is none: binds under way, and charges that outlive their pods for a while. Nothing is fetched and nothing is changed
 * here; whether a difference is one of minutes or of milliseconds is for the caller, who can look again.
 */
import { type Allocation, isSameShare, type Share } from '../model/allocation.ts';
import { compareText } from '../model/device.ts';
import type { DeviceState } from './device-state.ts';
import { type HostAmounts, isSameHost } from '../model/host-amounts.ts';
import type { LedgerEntry, LedgerState } from './ledger-entry.ts';
import { type NodeLoad, NodeSums, type SumsPicture } from './node-sums.ts';

/**
 * - `leaked`: charged in memory, and the pod is gone, over or not bound
 * - `missing`: bound and alive, and not charged in memory
 * - `misplaced`: charged on another node than the one it is bound to
 * - `altered`: the allocation on the pod is not the one that was written, or its seal is broken
 * - `stale`: the same allocation at another stage of the pod: what runs, what has ended, what the host gives it
 */
export const chargeDriftKinds = ['leaked', 'missing', 'misplaced', 'altered', 'stale'] as const;
export type ChargeDriftKind = (typeof chargeDriftKinds)[number];

/** `sums`: what is summed up on a node is not what its entries weigh. */
export const driftKinds = [...chargeDriftKinds, 'sums'] as const;
export type DriftKind = (typeof driftKinds)[number];

/** What one side says of a pod's charge. */
export interface ChargeSide {
  readonly node: string;
  readonly state: LedgerState;
  readonly allocation: Allocation;
  /** Whether devices are charged as written; else by the larger of annotation and own request, or there are none. */
  readonly believed: boolean;
  /** Left out where it is not known; then it is not compared. */
  readonly stage?: ChargeStage;
}

/** How far a pod is, as far as it matters to what it holds now and to what will be held when it goes. */
export interface ChargeStage {
  readonly initFinished: boolean;
  readonly running: boolean;
  readonly gracePeriodSeconds: number;
  readonly host: HostAmounts;
}

export interface ComparedCharge {
  readonly memory: ChargeSide | undefined;
  /** What a start would charge; undefined when nothing. */
  readonly api: ChargeSide | undefined;
  /** Whether the API server has the pod at all. */
  readonly exists: boolean;
}

export function sideOf(entry: LedgerEntry): ChargeSide {
  const { node, state, allocation, request, derivedFrom } = entry;
  const { initFinished, running, gracePeriodSeconds, host } = entry;
  return {
    node,
    state,
    allocation,
    believed: request.counts.size > 0 && derivedFrom === undefined,
    stage: { initFinished, running, gracePeriodSeconds, host },
  };
}

/** The kind of a difference, or undefined when there is none that matters. */
export function driftOf({ memory, api, exists }: ComparedCharge): ChargeDriftKind | undefined {
  if (memory === undefined) {
    // What has ended and seems to run may have drained in memory already.
    return api === undefined || api.state === 'draining' ? undefined : 'missing';
  }
  if (memory.state === 'draining') return undefined;
  if (memory.state === 'assumed') {
    if (api !== undefined && api.node !== memory.node) return 'misplaced';
    return exists ? undefined : 'leaked';
  }
  if (api === undefined) return 'leaked';
  if (api.node !== memory.node) return 'misplaced';
  if (isAltered(memory, api)) return 'altered';
  return isStale(memory, api) ? 'stale' : undefined;
}

/** What others wrote is never believed; which of its values is charged is the charging rule's business. */
function isAltered(memory: ChargeSide, api: ChargeSide): boolean {
  if (memory.believed !== api.believed) return true;
  return memory.believed && !haveSameShares(memory.allocation, api.allocation);
}

function isStale(memory: ChargeSide, api: ChargeSide): boolean {
  if (memory.state !== api.state) return true;
  const [a, b] = [memory.stage, api.stage];
  if (a === undefined || b === undefined) return false;
  return (
    a.initFinished !== b.initFinished ||
    a.running !== b.running ||
    a.gracePeriodSeconds !== b.gracePeriodSeconds ||
    !isSameHost(a.host, b.host)
  );
}

/** Container by container; the order of vendors within one is nobody's decision. */
function haveSameShares(a: Allocation, b: Allocation): boolean {
  return (
    a.length === b.length &&
    a.every((shares, index) => {
      const [own, others] = [byVendor(shares), byVendor(b[index] ?? [])];
      return own.length === others.length && own.every((share, place) => isSameShare(share, others[place]));
    })
  );
}

function byVendor(shares: readonly Share[]): readonly Share[] {
  return shares.toSorted((a, b) => compareText(a.vendor, b.vendor));
}

/** Compares a pod's charge in memory with that in a state that was made of the objects alone. */
export function compareCharge(
  podUid: string,
  { memory, rebuilt }: { readonly memory: DeviceState; readonly rebuilt: DeviceState },
): (ComparedCharge & { readonly kind: ChargeDriftKind }) | undefined {
  const [held, due] = [memory.entry(podUid), rebuilt.entry(podUid)];
  const compared = {
    memory: held === undefined ? undefined : sideOf(held),
    api: due === undefined ? undefined : sideOf(due),
    exists: rebuilt.versionOf(podUid) !== undefined,
  };
  const kind = driftOf(compared);
  return kind === undefined ? undefined : { kind, ...compared };
}

/** Sums that do not equal their entries. */
export interface SumsDrift {
  /** What the node's sums say. */
  readonly held: SumsPicture;
  /** What its entries weigh together. */
  readonly counted: SumsPicture;
}

/** Compares what is summed up on a node with its entries; undefined when they agree or the node is not known. */
export function compareSums(state: DeviceState, node: string): SumsDrift | undefined {
  const held = state.node(node)?.held;
  if (held === undefined) return undefined;
  const loads: readonly NodeLoad[] = state.entriesOf(node).map(({ load }) => load);
  const counted = NodeSums.of(loads).picture();
  return JSON.stringify(held) === JSON.stringify(counted) ? undefined : { held, counted };
}
