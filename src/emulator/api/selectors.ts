/**
 * Label and field selectors as predicates: the text forms of list and watch (`app=a,tier in (x,y),!old`), and the
 * object form of webhook configurations. Parsers refuse with the sentence that becomes the client's 400.
 */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { ApiObject, TextMap } from './api-object.ts';
import { listAt, recordAt, textAt } from './json.ts';
import { isKey } from './metadata.ts';

export type LabelPredicate = (labels: TextMap) => boolean;
export type ObjectPredicate = (object: ApiObject) => boolean;

const token = /\s*(\(|\)|,|!=|==|=|!|<|>|[^\s()=!,<>]+)/y;

function tokensOf(text: string): readonly string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) tokens.push(match[1] ?? '');
  return tokens;
}

const punctuation = new Set(['(', ')', ',', '!=', '==', '=', '!', '<', '>']);

/** Reads tokens one after the other; the end reads as an empty token. */
class TokenReader {
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  peek(): string {
    return this.#tokens[this.#position] ?? '';
  }

  take(): string {
    const taken = this.peek();
    this.#position += 1;
    return taken;
  }

  /** A key or value; empty when the next token is punctuation or the end, which is then left. */
  word(): string {
    return punctuation.has(this.peek()) ? '' : this.take();
  }
}

/** Reads a label selector; an empty one selects everything. */
export function parseLabelSelector(text: string): Parsed<LabelPredicate> {
  const reader = new TokenReader(tokensOf(text));
  const predicates: LabelPredicate[] = [];
  while (reader.peek() !== '') {
    const requirement = parseRequirement(reader);
    if (!requirement.ok) return unparsable(`unable to parse requirement: ${requirement.problem}`);
    predicates.push(requirement.value);
    const separator = reader.take();
    if (separator !== '' && separator !== ',') {
      return unparsable(`unable to parse requirement: found '${separator}', expected: ',' or the end`);
    }
    if (separator === ',' && reader.peek() === '') {
      return unparsable("unable to parse requirement: found '', expected: a key after ','");
    }
  }
  return parsed((labels) => predicates.every((predicate) => predicate(labels)));
}

function parseRequirement(reader: TokenReader): Parsed<LabelPredicate> {
  const negated = reader.peek() === '!';
  if (negated) reader.take();
  const key = reader.word();
  if (key === '') return unparsable(`found '${reader.peek()}', expected: a key`);
  if (!isKey(key)) return unparsable(`${key} is no label key`);
  if (negated) return parsed((labels) => !Object.hasOwn(labels, key));
  const operator = reader.peek();
  switch (operator) {
    case '':
    case ',':
      return parsed((labels) => Object.hasOwn(labels, key));
    case '=':
    case '==':
    case '!=':
      reader.take();
      return parsed(operator === '!=' ? notIn(key, [reader.word()]) : isIn(key, [reader.word()]));
    case 'in':
    case 'notin':
      reader.take();
      return parseSet(
        reader,
        operator === 'in' ? (values) => isIn(key, values) : (values) => notIn(key, values),
      );
    case '>':
    case '<':
      reader.take();
      return parsed(compares(key, operator, Number(reader.word())));
    default:
      return unparsable(`found '${operator}', expected: in, notin, =, ==, !=, > or <`);
  }
}

function parseSet(
  reader: TokenReader,
  build: (values: readonly string[]) => LabelPredicate,
): Parsed<LabelPredicate> {
  if (reader.peek() !== '(') return unparsable(`found '${reader.peek()}', expected: '('`);
  reader.take();
  const values = [reader.word()];
  while (reader.peek() === ',') {
    reader.take();
    values.push(reader.word());
  }
  if (reader.peek() !== ')') return unparsable(`found '${reader.peek()}', expected: ',' or ')'`);
  reader.take();
  return parsed(build(values));
}

function isIn(key: string, values: readonly string[]): LabelPredicate {
  return (labels) => values.includes(labels[key] ?? '') && Object.hasOwn(labels, key);
}

/** Objects without the key are selected as well. */
function notIn(key: string, values: readonly string[]): LabelPredicate {
  return (labels) => !isIn(key, values)(labels);
}

function compares(key: string, operator: '<' | '>', bound: number): LabelPredicate {
  return (labels) => {
    const value = /^-?\d+$/.test(labels[key] ?? '') ? Number(labels[key]) : Number.NaN;
    return operator === '<' ? value < bound : value > bound;
  };
}

/** The object form, `matchLabels` and `matchExpressions`; an absent or empty one selects everything. */
export function labelSelectorOf(selector: unknown): LabelPredicate {
  const equal = Object.entries(recordAt(selector, 'matchLabels')).map(([key, value]) =>
    isIn(key, [String(value)]),
  );
  const expressions = listAt(selector, 'matchExpressions').map((expression): LabelPredicate => {
    const key = textAt(expression, 'key');
    const values = listAt(expression, 'values').map(String);
    switch (textAt(expression, 'operator')) {
      case 'In':
        return isIn(key, values);
      case 'NotIn':
        return notIn(key, values);
      case 'Exists':
        return (labels) => Object.hasOwn(labels, key);
      case 'DoesNotExist':
        return (labels) => !Object.hasOwn(labels, key);
      default:
        return () => false;
    }
  });
  return (labels) => [...equal, ...expressions].every((predicate) => predicate(labels));
}

/** The fields of a kind that may be selected, each with how it reads. */
export type SelectableFields = Readonly<Record<string, (object: ApiObject) => string>>;

/** Reads a field selector (`a=b,c!=d`; `\,` and `\=` stand for themselves); refuses fields that are not selectable. */
export function parseFieldSelector(text: string, fields: SelectableFields): Parsed<ObjectPredicate> {
  const predicates: ObjectPredicate[] = [];
  for (const term of text.split(/(?<!\\),/).filter((part) => part !== '')) {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) {
      return unparsable(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    const [, label = '', operator, escaped = ''] = match;
    const read = Object.hasOwn(fields, label) ? fields[label] : undefined;
    if (read === undefined) return unparsable(`field label not supported: ${label}`);
    const value = escaped.replaceAll(/\\(.)/g, '$1');
    predicates.push(
      operator === '!=' ? (object) => read(object) !== value : (object) => read(object) === value,
    );
  }
  return parsed((object) => predicates.every((predicate) => predicate(object)));
}
