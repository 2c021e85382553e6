import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import forge from 'node-forge';
import { checkAuthority, checkPair, type PairToCheck } from '../../src/certificates/check.ts';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import type { PemPair } from '../../src/certificates/pem.ts';
import { ecPair } from './ec-pair.ts';
import { makeForeignCertificate } from './foreign-certificate.ts';

const nowMs = Date.UTC(2030, 0, 1);
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

let authority: PemPair;
let otherAuthority: PemPair;
let leaf: PemPair;
let otherLeaf: PemPair;

beforeAll(async () => {
  authority = await issueAuthority({ commonName: 'one', validDays: 10, nowMs });
  otherAuthority = await issueAuthority({ commonName: 'other', validDays: 10, nowMs });
  leaf = await leafOf(authority);
  otherLeaf = await leafOf(authority);
});

async function leafOf(signer: PemPair): Promise<PemPair> {
  const issued = await issueLeaf({ authority: signer, names: ['a.example'], validDays: 2, nowMs });
  if (!issued.ok) throw new Error(issued.problem);
  return issued.value;
}

describe('checkPair', () => {
  const good: { name: string; pair: () => PairToCheck; wantEndsInDays: number }[] = [
    { name: 'accepts a leaf and its key', pair: () => ({ ...leaf, nowMs }), wantEndsInDays: 2 },
    {
      name: 'accepts a chain with the leaf first, and takes the earliest end',
      pair: () => ({ ...leaf, certificate: leaf.certificate + authority.certificate, nowMs }),
      wantEndsInDays: 2,
    },
    {
      name: 'ignores text around the certificates',
      pair: () => ({ ...leaf, certificate: `subject: me\n${leaf.certificate}\nthe end\n`, nowMs }),
      wantEndsInDays: 2,
    },
    {
      name: 'accepts it up to its last second',
      pair: () => ({ ...leaf, nowMs: nowMs + 2 * dayMs - 1000 }),
      wantEndsInDays: 2,
    },
  ];
  it.each(good)('$name', ({ pair, wantEndsInDays }) => {
    const notAfterMs = nowMs + wantEndsInDays * dayMs;
    expect(checkPair(pair())).toEqual({ ok: true, value: { names: ['a.example'], notAfterMs } });
  });

  it('accepts an ECDSA pair made by others', () => {
    expect(checkPair({ ...ecPair, nowMs })).toMatchObject({ ok: true, value: { names: ['ec.example'] } });
  });

  const bad: { name: string; pair: () => PairToCheck; want: string }[] = [
    {
      name: 'refuses the key of another certificate',
      pair: () => ({ ...leaf, key: otherLeaf.key, nowMs }),
      want: 'the private key belongs to another certificate',
    },
    {
      name: 'refuses a key of another type',
      pair: () => ({ ...leaf, key: ecPair.key, nowMs }),
      want: 'the private key belongs to another certificate',
    },
    {
      name: 'refuses a key behind a passphrase',
      pair: () => ({ ...leaf, key: lockedKey(), nowMs }),
      want: 'the private key cannot be decoded',
    },
    {
      name: 'refuses a key cut short',
      pair: () => ({ ...leaf, key: leaf.key.slice(0, 500), nowMs }),
      want: 'the private key cannot be decoded',
    },
    {
      name: 'refuses no key',
      pair: () => ({ ...leaf, key: '', nowMs }),
      want: 'the private key cannot be decoded',
    },
    {
      name: 'refuses no certificate',
      pair: () => ({ ...leaf, certificate: '', nowMs }),
      want: 'there is no PEM certificate',
    },
    {
      name: 'refuses a certificate cut short',
      pair: () => ({ ...leaf, certificate: leaf.certificate.slice(0, 500), nowMs }),
      want: 'there is no PEM certificate',
    },
    {
      name: 'refuses bytes that are no certificate',
      pair: () => ({
        ...leaf,
        certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        nowMs,
      }),
      want: 'a PEM certificate cannot be decoded',
    },
    {
      name: 'refuses a leaf that has ended',
      pair: () => ({ ...leaf, nowMs: nowMs + 2 * dayMs }),
      want: 'certificate "CN=a.example" ended at Jan  3 00:00:00 2030 GMT',
    },
    {
      name: 'refuses a leaf of the future',
      pair: () => ({ ...leaf, nowMs: nowMs - 6 * minuteMs }),
      want: 'certificate "CN=a.example" is not valid before Dec 31 23:55:00 2029 GMT',
    },
    {
      name: 'refuses a chain with the authority first',
      pair: () => ({ certificate: authority.certificate + leaf.certificate, key: authority.key, nowMs }),
      want: 'the leaf comes first',
    },
    {
      name: 'refuses a chain that goes on with a stranger',
      pair: () => ({ ...leaf, certificate: leaf.certificate + otherAuthority.certificate, nowMs }),
      want: 'certificate "CN=a.example" is not signed by certificate "CN=other"',
    },
    {
      name: 'refuses a leaf without alternative names',
      pair: () => ({ ...foreignLeaf(), nowMs }),
      want: 'names no host',
    },
  ];
  it.each(bad)('$name', ({ pair, want }) => {
    expect(checkPair(pair())).toMatchObject({ ok: false, problem: expect.stringContaining(want) as unknown });
  });

  it('refuses a chain whose authority has ended, however long the leaf is', () => {
    const outliving = foreignLeaf({ validDays: 100, altNames: [{ type: 2, value: 'a.example' }] });
    const certificate = outliving.certificate + authority.certificate;
    const answer = checkPair({ key: outliving.key, certificate, nowMs: nowMs + 11 * dayMs });
    expect(answer.ok ? '' : answer.problem).toContain('certificate "CN=one" ended');
    expect(checkPair({ key: outliving.key, certificate, nowMs })).toMatchObject({
      ok: true,
      value: { notAfterMs: Date.parse(new X509Certificate(authority.certificate).validTo) },
    });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (noise, key, at) => {
        const certificate = leaf.certificate.slice(0, at % 900) + noise + leaf.certificate.slice(at % 900);
        expect(typeof checkPair({ certificate, key, nowMs }).ok).toBe('boolean');
      }),
    );
  });
});

