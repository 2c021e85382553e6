/**
 * A policy as the simulator compares it: rules for the planner that every policy shares with the scheduler, and how the
 * best of the feasible nodes is found. Published policies that no cluster runs live beside this file; those of the
 * product are made from the same parts as in the server.
 */
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import type { PlanRules, PolicyDefaults } from '../placement/planner.ts';
import type { WeightedRequest } from './simulated-pod.ts';

export const policyNames = [
  'fragmentation',
  'binpack',
  'spread',
  'fgd',
  'bestfit',
  'dotprod',
  'gpupacking',
  'gpuclustering',
  'random',
] as const;

export type PolicyName = (typeof policyNames)[number];

/** 0 inclusive to 1 exclusive; from a seed, so that a run can be repeated. */
export type Random = () => number;

/** What a policy may know before the first pod comes. */
export interface PolicyContext {
  /** The cluster at the start. */
  readonly views: readonly NodeView[];
  /** The workload that is expected: that of the run, or one given beside it. */
  readonly mix: readonly WeightedRequest[];
  /** What is in force in the cluster, to be changed in part. */
  readonly defaults: PolicyDefaults;
  readonly random: Random;
}

export interface SimulatedPolicy {
  readonly name: PolicyName;
  /** Of a policy that learns they may be others after `learn`; what was judged by others holds no more. */
  readonly rules: PlanRules;
  /** Which of the feasible nodes is taken: that of the highest score, or any, drawn by chance. */
  readonly choice: 'highest' | 'any';
  /** Of a policy that looks at which pods are on a node: to be told by the cluster in which it places them. */
  readonly observer?: PodObserver;
  /** Of a policy that learns what pods ask for: told of every pod as it comes, before it is placed. */
  readonly learn?: (request: PodRequest) => void;
}

/** Hears of pods as they come to a node and leave it, before the node's next picture is judged. */
export interface PodObserver {
  placed(node: NodeView, request: PodRequest): void;
  left(node: NodeView, request: PodRequest): void;
  /** What the policy knows of a node beside its picture: equal for nodes that this does not tell apart. */
  describe(node: NodeView): string;
}

export type MakePolicy = (context: PolicyContext) => SimulatedPolicy;
