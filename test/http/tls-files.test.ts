/** Certificate files that are replaced under a running server (cert-manager, mounted Secrets). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PemPair } from '../../src/certificates/pem.ts';
import { systemClock } from '../../src/http/system-clock.ts';
import { type CheckedMaterial, readTlsFiles, watchTlsFiles } from '../../src/http/tls-files.ts';
import type { Parsed } from '../../src/model/result.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeAuthority, makeLeaf } from './certificates.ts';
import { replaceFile } from './replace-file.ts';

// Keys and sockets take their time on a busy machine.
jest.setTimeout(20_000);

let authority: PemPair;
let first: PemPair;
let second: PemPair;
let directory: string;

beforeAll(async () => {
  authority = await makeAuthority();
  [first, second] = await Promise.all([makeLeaf(authority), makeLeaf(authority)]);
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tessera-tls-'));
});

const watches: (() => void)[] = [];
afterEach(() => {
  for (const stop of watches.splice(0)) stop();
  rmSync(directory, { recursive: true });
});

function filesWith(pair: PemPair) {
  const files = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') };
  writeFileSync(files.certFile, pair.certificate);
  writeFileSync(files.keyFile, pair.key);
  return files;
}

describe('reading a pair', () => {
  it('gives the texts and what was found in them', async () => {
    const read = await readTlsFiles(filesWith(first), systemClock);
    expect(read).toMatchObject({
      ok: true,
      value: { ...first, checked: { names: ['127.0.0.1', 'localhost'] } },
    });
  });

  it.each([
    {
      name: 'a missing certificate',
      spoil: (files: ReturnType<typeof filesWith>) => {
        rmSync(files.certFile);
      },
      want: /ENOENT.*tls\.crt/,
    },
    {
      name: 'a key of another certificate',
      spoil: (files: ReturnType<typeof filesWith>) => {
        writeFileSync(files.keyFile, second.key);
      },
      want: /belongs to another certificate/,
    },
    {
      name: 'half a file',
      spoil: (files: ReturnType<typeof filesWith>) => {
        writeFileSync(files.certFile, first.certificate.slice(0, 200));
      },
      want: /no PEM certificate/,
    },
  ])('refuses $name in words', async ({ spoil, want }) => {
    const files = filesWith(first);
    spoil(files);
    const read = await readTlsFiles(files, systemClock);
    expect(read).toEqual({ ok: false, problem: expect.stringMatching(want) as unknown });
  });

  it('refuses a certificate that has ended by the clock it is given', async () => {
    const later = new ManualClock(Date.now() + 3 * 24 * 3600 * 1000);
    const read = await readTlsFiles(filesWith(first), later);
    expect(read).toEqual({ ok: false, problem: expect.stringMatching(/ended at/) as unknown });
  });
});

const intervalMs = 5000;

/** Watches a pair of files, and tells what it hears when it looks the next time. */
function watchPair(pair: PemPair) {
  const files = filesWith(pair);
  const clock = new ManualClock(Date.now());
  const heard: Parsed<CheckedMaterial>[] = [];
  let told: () => void = () => undefined;
  const stop = watchTlsFiles({
    files,
    serving: pair,
    clock,
    intervalMs,
    onChange: (material) => {
      heard.push(material);
      told();
    },
  });
  watches.push(stop);
  const next = async (): Promise<Parsed<CheckedMaterial> | undefined> => {
    const change = new Promise<void>((resolve) => (told = resolve));
    clock.advance(intervalMs);
    await change;
    return heard.shift();
  };
  return { files, clock, heard, next };
}

describe('watching a pair', () => {
  it('tells of a new pair once both files are there, and that one file alone is no pair', async () => {
    const { files, next } = watchPair(first);
    replaceFile(files.certFile, second.certificate);
    expect(await next()).toEqual({ ok: false, problem: 'the private key belongs to another certificate' });
    replaceFile(files.keyFile, second.key);
    expect(await next()).toMatchObject({ ok: true, value: second });
  });

  it('tells of files that went away, and of their coming back', async () => {
    const { files, next } = watchPair(first);
    rmSync(files.keyFile);
    expect(await next()).toEqual({ ok: false, problem: expect.stringMatching(/ENOENT/) as unknown });
    replaceFile(files.keyFile, first.key);
    expect(await next()).toMatchObject({ ok: true, value: first });
  });

  it('says nothing of files that hold what is served, however often they are written', async () => {
    const { files, heard, next } = watchPair(first);
    replaceFile(files.certFile, first.certificate);
    replaceFile(files.keyFile, second.key);
    expect(await next()).toMatchObject({ ok: false });
    replaceFile(files.keyFile, first.key);
    expect(await next()).toMatchObject({ ok: true, value: first });
    expect(heard).toEqual([]);
  });
});