describe('checkAuthority', () => {
  it('accepts an authority and its key', () => {
    const notAfterMs = nowMs + 10 * dayMs;
    expect(checkAuthority({ ...authority, nowMs })).toEqual({
      ok: true,
      value: { notAfterMs, keyType: 'rsa' },
    });
  });

  const bad: { name: string; pair: () => PairToCheck; want: string }[] = [
    { name: 'refuses a leaf', pair: () => ({ ...leaf, nowMs }), want: 'is not an authority' },
    {
      name: 'refuses a bundle',
      pair: () => ({ ...authority, certificate: authority.certificate + otherAuthority.certificate, nowMs }),
      want: 'holds more than one certificate',
    },
    {
      name: 'refuses the key of another',
      pair: () => ({ ...authority, key: otherAuthority.key, nowMs }),
      want: 'the private key belongs to another certificate',
    },
    {
      name: 'refuses one that has ended',
      pair: () => ({ ...authority, nowMs: nowMs + 10 * dayMs }),
      want: 'ended at',
    },
  ];
  it.each(bad)('$name', ({ pair, want }) => {
    expect(checkAuthority(pair())).toMatchObject({
      ok: false,
      problem: expect.stringContaining(want) as unknown,
    });
  });
});

function lockedKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  }).privateKey;
}

/** Our own leaves always have names and end with their authority. */
function foreignLeaf({ validDays = 2, altNames = [] as readonly object[] } = {}): PemPair {
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const certificate = makeForeignCertificate(authority.key, (foreign) => {
    foreign.publicKey = forge.pki.certificateFromPem(leaf.certificate).publicKey;
    foreign.validity.notBefore = new Date(nowMs);
    foreign.validity.notAfter = new Date(nowMs + validDays * dayMs);
    foreign.setSubject([{ name: 'commonName', value: 'foreign' }]);
    foreign.setIssuer(issuer.subject.attributes);
    if (altNames.length > 0) foreign.setExtensions([{ name: 'subjectAltName', altNames }]);
  });
  return { certificate, key: leaf.key };
}
