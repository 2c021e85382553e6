/**
 * The picture of each candidate of an extender call: from the cache by name; for node objects that the cache does not
 * know (an autoscaler asking about a node that may come to be), from the object's own annotations, with nothing used.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import { asPossible, type NodeView } from '../model/node-view.ts';
import { DeviceState } from '../state/device-state.ts';
import type { LookAtNode } from '../state/node-table.ts';
import type { CandidateNodes } from '../wire/extender.ts';

export function candidateNames(candidates: CandidateNodes): readonly string[] {
  return candidates.form === 'names' ? candidates.names : candidates.nodes.map(({ name }) => name);
}

/**
 * Looks at one candidate after the other while `look` says so; answers whether it came to the last.
 *
 * @param inOrder whether they are as the caller walks the cluster, and not what a filter has left of them
 */
export function eachCandidate(
  candidates: CandidateNodes,
  { state, inOrder }: { readonly state: DeviceState; readonly inOrder: boolean },
  look: LookAtNode,
): boolean {
  if (candidates.form === 'names') return state.eachView({ names: candidates.names, inOrder }, look);
  return candidates.nodes.every((node) =>
    look(node.name, state.view(node.name) ?? emptyNodeView(node, state)),
  );
}

function emptyNodeView(node: NodeObject, state: DeviceState): NodeView | undefined {
  const alone = new DeviceState({ vendors: state.vendors, trustOf: () => 'at-least-request' });
  alone.applyNode(node);
  const view = alone.view(node.name);
  return view === undefined ? undefined : asPossible(view);
}
