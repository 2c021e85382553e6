/**
 * The answers of filter and prioritize as JSON text, written piece by piece: with thousands of nodes, making an object
 * of them first and having it serialised costs more than deciding about them. The text is what `JSON.stringify` would
 * make of the same answer.
 */
import type { ExtenderFilterResult, HostPriorityList } from './extender.ts';

/** Node names and reasons need no escapes; what might is left to `JSON.stringify`. */
const plain = /^[\w .,:;/()-]*$/;

function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A string with all names; reasons repeat, so each is quoted once. */
function reasonsText(reasons: Iterable<readonly [node: string, reason: string]>): string {
  const quotedReasons = new Map<string, string>();
  let text = '';
  for (const [node, reason] of reasons) {
    let written = quotedReasons.get(reason);
    if (written === undefined) quotedReasons.set(reason, (written = quoted(reason)));
    text += `${text === '' ? '' : ','}${quoted(node)}:${written}`;
  }
  return `{${text}}`;
}

function namesText(names: readonly string[]): string {
  let text = '';
  for (const name of names) text += `${text === '' ? '' : ','}${quoted(name)}`;
  return `[${text}]`;
}

/** An answer whose reasons are pairs of node and text, so that no object with a key per node is made. */
export interface FilterParts extends Omit<
  ExtenderFilterResult,
  'FailedNodes' | 'FailedAndUnresolvableNodes'
> {
  readonly failed: Iterable<readonly [node: string, reason: string]>;
  readonly unresolvable: Iterable<readonly [node: string, reason: string]>;
}

/** An ExtenderFilterResult, its keys in the order of the Go type. */
export function filterResultText({ Nodes, NodeNames, failed, unresolvable, Error }: FilterParts): string {
  return (
    `{"Nodes":${JSON.stringify(Nodes)},"NodeNames":${NodeNames === null ? 'null' : namesText(NodeNames)},` +
    `"FailedNodes":${reasonsText(failed)},"FailedAndUnresolvableNodes":${reasonsText(unresolvable)},` +
    `"Error":${JSON.stringify(Error)}}`
  );
}

export function hostPrioritiesText(priorities: HostPriorityList): string {
  let text = '';
  for (const { Host, Score } of priorities) {
    text += `${text === '' ? '' : ','}{"Host":${quoted(Host)},"Score":${Score}}`;
  }
  return `[${text}]`;
}
