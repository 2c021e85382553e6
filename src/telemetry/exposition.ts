/**
 * The text in which Prometheus reads metrics (exposition format 0.0.4), for series that are too many to be objects of
 * a metrics library. From names and values to lines; nothing is kept here, and nothing is checked: callers hand in
 * valid names, and the lines of one family in one piece behind its header.
 */

/** A label's name and value. */
export type Label = readonly [name: string, value: string];

/** The two lines before a family's samples. */
export function gaugeHeader(name: string, help: string): string {
  return `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} gauge\n`;
}

/** The labels of a sample in the order given, e.g. `{node="n1",zone="vGPU"}`. */
export function labelText(labels: readonly Label[]): string {
  return `{${labels.map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`).join(',')}}`;
}

/** @param labels as `labelText` makes them */
export function sampleLine(name: string, labels: string, value: number): string {
  return `${name}${labels} ${numberText(value)}\n`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
