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

/** Nodes that are refused for one reason. */
export interface NodesFor {
  readonly reason: string;
  readonly names: readonly string[];
}

function reasonsText(reasons: readonly NodesFor[]): string {
  const texts = reasons
    .filter(({ names }) => names.length > 0)
    .map(({ reason, names }) => `${joined(names, `:${quoted(reason)},`)}:${quoted(reason)}`);
  return `{${texts.join(',')}}`;
}

/** The names in quotes; joined natively, which takes a fraction of what adding piece to piece does. */
function joined(names: readonly string[], between: string): string {
  if (plain.test(names.join(''))) return `"${names.join(`"${between}"`)}"`;
  return names.map(quoted).join(between);
}

function namesText(names: readonly string[]): string {
  return names.length === 0 ? '[]' : `[${joined(names, ',')}]`;
}

/** An answer whose refused nodes are grouped by reason, so that no object with a key per node is made. */
export interface FilterParts extends Omit<
  ExtenderFilterResult,
  'FailedNodes' | 'FailedAndUnresolvableNodes'
> {
  readonly failed: readonly NodesFor[];
  readonly unresolvable: readonly NodesFor[];
}

/** An ExtenderFilterResult, its keys in the order of the Go type. */
export function filterResultText({ Nodes, NodeNames, failed, unresolvable, Error }: FilterParts): string {
  return (
    `{"Nodes":${JSON.stringify(Nodes)},"NodeNames":${NodeNames === null ? 'null' : namesText(NodeNames)},` +
    `"FailedNodes":${reasonsText(failed)},"FailedAndUnresolvableNodes":${reasonsText(unresolvable)},` +
    `"Error":${JSON.stringify(Error)}}`
  );
}

/** By score: what stands between one name and the next. */
const afterHost: string[] = [];

export function hostPrioritiesText(priorities: HostPriorityList): string {
  if (priorities.length === 0) return '[]';
  const hosts = priorities.map(({ Host }) => Host);
  // What more the objects hold is nobody's business.
  if (!plain.test(hosts.join(''))) return JSON.stringify(priorities, ['Host', 'Score']);
  const pieces: string[] = [];
  for (const { Host, Score } of priorities) {
    pieces.push(Host, (afterHost[Score] ??= `","Score":${Score}},{"Host":"`));
  }
  pieces[pieces.length - 1] = `","Score":${priorities.at(-1)?.Score ?? 0}}]`;
  return `[{"Host":"${pieces.join('')}`;
}
