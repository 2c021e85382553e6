import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import forge from 'node-forge';
import { checkPair } from '../../src/certificates/check.ts';
import { issueAuthority, issueLeaf, type LeafOrder } from '../../src/certificates/issue.ts';
import type { PemPair } from '../../src/certificates/pem.ts';
import { makeForeignCertificate } from './foreign-certificate.ts';

// The TLS clients of these tests judge dates by the clock of the machine.
const nowMs = Date.now();
const dayMs = 24 * 3600 * 1000;
const names = ['tessera.tessera.svc', '*.wild.example', '127.0.0.1', '::1'];

let authority: PemPair;
let leaf: PemPair;

beforeAll(async () => {
  authority = await issueAuthority({ commonName: 'test authority', validDays: 10, nowMs });
  leaf = await leafOf({});
});

async function leafOf(order: Partial<LeafOrder>): Promise<PemPair> {
  const issued = await issueLeaf({ authority, names, validDays: 5, nowMs, ...order });
  if (!issued.ok) throw new Error(issued.problem);
  return issued.value;
}

async function problemOf(order: Partial<LeafOrder>): Promise<string> {
  const issued = await issueLeaf({ authority, names, validDays: 5, nowMs, ...order });
  return issued.ok ? 'issued' : issued.problem;
}

describe('issueAuthority', () => {
  it('may sign leaves, and vouches for itself', () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe('CN=test authority');
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });
});

describe('issueLeaf', () => {
  it('is signed by the authority and is none itself', () => {
    const certificate = new X509Certificate(leaf.certificate);
    const issuer = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
  });

  it('is valid from five minutes ago for the days asked', () => {
    const { validFrom, validTo } = new X509Certificate(leaf.certificate);
    expect(secondsBetween(Date.parse(validFrom), nowMs - 5 * 60 * 1000)).toBeLessThan(1);
    expect(secondsBetween(Date.parse(validTo), nowMs + 5 * dayMs)).toBeLessThan(1);
  });

  it('never outlives its authority', async () => {
    const { certificate } = await leafOf({ validDays: 1000 });
    expect(new X509Certificate(certificate).validTo).toBe(new X509Certificate(authority.certificate).validTo);
  });

  it('has a positive serial number of 16 bytes, another in each', async () => {
    const serials = [leaf, await leafOf({}), authority].map(
      ({ certificate }) => new X509Certificate(certificate).serialNumber,
    );
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(new Set(serials).size).toBe(3);
  });

  it('serves, and proves who calls only where asked', async () => {
    const serverAuth = '1.3.6.1.5.5.7.3.1';
    const clientAuth = '1.3.6.1.5.5.7.3.2';
    const usagesOf = ({ certificate }: PemPair) => new X509Certificate(certificate).keyUsage;
    expect(usagesOf(leaf)).toEqual([serverAuth]);
    expect(usagesOf(await leafOf({ clientAuth: true }))).toEqual([serverAuth, clientAuth]);
  });

  it('names a name once that was given twice', async () => {
    const { certificate } = await leafOf({ names: ['a.example', 'a.example'] });
    expect(new X509Certificate(certificate).subjectAltName).toBe('DNS:a.example');
  });

  it('is taken by people for its first name, where that is short enough', async () => {
    const long = `${'a'.repeat(60)}.example`;
    const subjects = [leaf, await leafOf({ names: [long] }), await leafOf({ names: ['::1'] })].map(
      ({ certificate }) => new X509Certificate(certificate).subject,
    );
    expect(subjects).toEqual(['CN=tessera.tessera.svc', 'CN=tessera', 'CN=::1']);
  });

  it('refuses no name', async () => {
    expect(await problemOf({ names: [] })).toBe('a certificate needs at least one name');
  });

  it('refuses what is no name, all of it at once', async () => {
    expect(await problemOf({ names: ['ok', 'a b', '1.2.3.400'] })).toBe(
      '"a b" is neither a DNS name nor an IP address; "1.2.3.400" is neither a DNS name nor an IP address',
    );
  });

  it('refuses an authority that is a leaf', async () => {
    expect(await problemOf({ authority: leaf })).toContain('is not an authority');
  });

  it('refuses an authority that has ended', async () => {
    expect(await problemOf({ nowMs: nowMs + 11 * dayMs })).toContain('ended at');
  });

  it("refuses an authority with another's key", async () => {
    expect(await problemOf({ authority: { ...authority, key: leaf.key } })).toBe(
      'the private key belongs to another certificate',
    );
  });

  it('refers to an authority made elsewhere by the identifier that it bears', async () => {
    const foreign = foreignAuthority('0102030405060708');
    const { certificate } = await leafOf({ authority: foreign });
    // OpenSSL compares the identifiers of the two.
    expect(new X509Certificate(certificate).checkIssued(new X509Certificate(foreign.certificate))).toBe(true);
  });
});

