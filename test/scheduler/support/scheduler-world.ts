/**
 * A scheduler with everything around it in the test's hands: the clock, the writer, and the events of nodes and pods.
 * `makeWorld({ nodes: [{ devices: [{}] }] })` has one node `n1` with one card `gpu-0`.
 */
import { setImmediate } from 'node:timers/promises';
import type { PodObject } from '../../../src/model/cluster-objects.ts';
import type { PolicyDefaults } from '../../../src/placement/planner.ts';
import type { Scoring } from '../../../src/placement/scoring.ts';
import type { BindAnswer } from '../../../src/scheduler/bind.ts';
import type { ClusterWriter } from '../../../src/scheduler/cluster-writer.ts';
import type { PodEvent } from '../../../src/scheduler/pod-events.ts';
import type { FilterAnswer } from '../../../src/scheduler/filter.ts';
import { makeScheduler, type Scheduler } from '../../../src/scheduler/scheduler.ts';
import type { DeviceState } from '../../../src/state/device-state.ts';
import type { ExtenderArgs, HostPriorityList } from '../../../src/wire/extender.ts';
import { wireReason } from '../../../src/scheduler/refusal-text.ts';
import {
  gpuPod,
  type GpuPodFields,
  makeState,
  nodeObject,
  type StateFields,
} from '../../state/support/device-states.ts';
import { makeNodeObject, type NodeFields } from '../../support/kubernetes-objects.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ScriptedWriter } from './scripted-writer.ts';
import { parseDevicePolicy } from '../../../src/vendors/policy-annotations.ts';

export const bindBudgetMs = 25_000;
export const binpackBinpack: PolicyDefaults = {
  nodePolicy: 'binpack',
  devicePolicy: parseDevicePolicy('binpack'),
};

export interface WorldFields extends StateFields {
  readonly policies?: PolicyDefaults;
  readonly scoring?: () => Scoring;
  readonly state?: DeviceState;
  readonly deadlineMs?: number;
}

export interface World {
  readonly clock: ManualClock;
  readonly state: DeviceState;
  readonly writer: ScriptedWriter;
  readonly scheduler: Scheduler;
  /** What the owners of pods were told. */
  readonly events: readonly PodEvent[];
  /** Tells the state of a pod, pending or bound, and answers it. */
  pod(fields?: GpuPodFields): PodObject;
  node(fields: NodeFields): void;
  bind(pod: PodObject, node?: string, signal?: AbortSignal): Promise<BindAnswer>;
}

export function makeWorld({
  policies = binpackBinpack,
  deadlineMs = 1000,
  scoring,
  ...fields
}: WorldFields = {}): World {
  const clock = new ManualClock();
  const writer = new ScriptedWriter();
  const state = fields.state ?? makeState(fields);
  const events: PodEvent[] = [];
  const scheduler = schedulerOver({
    state,
    clock,
    writer,
    events,
    policies,
    deadlineMs,
    ...(scoring === undefined ? {} : { scoring }),
  });
  return {
    clock,
    state,
    writer,
    scheduler,
    events,
    pod: (podFields = {}) => {
      const pod = gpuPod(podFields);
      state.applyPod(pod, clock.nowMs());
      return pod;
    },
    node: (nodeFields) => state.applyNode(nodeObject(nodeFields)),
    bind: (pod, node = 'n1', signal = new AbortController().signal) =>
      scheduler.bind(bindingArgs(pod, node), signal),
  };
}

export function schedulerOver(parts: {
  state: DeviceState;
  clock: ManualClock;
  writer: ClusterWriter;
  events?: PodEvent[];
  policies?: PolicyDefaults;
  scoring?: () => Scoring;
  deadlineMs?: number;
  term?: () => string | undefined;
}): Scheduler {
  const { policies = binpackBinpack, deadlineMs = 1000, events = [], term = () => 'term', ...rest } = parts;
  return makeScheduler({
    ...rest,
    term,
    policies,
    events: { emit: (event) => events.push(event) },
    filterDeadlineMs: deadlineMs,
    prioritizeDeadlineMs: deadlineMs,
    bindBudgetMs,
  });
}

/** For filter where no bind ever waits. */
export const neverBusy = { expectedWaitMs: () => 0, mostWaitMs: 0 };

export function bindingArgs({ namespace, name, uid }: PodObject, node: string) {
  return { namespace, name, uid, node };
}

export function byName(pod: PodObject, ...names: readonly string[]): ExtenderArgs {
  return { pod, candidates: { form: 'names', names } };
}

export function byObject(pod: PodObject, ...nodes: readonly NodeFields[]): ExtenderArgs {
  const raw = nodes.map(makeNodeObject);
  return { pod, candidates: { form: 'objects', nodes: nodes.map(nodeObject), raw } };
}

/** `n1, n2` feasible nodes and the reason words of the others, or the error's code. */
export function verdictOf(answer: FilterAnswer): unknown {
  if (answer.kind === 'error') return answer.code;
  const refused = [...answer.refused].map(([node, refusal]) => [node, wireReason(refusal, false)]);
  return { feasible: answer.feasible, refused: Object.fromEntries(refused) as Record<string, string> };
}

export function scoresOf(priorities: HostPriorityList): Record<string, number> {
  return Object.fromEntries(priorities.map(({ Host, Score }) => [Host, Score]));
}

/** Lets every promise that can go on go on. */
export async function flush(): Promise<void> {
  await setImmediate();
}

/** What a promise has come to by now, or `pending`. */
export async function stateOf<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await flush();
  return Promise.race([promise, Promise.resolve('pending' as const)]);
}
