/** The planner as the tables of vectors ask it: one node, one pod, and the answer in one line. */
import type { NamespaceQuota } from '../../src/model/quota.ts';
import { type Plan, plan } from '../../src/placement/planner.ts';
import { wireReason } from '../../src/scheduler/refusal-text.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { a100Profiles } from '../support/mig-devices.ts';
import { makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';

export interface Question {
  readonly cards: readonly CardFields[];
  readonly pod: PodRequestFields;
  readonly policy?: string;
  readonly quota?: NamespaceQuota;
}

function ask({ cards, pod, policy = 'spread', quota }: Question): Plan {
  return plan(makeView({ devices: cards }), makePodRequest(pod), {
    nodePolicy: 'binpack',
    devicePolicy: parseDevicePolicy(policy),
    ...(quota === undefined ? {} : { quota }),
  });
}

/** `id` or `id profile@start` of every share, or the reason with HAMi's counters. */
export function answerTo(question: Question): string {
  const answer = ask(question);
  if (!answer.ok) return wireReason(answer.refusal, true);
  return answer.allocation
    .flat()
    .map(({ deviceId, mig }) => (mig ? `${deviceId} ${mig.profile}@${mig.placement.start}` : deviceId))
    .join(' ');
}

/** An A100 of 40 GB that can be cut in every way. */
export const a100: CardFields = { slots: 7, memoryMiB: 40_960, mode: 'mig', migProfiles: a100Profiles };
/** The selectors of a pod whose containers each want their cards on one NUMA node. */
export const numaBound = { NVIDIA: { numaBound: true } };

export interface Vector extends Question {
  readonly name: string;
  readonly want: string;
}

/** Limits of one namespace on NVIDIA's memory (MiB) and compute (percent). */
export function quotaOf(
  memoryMiB: number | undefined,
  corePercent: number | undefined,
  used = { memoryMiB: 0, corePercent: 0 },
): NamespaceQuota {
  const limit = (resource: string, amount: number, inUse: number) => ({
    resource: `limits.nvidia.com/${resource}`,
    quota: 'team',
    limit: amount,
    used: inUse,
  });
  return new Map([
    [
      'NVIDIA',
      {
        ...(memoryMiB === undefined ? {} : { memory: limit('gpumem', memoryMiB, used.memoryMiB) }),
        ...(corePercent === undefined ? {} : { cores: limit('gpucores', corePercent, used.corePercent) }),
      },
    ],
  ]);
}
