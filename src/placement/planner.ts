/**
 * The planner: the one pure function that decides. `plan(node view, pod request, policy)` answers with the cards for
 * every container and how well they suit the policy, or with the reason why there are none. It has no I/O, no clock
 * and no chance in it; filter, prioritize, bind, explain and the simulator all call it.
 *
 * Init containers run one after another, so each is placed as if alone beside the sidecars started before it; sidecars
 * and app containers add up. What a pod holds of a card at its worst moment therefore fits, too.
 */
import type { Allocation, Share } from '../model/allocation.ts';
import type { DeviceUsage } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { CardReason, Refusal } from '../model/reason.ts';
import {
  type ContainerRequest,
  type DevicePolicy,
  type DeviceRequest,
  memoryNeedMiB,
  type NodePolicy,
  type PodRequest,
} from '../model/request.ts';
import { type Candidate, cardScore, compareCandidates } from './card-order.ts';
import { refuseCard } from './fit-card.ts';
import { nodeScore } from './node-score.ts';

/** The policies in force where a pod names none. */
export interface PolicyDefaults {
  readonly nodePolicy: NodePolicy;
  readonly devicePolicy: DevicePolicy;
}

export type Plan =
  | {
      readonly ok: true;
      readonly allocation: Allocation;
      /** 0..100, higher is better under the node policy. */
      readonly score: number;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** Plans a pod onto a node. Same inputs, same answer. Throws nothing. */
export function plan(view: NodeView, request: PodRequest, defaults: PolicyDefaults): Plan {
  const devicePolicy = request.devicePolicy ?? defaults.devicePolicy;
  // Usage per device as the containers so far leave it; sidecars stay in it, plain init containers do not.
  const usage: DeviceUsage[] = view.devices.map(({ used }) => used);
  const allocation: (readonly Share[])[] = [];
  for (const container of request.containers) {
    const shares: Share[] = [];
    const before = container.role === 'init' ? [...usage] : undefined;
    for (const wanted of container.devices) {
      const choice = chooseCards({ view, usage, request, container, wanted, devicePolicy });
      if (!choice.ok) return choice;
      for (const { index, device } of choice.cards) {
        const share = {
          vendor: device.vendor,
          deviceId: device.id,
          memoryMiB: memoryNeedMiB(wanted.memory, device),
          corePercent: wanted.corePercent,
        };
        shares.push(share);
        usage[index] = withShare(usage[index], share);
      }
    }
    if (before !== undefined) usage.splice(0, usage.length, ...before);
    allocation.push(shares);
  }
  const refusal = refuseCounts(view, request);
  if (refusal !== undefined) return { ok: false, refusal };
  return { ok: true, allocation, score: nodeScore(view, usage, request.nodePolicy ?? defaults.nodePolicy) };
}

/** The count resource is what kubelet enforces; all pods' counts together must stay within it. */
function refuseCounts(view: NodeView, request: PodRequest): Refusal | undefined {
  for (const [resource, wanted] of request.counts) {
    const free = view.countFree.get(resource) ?? 0;
    if (wanted > free) return { code: 'NodeCountExhausted', resource, wanted, free };
  }
  return undefined;
}

interface CardChoiceInputs {
  readonly view: NodeView;
  readonly usage: readonly DeviceUsage[];
  readonly request: PodRequest;
  readonly container: ContainerRequest;
  readonly wanted: DeviceRequest;
  readonly devicePolicy: DevicePolicy;
}

type CardChoice =
  | { readonly ok: true; readonly cards: readonly Candidate[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** Distinct cards of one vendor for one container, best first. */
function chooseCards(inputs: CardChoiceInputs): CardChoice {
  const { view, usage, request, wanted, devicePolicy } = inputs;
  const question = {
    request: wanted,
    selector: request.selectors.get(wanted.vendor),
    idleOnly: devicePolicy.idleOnly,
  };
  const candidates: Candidate[] = [];
  const refused: Partial<Record<CardReason, number>> = {};
  let cards = 0;
  for (const [index, { device, withheld }] of view.devices.entries()) {
    const used = usage[index];
    if (used === undefined || device.vendor !== wanted.vendor) continue;
    cards += 1;
    const reason = refuseCard(device, used, withheld, question);
    if (reason === undefined) candidates.push({ index, device, score: cardScore(device, used, wanted) });
    else refused[reason] = (refused[reason] ?? 0) + 1;
  }
  if (candidates.length >= wanted.count) {
    candidates.sort(compareCandidates(devicePolicy));
    return { ok: true, cards: candidates.slice(0, wanted.count) };
  }
  return { ok: false, refusal: refusalOf(inputs, { cards, accepted: candidates.length, refused }) };
}

function refusalOf(
  { view, container, wanted }: CardChoiceInputs,
  found: { cards: number; accepted: number; refused: Partial<Record<CardReason, number>> },
): Refusal {
  const { vendor, count } = wanted;
  if (found.cards === 0) {
    const detail = view.unavailable.get(vendor);
    return { code: 'NodeUnregistered', vendor, ...(detail === undefined ? {} : { detail }) };
  }
  if (count > found.cards) {
    return {
      code: 'NodeInsufficientDevice',
      container: container.name,
      vendor,
      wanted: count,
      cards: found.cards,
    };
  }
  return {
    code: 'AllocatedCardsInsufficientRequest',
    container: container.name,
    vendor,
    wanted: count,
    ...found,
  };
}

function withShare(used: DeviceUsage | undefined, share: Share): DeviceUsage {
  return {
    slots: (used?.slots ?? 0) + 1,
    memoryMiB: (used?.memoryMiB ?? 0) + share.memoryMiB,
    corePercent: (used?.corePercent ?? 0) + share.corePercent,
  };
}
