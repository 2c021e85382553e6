/**
 * Reads the command line of HAMi's scheduler (spec §9.6) as settings of ours. Flags that have no meaning here, and such
 * as nobody knows, get one warning each, for a chart's `extraArgs` must not stop a move-in; a flag whose value cannot
 * be understood stops the start, and so does a word that belongs to no flag. Pure: nothing is opened.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { Environment } from './environment.ts';
import { flagName, splitGoFlags, type WrittenFlag } from './go-flags.ts';
import { parseGoBool } from '../wire/go-values.ts';
import type { HamiFlag } from './hami-flag.ts';
import { hamiFlags, parseExpirySeconds } from './hami-flag-table.ts';
import { isMapping, type Mapping, overlay } from '../wire/mapping.ts';

export interface HamiCommandLine {
  /** For `loadConfig`. */
  readonly flags: Mapping;
  readonly assumed: Mapping;
  /** Whether `listen` is plain HTTP, as HAMi's is without a certificate. */
  readonly plainHttp: boolean;
  readonly warnings: readonly string[];
}

/** HAMi's own defaults, and what follows from the kube-scheduler configuration and the roles of its chart. */
const assumedOfHami: Mapping = {
  listen: '127.0.0.1:8080',
  // The verbs answer where the webhook does.
  listenExtender: '',
  listenMetrics: ':9395',
  schedulerNames: ['default-scheduler'],
  // There is no prioritizeVerb in it.
  filterAnswer: 'best',
  // No Secret may be read.
  seal: 'process',
};

/** As if they were written in front of all others. */
const unlessGiven: readonly WrittenFlag[] = hamiFlags.flatMap(({ flag, unlessGiven: value }) =>
  value === undefined ? [] : [{ name: flagName(flag), value, text: `--${flag}=${value}` }],
);

const labelSelector = 'node-label-selector';
const lockExpiryVariable = 'HAMI_NODELOCK_EXPIRE';

/** The words after `scheduler`. Refuses with all faults at once. Never throws. */
export function readHamiFlags(args: readonly string[], environment: Environment): Parsed<HamiCommandLine> {
  const known = new Map(hamiFlags.map((row) => [flagName(row.flag), row]));
  const { flags: written, words } = splitGoFlags(args, (name) => known.get(name)?.shape);
  const faults = words.map(
    (word) =>
      `${JSON.stringify(word)} belongs to no flag; a switch has its value after =, as in --leader-elect=false`,
  );
  const warnings: string[] = [];
  let flags: Mapping = {};
  let assumed = overlay(assumedOfHami, lockExpiryFrom(environment, warnings));
  for (const [name, flag] of lastOfEach([...unlessGiven, ...written])) {
    const row = known.get(name);
    if (row === undefined) {
      warnings.push(`${flag.text}: unknown flag, ignored`);
      continue;
    }
    const value = flag.value ?? (row.shape === 'switch' ? 'true' : undefined);
    if (value === undefined) faults.push(`--${row.flag}: needs a value`);
    else if (row.read === undefined) warnings.push(...uncarried(row, value));
    else {
      const carried = row.read(value);
      if (!carried.ok) {
        faults.push(`--${row.flag}: ${carried.problem}`);
        continue;
      }
      flags = overlay(flags, carried.value.settings ?? {});
      assumed = overlay(assumed, carried.value.assumed ?? {});
      if (carried.value.warning !== undefined) warnings.push(`--${row.flag}: ${carried.value.warning}`);
    }
  }
  if (faults.length > 0) return unparsable(faults.join('; '));
  const hasCertificate = certificateGiven(flags, warnings);
  warnOfNoName(flags, warnings);
  return parsed({
    flags: hasCertificate ? flags : overlay(flags, { tls: { certFile: '', keyFile: '' } }),
    assumed,
    plainHttp: !hasCertificate,
    warnings,
  });
}

/** A flag that is given twice counts as given last; pairs of labels add up. */
function lastOfEach(written: readonly WrittenFlag[]): ReadonlyMap<string, WrittenFlag> {
  const flags = new Map<string, WrittenFlag>();
  for (const flag of written) {
    const before = flag.name === labelSelector ? (flags.get(flag.name)?.value ?? '') : '';
    const value = before === '' || flag.value === undefined ? flag.value : `${before},${flag.value}`;
    flags.set(flag.name, { ...flag, value });
  }
  return flags;
}

/** A switch that is off asks for nothing. */
function uncarried({ flag, shape, fate }: HamiFlag, value: string): readonly string[] {
  const on = parseGoBool(value);
  const isOff = shape === 'switch' && on.ok && !on.value;
  return isOff ? [] : [`--${flag}: ${fate.replaceAll('`', '')}`];
}

/** HAMi reads the variable and then forgets it for its flag's default (Q15); here the flag wins only when given. */
function lockExpiryFrom(environment: Environment, warnings: string[]): Mapping {
  const text = environment[lockExpiryVariable] ?? '';
  if (text === '') return {};
  const seconds = parseExpirySeconds(text);
  if (seconds.ok) return { nodeLockExpirySeconds: seconds.value };
  warnings.push(`environment variable ${lockExpiryVariable}: ${seconds.problem}; ignored`);
  return {};
}

function certificateGiven(flags: Mapping, warnings: string[]): boolean {
  const tls = isMapping(flags['tls']) ? flags['tls'] : {};
  const given = (['certFile', 'keyFile'] as const).filter((key) => (tls[key] ?? '') !== '');
  if (given.length === 1) {
    warnings.push('--cert_file and --key_file go together; with one of them alone --http_bind is plain HTTP');
  }
  return given.length === 2;
}

function warnOfNoName(flags: Mapping, warnings: string[]): void {
  if (flags['schedulerNames'] !== undefined || flags['forceOverwriteDefaultScheduler'] !== false) return;
  warnings.push(
    '--force-overwrite-default-scheduler=false: has no effect without --scheduler-name, for default-scheduler is then the one that is served',
  );
}
