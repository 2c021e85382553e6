/**
 * Why a pod does not fit: a closed list of codes with the numbers behind them. Text is made at the edge
 * (`scheduler/refusal-text.ts`); every code has a paragraph in `docs/reasons.md`, and a test compares the two lists.
 */
import type { VendorKey } from './device.ts';
import type { QuotaLimit } from './quota.ts';

/** Why one card is refused. Spellings are HAMi's where HAMi has the reason (spec §5.9). */
export const cardReasons = [
  'CardNotHealth',
  'CardCordoned',
  'CardTypeMismatch',
  'CardUuidMismatch',
  'CardWithheld',
  'CardAppClassMismatch',
  'CardQosPolicyMismatch',
  'ModeNotFit',
  'CardTimeSlicingExhausted',
  'ExclusiveDeviceAllocateConflict',
  'ResourceQuotaNotFit',
  'CardInsufficientMemory',
  'CardInsufficientCore',
  'CardComputeUnitsExhausted',
  'CardMigTopologyInfeasible',
  'NumaNotFit',
  'CardTopologyMismatch',
] as const;
export type CardReason = (typeof cardReasons)[number];

/** Why a whole node, or the request itself, is refused. */
export const nodeReasons = [
  'NodeUnregistered',
  'NodeInsufficientDevice',
  'NodeCountExhausted',
  'AllocatedCardsInsufficientRequest',
  'NodeClosed',
  'NodeBusy',
  'RequestInvalid',
] as const;
export type NodeReason = (typeof nodeReasons)[number];

export type ReasonCode = CardReason | NodeReason;
export const reasonCodes: readonly ReasonCode[] = [...cardReasons, ...nodeReasons];

export type Refusal =
  /** The cache holds no devices of the vendor on this node; `detail` says why when it is known. */
  | { readonly code: 'NodeUnregistered'; readonly vendor?: VendorKey; readonly detail?: string }
  /** The container asks for more distinct cards than the node has. */
  | {
      readonly code: 'NodeInsufficientDevice';
      readonly container: string;
      readonly vendor: VendorKey;
      readonly wanted: number;
      readonly cards: number;
    }
  /** The node's count resource is used up, whatever the cards say. */
  | {
      readonly code: 'NodeCountExhausted';
      readonly resource: string;
      readonly wanted: number;
      readonly free: number;
    }
  /** Too few cards passed: how many did, and why each of the others did not. */
  | {
      readonly code: 'AllocatedCardsInsufficientRequest';
      readonly container: string;
      readonly vendor: VendorKey;
      readonly wanted: number;
      readonly accepted: number;
      readonly cards: number;
      readonly refused: Readonly<Partial<Record<CardReason, number>>>;
      /** With `ResourceQuotaNotFit`: the limit that did not allow it. */
      readonly quota?: QuotaLimit;
    }
  /** The pod fits, but devices meant for it could go to `pod`, which was bound past us and waits for some. */
  | { readonly code: 'NodeClosed'; readonly pod: string }
  /** The pod fits, but more binds wait for the node's device plugin than it serves in the time a bind may take. */
  | { readonly code: 'NodeBusy'; readonly expectedWaitMs: number }
  /** The request cannot be understood, on this or any node. */
  | { readonly code: 'RequestInvalid'; readonly problems: readonly string[] };
