/**
 * The picture of each candidate of an extender call: from the cache by name; for node objects that the cache does not
 * know (an autoscaler asking about a node that may come to be), from the object's own annotations, with nothing used.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import type { NodeView } from '../model/node-view.ts';
import { DeviceState } from '../state/device-state.ts';
import type { CandidateNodes } from '../wire/extender.ts';

export interface Candidate {
  readonly name: string;
  /** Undefined when nothing is known of the node. */
  readonly view: NodeView | undefined;
}

export function candidateNames(candidates: CandidateNodes): readonly string[] {
  return candidates.form === 'names' ? candidates.names : candidates.nodes.map(({ name }) => name);
}

export function* candidateViews(candidates: CandidateNodes, state: DeviceState): Iterable<Candidate> {
  if (candidates.form === 'names') {
    for (const name of candidates.names) yield { name, view: state.view(name) };
    return;
  }
  for (const node of candidates.nodes) {
    yield { name: node.name, view: state.view(node.name) ?? emptyNodeView(node, state) };
  }
}

function emptyNodeView(node: NodeObject, state: DeviceState): NodeView | undefined {
  const alone = new DeviceState({ vendors: state.vendors, trustOf: () => 'at-least-request' });
  alone.applyNode(node);
  return alone.view(node.name);
}
