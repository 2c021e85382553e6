/**
 * `tessera certs`: writes an authority and a serving certificate for given names into a directory. An authority that
 * is there and sound is used again, so that those who trust it need not be told. Nothing is overwritten unless
 * `--force` says so; keys are readable by their owner alone.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { checkAuthority } from '../certificates/check.ts';
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import type { PemPair } from '../certificates/pem.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';

/** What the command needs of its surroundings. */
export interface CertsSurroundings {
  nowMs(): number;
  print(line: string): void;
}

interface CertsOptions {
  readonly names: readonly string[];
  readonly out: string;
  readonly days: number;
  readonly authorityDays: number;
  readonly force: boolean;
}

const processSurroundings: CertsSurroundings = {
  nowMs: () => Date.now(),
  print: (line) => process.stdout.write(`${line}\n`),
};

export function certsCommand(surroundings: CertsSurroundings = processSurroundings): Command {
  return new Command('certs')
    .description('Write a certificate authority and a serving certificate')
    .requiredOption('--names <names>', 'comma list of DNS names and IP addresses of the server', parseNames)
    .option('--out <directory>', 'where to write ca.crt, ca.key, tls.crt and tls.key', 'certs')
    .option('--days <days>', 'how long the serving certificate is valid', parseDays, 365)
    .option('--authority-days <days>', 'how long a new authority is valid', parseDays, 3650)
    .option('--force', 'replace a serving certificate, and an authority that is of no use', false)
    .action(async (options: CertsOptions, command: Command) => {
      const written = await writeCertificates(options, surroundings);
      if (!written.ok) command.error(`error: ${written.problem}`);
    });
}

async function writeCertificates(
  options: CertsOptions,
  surroundings: CertsSurroundings,
): Promise<Parsed<null>> {
  const { names, out, days, authorityDays, force } = options;
  const leafFiles = pairFiles(out, 'tls');
  const authorityFiles = pairFiles(out, 'ca');
  const existing = [leafFiles.certificate, leafFiles.key].find(existsSync);
  if (existing !== undefined && !force) return unparsable(`${existing} exists; --force replaces it`);

  const nowMs = surroundings.nowMs();
  const found = findAuthority(authorityFiles, nowMs);
  if (found.kind === 'unusable' && !force) {
    return unparsable(
      `${authorityFiles.certificate} is of no use: ${found.problem}; --force makes a new authority`,
    );
  }
  const authority =
    found.kind === 'usable'
      ? found.pair
      : await issueAuthority({ commonName: 'tessera authority', validDays: authorityDays, nowMs });
  const leaf = await issueLeaf({ authority, names, validDays: days, nowMs });
  if (!leaf.ok) return leaf;

  mkdirSync(out, { recursive: true });
  if (found.kind === 'usable') surroundings.print(`kept ${authorityFiles.certificate}`);
  else writePair(authorityFiles, authority, surroundings);
  writePair(leafFiles, leaf.value, surroundings);
  return parsed(null);
}

interface PairFiles {
  readonly certificate: string;
  readonly key: string;
}

function pairFiles(directory: string, name: string): PairFiles {
  return { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
}

type FoundAuthority =
  | { readonly kind: 'none' }
  | { readonly kind: 'usable'; readonly pair: PemPair }
  /** Half of it, ended, or not an authority: never replaced unasked, since somebody may trust it. */
  | { readonly kind: 'unusable'; readonly problem: string };

function findAuthority(files: PairFiles, nowMs: number): FoundAuthority {
  const missing = [files.certificate, files.key].filter((file) => !existsSync(file));
  if (missing.length === 2) return { kind: 'none' };
  if (missing[0] !== undefined) return { kind: 'unusable', problem: `${missing[0]} is missing` };
  const pair = { certificate: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') };
  const checked = checkAuthority({ ...pair, nowMs });
  if (!checked.ok) return { kind: 'unusable', problem: checked.problem };
  if (checked.value.keyType !== 'rsa') return { kind: 'unusable', problem: 'its key is not RSA' };
  return { kind: 'usable', pair };
}

/** Each file appears whole: written beside its place and moved there, the key first. */
function writePair(files: PairFiles, pair: PemPair, surroundings: CertsSurroundings): void {
  writeWhole(files.key, pair.key, 0o600);
  writeWhole(files.certificate, pair.certificate, 0o644);
  surroundings.print(`wrote ${files.certificate} and ${files.key}`);
}

function writeWhole(file: string, text: string, mode: number): void {
  // The suffix stays last, so that what keeps `*.key` out of version control keeps this out too.
  const unfinished = file.replace(/\.(\w+)$/, '.unfinished.$1');
  // A file left over from an earlier run would keep its own mode.
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, text, { mode });
  renameSync(unfinished, file);
}

function parseNames(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The years of a certificate have four digits; a century is as far as anyone plans. */
const mostDays = 36_500;

function parseDays(text: string): number {
  const days = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > mostDays)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${mostDays}`);
  return days;
}
