/**
 * The name of one leadership of one process. What a leader commits carries it (spec §9.5 has nothing of the kind), so
 * that the next leader can tell what was written before its time. It is for comparing alone: the id makes it unique,
 * holder and number are there for people who read it on a node.
 */

export interface TermParts {
  /** As the lease has it; of any origin. */
  readonly holder: string;
  /** How often the lease has changed hands. */
  readonly transitions: number;
  /** Never the same twice. */
  readonly id: string;
}

/** Leaves room for number and id in 100 characters. */
const shownHolder = 40;

/** At most 100 characters of ASCII without spaces, for an id of up to 32; equal only for equal ids. */
export function makeTerm({ holder, transitions, id }: TermParts): string {
  const shown = holder.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, shownHolder);
  return `${shown}/${transitions}/${id}`;
}
