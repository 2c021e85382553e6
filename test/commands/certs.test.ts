import { X509Certificate } from 'node:crypto';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CommanderError } from 'commander';
import { checkPair } from '../../src/certificates/check.ts';
import { certsCommand } from '../../src/commands/certs.ts';
import { ecPair } from '../certificates/ec-pair.ts';

const startMs = Date.UTC(2030, 0, 1);
const dayMs = 24 * 3600 * 1000;
const files = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'];

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tessera-certs-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number;
  readonly printed: readonly string[];
  readonly complaint: string;
}

/** Runs `tessera certs` into `out` below the test's directory. */
async function certs(args: readonly string[], { nowMs = startMs, out = 'out' } = {}): Promise<Outcome> {
  const printed: string[] = [];
  let complaint = '';
  const command = certsCommand({ nowMs: () => nowMs, print: (line) => printed.push(line) })
    .exitOverride()
    .configureOutput({ writeErr: (text) => (complaint += text) });
  try {
    await command.parseAsync(['--out', join(directory, out), ...args], { from: 'user' });
    return { exitCode: 0, printed, complaint };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { exitCode: error.exitCode, printed, complaint };
  }
}

function text(file: string): string {
  return readFileSync(join(directory, 'out', file), 'utf8');
}

function texts(): readonly string[] {
  return files.map(text);
}

function endOf(file: string): number {
  return Date.parse(new X509Certificate(text(file)).validTo);
}

describe('tessera certs', () => {
  it('writes an authority and a leaf for the names, keys for their owner alone', async () => {
    const { exitCode, printed } = await certs(['--names', 'a.example, 127.0.0.1'], { out: 'new/deep' });
    const out = join(directory, 'new/deep');
    expect(exitCode).toBe(0);
    expect(printed).toEqual([
      `wrote ${join(out, 'ca.crt')} and ${join(out, 'ca.key')}`,
      `wrote ${join(out, 'tls.crt')} and ${join(out, 'tls.key')}`,
    ]);
    expect(readdirSync(out).sort()).toEqual(files);
    for (const key of ['ca.key', 'tls.key']) expect(statSync(join(out, key)).mode & 0o777).toBe(0o600);

    const read = (file: string) => readFileSync(join(out, file), 'utf8');
    const chain = { certificate: read('tls.crt') + read('ca.crt'), key: read('tls.key') };
    expect(checkPair({ ...chain, nowMs: startMs })).toEqual({
      ok: true,
      value: { names: ['a.example', '127.0.0.1'], notAfterMs: startMs + 365 * dayMs },
    });
    expect(Date.parse(new X509Certificate(read('ca.crt')).validTo)).toBe(startMs + 3650 * dayMs);
  });

  it('gives both the days asked for', async () => {
    await certs(['--names', 'a', '--days', '3', '--authority-days', '7']);
    expect([endOf('tls.crt'), endOf('ca.crt')]).toEqual([startMs + 3 * dayMs, startMs + 7 * dayMs]);
  });

  it('replaces nothing unasked', async () => {
    await certs(['--names', 'a']);
    const before = texts();
    const { exitCode, complaint } = await certs(['--names', 'a']);
    expect(exitCode).toBe(1);
    expect(complaint).toBe(`error: ${join(directory, 'out', 'tls.crt')} exists; --force replaces it\n`);
    expect(texts()).toEqual(before);
  });

  it('replaces the leaf by force and keeps a sound authority', async () => {
    await certs(['--names', 'a']);
    const [authority, authorityKey, leaf, leafKey] = texts();
    const { exitCode, printed } = await certs(['--names', 'b', '--force']);
    expect(exitCode).toBe(0);
    expect(printed[0]).toBe(`kept ${join(directory, 'out', 'ca.crt')}`);
    const after = texts();
    expect(after.slice(0, 2)).toEqual([authority, authorityKey]);
    expect(after[2]).not.toBe(leaf);
    expect(after[3]).not.toBe(leafKey);
    const issuer = new X509Certificate(after[0]!);
    expect(new X509Certificate(after[2]!).verify(issuer.publicKey)).toBe(true);
    expect(readdirSync(join(directory, 'out')).sort()).toEqual(files);
  });

  const unusable: {
    name: string;
    spoil: (path: (file: string) => string) => void;
    nowMs?: number;
    want: string;
  }[] = [
    {
      name: 'lacks its key',
      spoil: (path) => {
        rmSync(path('ca.key'));
      },
      want: 'ca.key is missing',
    },
    {
      name: 'lacks its certificate',
      spoil: (path) => {
        rmSync(path('ca.crt'));
      },
      want: 'ca.crt is missing',
    },
    {
      name: 'is not readable',
      spoil: (path) => {
        writeFileSync(path('ca.crt'), 'x');
      },
      want: 'there is no PEM certificate',
    },
    {
      name: 'has the key of another',
      spoil: (path) => {
        copyFileSync(path('tls.key'), path('ca.key'));
      },
      want: 'the private key belongs to another certificate',
    },
    { name: 'has ended', spoil: () => undefined, nowMs: startMs + 3650 * dayMs, want: 'ended at' },
    {
      name: 'is a leaf',
      spoil: (path) => {
        writeFileSync(path('ca.crt'), ecPair.certificate);
        writeFileSync(path('ca.key'), ecPair.key);
      },
      want: 'is not an authority',
    },
  ];
  it.each(unusable)(
    'replaces an authority that $name only by force',
    async ({ spoil, nowMs = startMs, want }) => {
      await certs(['--names', 'a']);
      const path = (file: string) => join(directory, 'out', file);
      spoil(path);
      rmSync(path('tls.crt'));
      rmSync(path('tls.key'));

      const refused = await certs(['--names', 'a'], { nowMs });
      expect(refused.exitCode).toBe(1);
      expect(refused.complaint).toContain(want);
      expect(refused.complaint).toContain('--force makes a new authority');
      expect(readdirSync(join(directory, 'out'))).not.toContain('tls.crt');

      const forced = await certs(['--names', 'a', '--force'], { nowMs });
      expect(forced.exitCode).toBe(0);
      const chain = { certificate: text('tls.crt') + text('ca.crt'), key: text('tls.key') };
      expect(checkPair({ ...chain, nowMs })).toMatchObject({ ok: true });
    },
  );

  const misused = [
    { name: 'no names', args: [], want: "required option '--names <names>' not specified" },
    { name: 'empty names', args: ['--names', ' , '], want: 'a certificate needs at least one name' },
    {
      name: 'a name that is none',
      args: ['--names', 'a,b c'],
      want: '"b c" is neither a DNS name nor an IP address',
    },
    {
      name: 'no days',
      args: ['--names', 'a', '--days', '0'],
      want: 'must be a whole number from 1 to 36500',
    },
    { name: 'half a day', args: ['--names', 'a', '--days', '0.5'], want: 'must be a whole number' },
    {
      name: 'days in words',
      args: ['--names', 'a', '--authority-days', 'ten'],
      want: 'must be a whole number',
    },
    {
      name: 'days past four-digit years',
      args: ['--names', 'a', '--days', '36501'],
      want: 'must be a whole number',
    },
  ];
  it.each(misused)('refuses $name and writes nothing', async ({ args, want }) => {
    const { exitCode, complaint } = await certs(args);
    expect(exitCode).toBe(1);
    expect(complaint).toContain(want);
    expect(readdirSync(directory)).toEqual([]);
  });
});
