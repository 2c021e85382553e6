/**
 * Node selectors and node affinity by labels. A term with an operator or a part that is not known here matches no
 * node: a pod kept waiting is told, a pod on a wrong node is not.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import { listAt, textAt } from '../api/json.ts';

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

interface Expression {
  readonly key: string;
  /** Undefined for one that is not known here. */
  readonly operator: Operator | undefined;
  readonly values: readonly string[];
}

export interface NodeSelectorTerm {
  readonly expressions: readonly Expression[];
  /** Whether it selects by fields, which is not known here. */
  readonly byFields: boolean;
}

export interface WeightedTerm {
  readonly weight: number;
  readonly term: NodeSelectorTerm;
}

const operators: readonly Operator[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

export function readTerm(value: unknown): NodeSelectorTerm {
  return {
    byFields: listAt(value, 'matchFields').length > 0,
    expressions: listAt(value, 'matchExpressions').map((expression) => ({
      key: textAt(expression, 'key'),
      operator: operators.find((known) => known === textAt(expression, 'operator')),
      values: listAt(expression, 'values').map(String),
    })),
  };
}

/** Whether all expressions hold; a term without any matches nothing. */
export function matchesTerm({ expressions, byFields }: NodeSelectorTerm, labels: TextMap): boolean {
  if (byFields || expressions.length === 0) return false;
  return expressions.every((expression) => holds(expression, labels));
}

function holds({ key, operator, values }: Expression, labels: TextMap): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case undefined:
      return false;
  }
}

export function matchesSelector(selector: TextMap, labels: TextMap): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** Sum of the weights of the preferred terms that match. */
export function preferenceOf(terms: readonly WeightedTerm[], labels: TextMap): number {
  return terms.reduce((sum, { weight, term }) => sum + (matchesTerm(term, labels) ? weight : 0), 0);
}