describe('a client of a server with such a leaf', () => {
  const asked = [
    { name: 'accepts a DNS name it has', host: 'tessera.tessera.svc', wantRefusal: undefined },
    { name: 'accepts a name under its wildcard', host: 'a.wild.example', wantRefusal: undefined },
    { name: 'accepts an IPv4 address it has', host: '127.0.0.1', wantRefusal: undefined },
    { name: 'accepts an IPv6 address it has', host: '::1', wantRefusal: undefined },
    {
      name: 'refuses a name it has not',
      host: 'other.tessera.svc',
      wantRefusal: 'ERR_TLS_CERT_ALTNAME_INVALID',
    },
    { name: 'refuses an address it has not', host: '127.0.0.2', wantRefusal: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  ];
  it.each(asked)('$name', async ({ host, wantRefusal }) => {
    expect(await call(leaf, { ca: authority.certificate, host })).toBe(wantRefusal ?? 'answered');
  });

  it('refuses it without knowing the authority', async () => {
    const stranger = await issueAuthority({ commonName: 'test authority', validDays: 10, nowMs });
    expect(await call(leaf, { ca: stranger.certificate, host: '127.0.0.1' })).not.toBe('answered');
  });

  it('accepts it while it trusts an old and a new authority of one name', async () => {
    const old = await issueAuthority({ commonName: 'test authority', validDays: 10, nowMs });
    const bundle = `${old.certificate}${authority.certificate}`;
    const oldLeaf = await leafOf({ authority: old });
    expect(await call(leaf, { ca: bundle, host: '127.0.0.1' })).toBe('answered');
    expect(await call(oldLeaf, { ca: bundle, host: '127.0.0.1' })).toBe('answered');
  });
});

describe('a pair just issued', () => {
  it('passes the check, with its names and its end', () => {
    expect(checkPair({ ...leaf, nowMs })).toEqual({
      ok: true,
      value: {
        names: ['tessera.tessera.svc', '*.wild.example', '127.0.0.1', '0:0:0:0:0:0:0:1'],
        notAfterMs: Date.parse(new X509Certificate(leaf.certificate).validTo),
      },
    });
  });
});

function secondsBetween(oneMs: number, otherMs: number): number {
  return Math.abs(oneMs - otherMs) / 1000;
}

/** Calls a real server on loopback as if it had been found under `host`: `answered`, or the code of the refusal. */
async function call(pair: PemPair, { ca, host }: { ca: string; host: string }): Promise<string> {
  const server = createServer({ cert: pair.certificate, key: pair.key }, (_, response) =>
    response.end('yes'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve) => {
      const request = get(
        {
          host: '127.0.0.1',
          port,
          ca,
          agent: false,
          checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
        },
        (response) => {
          response.resume();
          response.on('end', () => {
            resolve('answered');
          });
        },
      );
      request.on('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? error.message);
      });
    });
  } finally {
    server.close();
    await once(server, 'close');
  }
}

/** An authority whose subject key identifier is not the usual hash of its key. */
function foreignAuthority(identifierHex: string): PemPair {
  const { Class, Type, create, toDer } = forge.asn1;
  const identifier = create(Class.UNIVERSAL, Type.OCTETSTRING, false, forge.util.hexToBytes(identifierHex));
  const own = forge.pki.certificateFromPem(authority.certificate);
  const certificate = makeForeignCertificate(authority.key, (foreign) => {
    foreign.publicKey = own.publicKey;
    foreign.validity = own.validity;
    foreign.setSubject(own.subject.attributes);
    foreign.setIssuer(own.subject.attributes);
    foreign.setExtensions([
      { name: 'basicConstraints', critical: true, cA: true },
      { id: '2.5.29.14', critical: false, value: toDer(identifier).getBytes() },
    ]);
  });
  return { certificate, key: authority.key };
}
