/**
 * What every family of accelerators has to get through on real Kubernetes, whatever its words are: pods of several sizes
 * side by side, one that fits nowhere, one whose plugin fails, then as many at once as a node can take, one too many, and
 * its turn when a place is free. Every pod goes the whole way: webhook, filter, bind, the plugin.
 */
import { expect } from '@jest/globals';
import type { NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import type { AcceleratorDescription } from '../../../src/emulator/node-agent/plugins/accelerators.ts';
import { podManifest, type PodState, refusalOf } from '../../integration/scenarios/pods.ts';
import type { ScenarioCluster } from '../../integration/scenarios/scenario-cluster.ts';
import type { ExtenderTap } from './extender-tap.ts';
import type { RealScenario } from './stage.ts';

export type Texts = Readonly<Record<string, string>>;

export interface FamilyPod {
  /** Of each container. */
  readonly limits: readonly Texts[];
  readonly annotations?: Texts;
}

export interface Refused extends FamilyPod {
  /** In what kube-scheduler says of it. */
  readonly wantWords: string;
}

export interface FamilyDay {
  readonly name: string;
  /** At least two that will do for every pod. */
  readonly nodes: readonly NodeDescription[];
  /** Live side by side. */
  readonly pods: readonly (FamilyPod & {
    readonly name: string;
    /** When it runs; a value, or a pattern of it. */
    readonly wantAnnotations: Readonly<Record<string, string | RegExp>>;
    /** Of the containers, what the webhook has put into them. */
    readonly wantLimits?: readonly Texts[];
  })[];
  /** Fits nowhere beside them. */
  readonly misfit: Refused;
  /** So many at once fill a node, so that one more waits. */
  readonly burst: FamilyPod & {
    readonly node: string;
    readonly count: number;
    /** Looks at what the pods of the burst were given. */
    readonly check?: (annotations: readonly Texts[]) => void;
    readonly next: Refused;
  };
}

const burstWaitMs = 30_000;

/** The day as a scenario; what kube-scheduler asks goes through the tap. */
export function familyScenario(day: FamilyDay, tap: ExtenderTap): RealScenario {
  return {
    name: day.name,
    nodes: day.nodes,
    play: async ({ cluster, agent }) => {
      const firstCall = tap.calls.length;
      const others = await shareCards(cluster, day);
      await cluster.clear();
      agent.setNextBehaviour(day.burst.node, 'fail');
      const burst = await fillNode(cluster, day);
      await cluster.clear();
      const calls = tap.calls.slice(firstCall);
      for (const name of [...others, ...burst]) {
        const verbs = calls.filter(({ pod }) => pod === name).map(({ verb }) => verb);
        expect({ name, verbs }).toEqual({ name, verbs: expect.arrayContaining(['filter', 'bind']) });
      }
      // Of pods with one node to choose from nobody asks.
      expect(calls.map(({ verb }) => verb)).toContain('prioritize');
    },
  };
}

/** Answers the names of the pods that ran. */
async function shareCards(cluster: ScenarioCluster, { pods, misfit }: FamilyDay): Promise<readonly string[]> {
  await cluster.create(...pods.map((pod) => manifestOf(pod.name, pod)));
  for (const { name, limits, wantAnnotations, wantLimits = limits.map(() => ({})) } of pods) {
    const pod = await cluster.running(name);
    const annotations = Object.entries(wantAnnotations).map(([key, want]): [string, unknown] => [
      key,
      typeof want === 'string' ? want : expect.stringMatching(want),
    ]);
    expect(pod).toMatchObject({
      metadata: { name, annotations: Object.fromEntries(annotations) },
      spec: {
        schedulerName: 'tessera-scheduler',
        containers: wantLimits.map((own) =>
          Object.keys(own).length === 0 ? {} : { resources: { limits: own } },
        ),
      },
    });
  }
  await cluster.create(manifestOf('misfit', misfit));
  await untilRefused(cluster, 'misfit', misfit.wantWords);
  return pods.map(({ name }) => name);
}

/** Answers the names of the pods that ran. Before them, the plugin fails one, which keeps nothing from them. */
async function fillNode(cluster: ScenarioCluster, { burst }: FamilyDay): Promise<readonly string[]> {
  const { node, count, next, check } = burst;
  const names = Array.from({ length: count }, (_, index) => `burst-${index}`);
  const spec = { nodeSelector: { 'kubernetes.io/hostname': node } };
  await cluster.create(manifestOf('failing', burst, spec));
  await cluster.waitForPod('failing', 'has failed', ({ status }) => status?.phase === 'Failed');
  await cluster.create(...names.map((name) => manifestOf(name, burst, spec)));
  const running: PodState[] = [];
  for (const name of names) running.push(await cluster.running(name, burstWaitMs));
  check?.(running.map(({ metadata }) => metadata.annotations ?? {}));

  await cluster.create(manifestOf('next', next, spec));
  await untilRefused(cluster, 'next', next.wantWords);
  await cluster.delete(names[0] ?? '');
  await cluster.running('next');
  return [...names, 'next'];
}

async function untilRefused(cluster: ScenarioCluster, name: string, words: string): Promise<void> {
  await cluster.waitForPod(name, `is refused over ${words}`, (pod) => {
    const { reason, message = '' } = refusalOf(pod) ?? {};
    return reason === 'Unschedulable' && message.includes(words);
  });
  await cluster.untilEvent(name, 'FailedScheduling', words);
}

/** For `kubectl create`; `spec` has further fields. */
export function manifestOf(name: string, { limits, annotations = {} }: FamilyPod, spec: object = {}): object {
  const containers = limits.map((own, index) => ({
    name: `c${index}`,
    image: 'registry.invalid/pause:1',
    resources: { limits: own },
  }));
  return podManifest(name, { annotations, spec: { ...spec, containers } });
}

/** Machines of this name with like cards. */
export const machines = (name: string, accelerator: AcceleratorDescription, count = 2) =>
  Array.from({ length: count }, (_, index) => ({
    name: `${name}-${index + 1}`,
    cpu: '64',
    memory: '512Gi',
    gpus: [],
    accelerators: [accelerator],
  }));

/** An allocation, of each container how many cards with which word and amounts. */
export function allocation(...containers: readonly (readonly [cards: number, share: string] | [])[]): RegExp {
  const entries = containers.map(([cards = 0, share = '']) => `(?:[^,:;]+,${share}:){${cards}};`);
  return new RegExp(`^${entries.join('')}$`);
}

/** On every pod whose plugin says when it is done. */
export const served = {
  'hami.io/bind-phase': 'success',
  'hami.io/vgpu-node': /./,
  'tessera.io/seal': /^v1\./,
};
