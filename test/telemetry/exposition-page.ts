/**
 * A reader of Prometheus' text format that shares nothing with our writer and is stricter than Prometheus: it throws at
 * the first line that is not valid, at a family that is not in one piece behind one HELP and one TYPE, and at a series
 * that comes twice.
 */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const helpLine = new RegExp(`^# HELP (${name}) (.*)$`);
const typeLine = new RegExp(`^# TYPE (${name}) (counter|gauge|histogram|summary|untyped)$`);
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\]|\\\\["\\\\n])*"';
const sampleForm = new RegExp(`^(${name})(?:\\{((?:${label})?(?:,${label})*)\\})? (\\S+)$`);
/** Letters of any case, as Prometheus takes them; prom-client writes `Nan`. */
const number = /^(?:[-+]?Inf|N[aA][nN]|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/;

export function parsePage(text: string): readonly Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const series = new Set<string>();
  let help: readonly string[] | null = null;
  let open: (Family & { readonly samples: Sample[] }) | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const nextHelp = helpLine.exec(line);
    const type = typeLine.exec(line);
    if (nextHelp !== null) {
      if (help !== null) throw new Error(`HELP without TYPE before: ${line}`);
      help = nextHelp;
    } else if (type !== null) {
      const [, own = '', kind = ''] = type;
      if (help?.[1] !== own) throw new Error(`TYPE without its HELP: ${line}`);
      if (families.has(own)) throw new Error(`a family twice: ${line}`);
      open = { name: own, help: unescaped(help[2] ?? ''), type: kind, samples: [] };
      families.set(own, open);
      help = null;
    } else {
      const sample = parseSample(line);
      if (help !== null || open === undefined || !belongs(sample, open)) throw new Error(`stray: ${line}`);
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (series.has(identity)) throw new Error(`a series twice: ${line}`);
      series.add(identity);
      open.samples.push(sample);
    }
  }
  return [...families.values()];
}

/** The samples of a page as `name{labels}` without quotes, with their values. */
export function seriesOf(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    parsePage(text).flatMap(({ samples }) =>
      samples.map(({ name: own, labels, value }) => [
        `${own} ${Object.entries(labels)
          .map((pair) => pair.join('='))
          .join(' ')}`,
        value,
      ]),
    ),
  );
}

function parseSample(line: string): Sample {
  const [, own, labels = '', value = ''] = sampleForm.exec(line) ?? [];
  if (own === undefined || !number.test(value)) throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, key = '', text = '']) => [key, unescaped(text)] as const,
  );
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error(`a label twice: ${line}`);
  return { name: own, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) };
}

function belongs({ name: own }: Sample, family: Family): boolean {
  const ends = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  return ends.some((end) => own === `${family.name}${end}`);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
