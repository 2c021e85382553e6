/**
 * One bind on a node that others want as well, led to a crash point by the faults that lead there, and struck. Three
 * pods ask for more than half of the node's only card, so that a bind that is done twice, or believed to have failed
 * when it has not, over-commits it; two more run before on small shares, so that there is a ledger to lose.
 */
import type { RequestFault } from './request-faults.ts';
import { runSecondsAnnotation } from '../../src/emulator/node-agent/pod-status.ts';
import { machine } from '../integration/scenarios/scenario.ts';
import type { ApiStep, CrashPoint, MemoryStep } from './bind-steps.ts';
import { podManifest } from './pod-mix.ts';
import { everyCardIsFree, failureOf, noFaults, rest } from './scenario.ts';
import { type Server, World } from './world.ts';

export interface CrashScenario {
  readonly point: CrashPoint;
  readonly seed: number;
  readonly replicas: number;
  /** How far the servers' watches of pods are behind, so that who takes over has not seen the last bind. */
  readonly watchLagMs: number;
}

export interface CrashOutcome {
  readonly struck: readonly CrashPoint[];
  /** The phase of the pod whose bind was struck, in the end. */
  readonly subject: string | undefined;
}

type Script = readonly (readonly [step: ApiStep, fault: RequestFault])[];

/** What has to go wrong before so that a bind takes this step at all. */
const ways: Readonly<Record<ApiStep | MemoryStep, Script>> = {
  assume: [],
  'lock-node': [],
  'list-pods-of-node': [],
  'post-binding': [],
  confirm: [],
  answer: [],
  'read-node': [['lock-node', 'conflict-409']],
  'read-pod': [['post-binding', 'reset-after-commit']],
  'fence-pod': [['post-binding', 'reset-before-commit']],
  'release-lock': [['post-binding', 'reset-before-commit']],
  cancel: [['post-binding', 'reset-before-commit']],
};

const large = { count: 1, memoryMiB: 9000 };
const limitMs = 5 * 60_000;

export async function playCrash(
  { point, seed, replicas, watchLagMs }: CrashScenario,
  strike: (world: World, server: Server) => void,
): Promise<CrashOutcome> {
  const world = new World({
    seed,
    nodes: [machine('n1', 1, { memoryMiB: 16_000 })],
    rates: noFaults,
    replicas,
    audits: true,
  });
  const { schedulerName } = world;
  const struck: CrashPoint[] = [];
  try {
    await world.start();
    // Where a node's pods are listed only at the first commit of a term, that bind must be the one.
    if (!point.startsWith('list-pods-of-node')) {
      for (const name of ['small-1', 'small-2']) {
        const amounts = [{ count: 1, memoryMiB: 1000 }];
        await world.await(world.objects.createPod(podManifest(name, { schedulerName, amounts })));
      }
      await world.until('the small pods run', () => world.objects.phaseOf('small-2') === 'Running', limitMs);
    }
    world.watchLagMs = (path) => (path.endsWith('/pods') ? watchLagMs : 0);
    const [step = ''] = point.split('/');
    for (const [scripted, fault] of ways[step as ApiStep | MemoryStep]) world.dice.script(scripted, fault);
    world.armBlow(
      (reached) => reached === point,
      (server, reached) => {
        struck.push(reached);
        strike(world, server);
      },
    );
    await world.await(world.objects.createPod(podManifest('subject', { schedulerName, amounts: [large] })));
    await world.time.runFor(2);
    for (const name of ['rival-1', 'rival-2']) {
      const annotations = { [runSecondsAnnotation]: '5' };
      await world.await(
        world.objects.createPod(podManifest(name, { schedulerName, amounts: [large], annotations })),
      );
    }
    await world.until('the point was reached', () => struck.length > 0, limitMs);
    await world.until('the subject runs', () => world.objects.phaseOf('subject') === 'Running', limitMs);
    await rest(world);
    const subject = world.objects.phaseOf('subject');
    await everyCardIsFree(world);
    return { struck, subject };
  } catch (error) {
    throw failureOf(world, `a blow at ${point}`, seed, error);
  }
}
