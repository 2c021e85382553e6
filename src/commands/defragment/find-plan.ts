/** From the flags of `tessera defragment` to a plan: the cluster, the pod for which room is wanted, and who may move. */
import { podName } from '../../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { allowsDefragmentation, planDefragmentation } from '../../simulator/defragment.ts';
import { readSimulatedPods, type SimulatedPod } from '../../simulator/simulated-pod.ts';
import { lookAtCluster, type LookedAtCluster, type LookFlags } from '../looked-at-cluster.ts';
import type { PlanReport } from './plan-text.ts';
import { belongsToItsNode, controllerKinds } from './pod-owners.ts';
import { targetPod, type TargetFlags } from './target-pod.ts';

export interface DefragmentWish extends LookFlags, TargetFlags {
  readonly mostMoves: number;
}

/** Ten seconds or so. */
const mostTries = 400_000;

/** Refuses what cannot be read or reached, and flags that name no pod or two. Never throws for that. */
export async function findPlan(flags: DefragmentWish): Promise<Parsed<PlanReport>> {
  if ((flags.pod === undefined) === (flags.cards === undefined)) {
    return unparsable('give either --pod or --cards, to say for whom there should be room');
  }
  const looked = await lookAtCluster(flags);
  if (!looked.ok) return looked;
  const pod = targetPod(flags, looked.value.vendors);
  if (!pod.ok) return pod;
  const [target] = readSimulatedPods([pod.value], looked.value.vendors);
  if (target === undefined) throw new Error('one pod was read as none');
  return parsed(planOn(looked.value, target, flags.mostMoves));
}

function planOn(
  { state, policies, fragmentation, pods, objects }: LookedAtCluster,
  target: SimulatedPod,
  mostMoves: number,
): PlanReport {
  const controllers = controllerKinds(objects);
  const byUid = new Map(pods.map((pod) => [pod.uid, pod]));
  const plan = planDefragmentation({
    state,
    target,
    policies: { ...policies, scoring: fragmentation.scoring },
    quota: state.quotaOf(target.request.namespace),
    mayMove: ({ podUid }) => {
      const pod = byUid.get(podUid);
      return (
        pod !== undefined &&
        !pod.deleting &&
        allowsDefragmentation(pod) &&
        !belongsToItsNode(controllers.get(podUid))
      );
    },
    mostMoves,
    mostTries,
  });
  const moved = plan.kind === 'moves' ? plan.moves : [];
  return {
    pod: target.request,
    plan,
    withoutController: moved.filter(({ podUid }) => !controllers.has(podUid)).map(podName),
  };
}
