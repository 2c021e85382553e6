/**
 * Preempt: on which of the nodes that kube-scheduler considers the pod would fit after evictions, and whose. Its own
 * dry run knows nothing of cards, so a node is left out where no eviction helps, and pods are added where those it has
 * chosen do not suffice. Asking evicts nobody and changes nothing.
 */
import type { Clock } from '../model/clock.ts';
import { asksForDevices } from '../model/request.ts';
import type { NodeVictims, PreemptionArgs } from '../wire/preemption.ts';
import type { FilterErrorCode } from './filter.ts';
import type { Requests } from './requests.ts';
import { rulesFor, type RuleSources } from './rules.ts';
import { completeVictims, fitsWithout, type Preemption } from './victims.ts';

export interface PreemptDeps extends RuleSources {
  readonly requests: Requests;
  readonly clock: Clock;
  /** Milliseconds after which the answer is an error, as for filter. */
  readonly filterDeadlineMs: number;
}

export type PreemptAnswer =
  /** By node; a node that is absent is no candidate. */
  | { readonly kind: 'answered'; readonly victims: ReadonlyMap<string, NodeVictims> }
  | {
      readonly kind: 'error';
      readonly code: Exclude<FilterErrorCode, 'OutsideSample' | 'NodesBusy'>;
      readonly message: string;
    };

const nowhere: ReadonlyMap<string, NodeVictims> = new Map();

export function preempt(args: PreemptionArgs, deps: PreemptDeps): PreemptAnswer {
  const { state, clock } = deps;
  if (!state.synced)
    return { kind: 'error', code: 'NotSynced', message: 'the device state is not complete yet' };

  const { request, problems } = deps.requests.read(args.pod).reading;
  if (problems.length > 0) return { kind: 'answered', victims: nowhere };
  if (!asksForDevices(request)) return { kind: 'answered', victims: args.victims };

  const deadlineMs = clock.nowMs() + deps.filterDeadlineMs;
  const preemption = { state, request, rules: rulesFor(request, deps) };
  if (awaitsItsTurn(preemption, args.nominatedNode)) return { kind: 'answered', victims: nowhere };
  const victims = new Map<string, NodeVictims>();
  for (const [node, given] of args.victims) {
    if (clock.nowMs() > deadlineMs) {
      const message = `no answer within ${deps.filterDeadlineMs} ms (${args.victims.size} nodes asked about)`;
      return { kind: 'error', code: 'DeadlineExceeded', message };
    }
    const podUids = completeVictims(preemption, node, given.podUids);
    // Without victims the pod fits as it is, and the next filter says so. To kube-scheduler a node of which that is
    // answered is an error, which ends the attempt for all the others, too.
    if (podUids !== undefined && podUids.length > 0) victims.set(node, { ...given, podUids });
  }
  return { kind: 'answered', victims };
}

/**
 * True when pods were evicted for this one and what drains of them is all it waits for. kube-scheduler sees that their
 * objects are gone, and would evict others elsewhere.
 */
function awaitsItsTurn(preemption: Preemption, nominatedNode: string | undefined): boolean {
  if (nominatedNode === undefined) return false;
  const draining = preemption.state.entriesOf(nominatedNode).filter(({ state }) => state === 'draining');
  return draining.length > 0 && fitsWithout(preemption, nominatedNode, draining);
}
