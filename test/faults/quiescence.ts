/**
 * What must hold once nothing goes wrong any more and the cluster has come to rest: nobody waits without a reason, no
 * lock and no reservation is left over, and the server's memory is what a start on the same objects would make of them.
 */
import { parseNode, parsePod } from '../../src/wire/kubernetes.ts';
import { compareCharge, compareSums } from '../../src/state/ledger-audit.ts';
import { isOver, isRunning, refusalOf, type PodState } from '../integration/scenarios/pods.ts';
import type { Server, World } from './world.ts';

/** Everything that was seen to go wrong at any time so far. */
export function faultsOf(world: World): readonly string[] {
  return [...world.judge.faults, ...world.judge.faultsOf(world.agent.book), ...world.breaks];
}

/** Sentences about what is wrong with a cluster at rest. */
export function unrestOf(world: World): readonly string[] {
  return [
    ...world.objects.pods().flatMap(unrestOfPod),
    ...world.servers.flatMap((server) => [...leftOvers(server), ...driftOf(world, server)]),
    ...heldLocks(world),
  ];
}

/** Whether the pod needs nothing more: it runs, is over, or waits and is told why. */
function unrestOfPod(
  pod: PodState & { metadata: { readonly deletionTimestamp?: string } },
): readonly string[] {
  const { name, deletionTimestamp, annotations = {} } = pod.metadata;
  if (deletionTimestamp !== undefined) return [`pod ${name} is being deleted and does not go`];
  if (isOver(pod)) return [];
  if (isRunning(pod)) {
    return annotations['tessera.io/run-seconds'] === undefined ? [] : [`pod ${name} runs and does not end`];
  }
  if (pod.spec.nodeName !== undefined) return [`pod ${name} is bound and does not start`];
  const refusal = refusalOf(pod);
  return refusal?.message === undefined ? [`pod ${name} waits without a reason`] : [];
}

/** Commitments that nobody is working on. */
function leftOvers({ replica: { state }, process }: Server): readonly string[] {
  return [...state.entries()]
    .filter(({ state: stage }) => stage !== 'bound')
    .map(({ name, node, state: stage }) => `${process.name}: pod ${name} is still ${stage} on ${node}`);
}

/** The ledger beside one that is made of the API's objects alone. */
function driftOf(world: World, { replica: { state }, process }: Server): readonly string[] {
  const rebuilt = state.blank();
  for (const object of world.objects.stored('nodes')) rebuilt.applyNode(required(parseNode(object)));
  for (const object of world.objects.stored('pods'))
    rebuilt.applyPod(required(parsePod(object)), world.time.nowMs());
  const uids = new Set([...state.entries(), ...rebuilt.entries()].map(({ podUid }) => podUid));
  const charges = [...uids].flatMap((uid) => {
    const found = compareCharge(uid, { memory: state, rebuilt });
    if (found === undefined) return [];
    const { kind, memory, api } = found;
    const name = state.entry(uid)?.name ?? rebuilt.entry(uid)?.name ?? '';
    return [
      `${process.name}: drift ${kind} of pod ${name} ${uid}: ${JSON.stringify(memory)} beside ${JSON.stringify(api)}`,
    ];
  });
  const sums = world.nodes.flatMap(({ name }) => {
    const own = compareSums(state, name);
    if (own !== undefined)
      return [`${process.name}: the sums of ${name} are not its entries': ${JSON.stringify(own)}`];
    const [held, due] = [state.node(name)?.held, rebuilt.node(name)?.held];
    if (JSON.stringify(held) === JSON.stringify(due)) return [];
    return [`${process.name}: ${name} holds ${JSON.stringify(held)} in place of ${JSON.stringify(due)}`];
  });
  return [...charges, ...sums];
}

/** Locks whose owners still wait for their devices: nobody may take those. */
function heldLocks(world: World): readonly string[] {
  return world.objects.stored('nodes').flatMap(({ metadata: { name, annotations = {} } }) => {
    const lock = annotations['hami.io/mutex.lock'];
    const owner = world.objects
      .pods()
      .find((pod) => lock?.endsWith(`,default,${pod.metadata.name}`) === true);
    const waits =
      owner?.spec.nodeName === name &&
      owner.status?.phase === 'Pending' &&
      owner.metadata.annotations?.['hami.io/bind-phase'] === 'allocating';
    return waits ? [`node ${name} stays locked by ${lock ?? ''}`] : [];
  });
}

function required<T>(result: { ok: true; value: T } | { ok: false; problem: string }): T {
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}
