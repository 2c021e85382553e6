/** The flags of `tessera simulate`, read: every parser refuses with a sentence that says what to write. */
import { InvalidArgumentError } from 'commander';
import { type PolicyName, policyNames } from '../../simulator/policy.ts';

export interface SimulateFlags {
  readonly nodes?: string;
  readonly snapshot?: string;
  readonly pods?: string;
  readonly order?: string;
  readonly policy?: readonly PolicyName[];
  readonly seeds: readonly number[];
  readonly load?: number;
  readonly timed?: boolean;
  readonly churn?: true;
  readonly learn?: true;
  readonly skewMemory?: true;
  readonly randomTies?: true;
  readonly sample?: number;
  readonly howMany?: boolean;
  readonly addNode?: string;
  readonly config?: string;
  readonly deviceConfigFile?: string;
  readonly workers?: number;
  readonly json?: boolean;
  readonly csv?: string;
  readonly svg?: string;
  readonly report?: string;
}

const largestSeed = Number.MAX_SAFE_INTEGER;
const mostSeeds = 1000;
const largestLoad = 10;
const mostWorkers = 256;

/** Called for every `--policy`, each with one name, a comma list, or `all`. */
export function policiesWith(text: string, before: readonly PolicyName[] = []): readonly PolicyName[] {
  const names = text.split(',').flatMap((word): readonly PolicyName[] => {
    if (word === 'all') return policyNames;
    const name = policyNames.find((known) => known === word);
    if (name === undefined)
      throw new InvalidArgumentError(
        `There is no policy ${JSON.stringify(word)}; there are ${policyNames.join(', ')}, and all.`,
      );
    return [name];
  });
  return [...new Set([...before, ...names])];
}

/** `42`, `42,43` or `42-51`, and lists of these. */
export function parseSeeds(text: string): readonly number[] {
  const seeds = new Set<number>();
  for (const part of text.split(',')) {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    const isRange = first !== '' && from <= to && to <= largestSeed && to - from < mostSeeds;
    if (!isRange || seeds.size + to - from >= mostSeeds)
      throw new InvalidArgumentError(`Write up to ${mostSeeds} whole numbers, as in 42, 42,43 or 42-51.`);
    for (let seed = from; seed <= to; seed += 1) seeds.add(seed);
  }
  return [...seeds];
}

/** A share of the cluster's cards in whole percent: figures are read at whole percents. */
export function parseLoad(text: string): number {
  const load = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  const percent = Math.round(load * 100);
  if (percent >= 1 && load <= largestLoad && Math.abs(load * 100 - percent) < 1e-6) return load;
  throw new InvalidArgumentError(
    `Write how many times the cluster's cards are asked for, 0.01 to ${largestLoad} in hundredths; 1.3 is 130 %.`,
  );
}

/** A part of the feasible nodes, above 0 and at most 1. */
export function parseSample(text: string): number {
  const part = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (part > 0 && part <= 1) return part;
  throw new InvalidArgumentError('Write a part of the feasible nodes, above 0 and at most 1; 0.4 is 40 %.');
}

export function parseWorkers(text: string): number {
  const workers = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (workers >= 1 && workers <= mostWorkers) return workers;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${mostWorkers}.`);
}

/** Flags that a question has no use for. */
const ofReplays = [
  ['order', '--order'],
  ['load', '--load'],
  ['timed', '--timed'],
  ['churn', '--churn'],
  ['learn', '--learn'],
  ['skewMemory', '--skew-memory'],
  ['randomTies', '--random-ties'],
  ['sample', '--sample'],
  ['csv', '--csv'],
  ['svg', '--svg'],
  ['report', '--report'],
  ['workers', '--workers'],
] as const;

/** Flags that would be passed over are refused: an answer to another question is none. */
export function contradictionIn(flags: SimulateFlags): string | undefined {
  const { howMany, addNode, learn, policy } = flags;
  if (learn === true && policy?.includes('fragmentation') === false)
    return '--learn is about the policy fragmentation, which is not among those to try';
  if (howMany === true && addNode !== undefined) return 'ask one of --how-many and --add-node';
  if (howMany !== true && addNode === undefined) return undefined;
  const unused = ofReplays.find(([name]) => flags[name] !== undefined);
  return unused === undefined
    ? undefined
    : `${unused[1]} has no part in ${howMany === true ? '--how-many' : '--add-node'}`;
}
