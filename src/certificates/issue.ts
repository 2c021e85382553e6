/**
 * Makes certificates: an authority of our own and leaves signed by it, for the webhook and the extender's Service.
 * Keys are RSA of 2048 bits, made by Node off the main thread; signatures are SHA-256. Nothing is stored here, and
 * time is handed in. Who may trust the authority is decided by whoever copies its certificate.
 */
import { generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { checkAuthority } from './check.ts';
import { type HostName, parseHostName } from './host-name.ts';
import type { PemPair } from './pem.ts';

export interface AuthorityOrder {
  readonly commonName: string;
  readonly validDays: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export interface LeafOrder {
  readonly authority: PemPair;
  /** DNS names and IP addresses, at least one. */
  readonly names: readonly string[];
  readonly validDays: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Whether the leaf may also prove who calls (mutual TLS); no by default. */
  readonly clientAuth?: boolean;
}

const keyBits = 2048;
const dayMs = 24 * 3600 * 1000;
/** Machines whose clocks are behind ours by less than this accept a new certificate at once. */
const clockSkewMs = 5 * 60 * 1000;
/** The bound that X.520 puts on a common name. */
const longestCommonName = 64;

/** A self-signed authority that may sign leaves and nothing below them. */
export async function issueAuthority({ commonName, validDays, nowMs }: AuthorityOrder): Promise<PemPair> {
  const keys = await makeKeys();
  const subject = subjectOf(commonName);
  const certificate = makeCertificate({
    keys,
    subject,
    issuer: subject,
    nowMs,
    notAfterMs: nowMs + validDays * dayMs,
  });
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, keys.privateKey, keys.privateKey);
}

/**
 * A leaf for a server under these names. It ends with its authority at the latest. Refuses when there is no name, a
 * name is none, or the authority cannot sign (not an authority, ended, another key, not RSA).
 */
export async function issueLeaf(order: LeafOrder): Promise<Parsed<PemPair>> {
  const { authority, names, validDays, nowMs, clientAuth = false } = order;
  const hosts = parseHostNames(names);
  if (!hosts.ok) return hosts;
  const checked = checkAuthority({ ...authority, nowMs });
  if (!checked.ok) return checked;
  if (checked.value.keyType !== 'rsa') return unparsable('the authority must have an RSA key to sign with');
  const issuer = forge.pki.certificateFromPem(authority.certificate);

  const keys = await makeKeys();
  const certificate = makeCertificate({
    keys,
    subject: subjectOf(commonNameOf(hosts.value)),
    issuer: issuer.subject.attributes,
    nowMs,
    notAfterMs: Math.min(nowMs + validDays * dayMs, checked.value.notAfterMs),
  });
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true, clientAuth },
    { name: 'subjectAltName', altNames: hosts.value.map(altNameOf) },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifierOf(issuer) },
  ]);
  return parsed(signed(certificate, authority.key, keys.privateKey));
}

function parseHostNames(names: readonly string[]): Parsed<readonly HostName[]> {
  if (names.length === 0) return unparsable('a certificate needs at least one name');
  const hosts: HostName[] = [];
  const problems: string[] = [];
  for (const name of new Set(names)) {
    const host = parseHostName(name);
    if (host.ok) hosts.push(host.value);
    else problems.push(host.problem);
  }
  return problems.length === 0 ? parsed(hosts) : unparsable(problems.join('; '));
}

interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

async function makeKeys(): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: keyBits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

interface CertificateBody {
  readonly keys: KeyPair;
  readonly subject: forge.pki.CertificateField[];
  readonly issuer: forge.pki.CertificateField[];
  readonly nowMs: number;
  readonly notAfterMs: number;
}

function makeCertificate({
  keys,
  subject,
  issuer,
  nowMs,
  notAfterMs,
}: CertificateBody): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey);
  certificate.serialNumber = makeSerial();
  certificate.validity.notBefore = new Date(nowMs - clockSkewMs);
  certificate.validity.notAfter = new Date(notAfterMs);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  return certificate;
}

/** The authority's own word for its key where it has one, or else the usual hash: clients compare the two. */
function keyIdentifierOf(authority: forge.pki.Certificate): string {
  const extension: unknown = authority.getExtension('subjectKeyIdentifier');
  const written: unknown =
    typeof extension === 'object' && extension !== null && 'subjectKeyIdentifier' in extension
      ? extension.subjectKeyIdentifier
      : undefined;
  return typeof written === 'string'
    ? forge.util.hexToBytes(written)
    : authority.generateSubjectKeyIdentifier().getBytes();
}

/** 16 random bytes whose first two bits are 01: positive, and of the same length in every certificate. */
function makeSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function subjectOf(commonName: string): forge.pki.CertificateField[] {
  // The types take this for a tag class; it is a string type. The default, PrintableString, has no `*`.
  const valueTagClass = forge.asn1.Type.UTF8 as unknown as forge.asn1.Class;
  return [{ name: 'commonName', value: commonName.slice(0, longestCommonName), valueTagClass }];
}

/** For people only: clients judge by the alternative names. */
function commonNameOf(hosts: readonly HostName[]): string {
  const [first] = hosts;
  const name = first?.kind === 'dns' ? first.name : (first?.address ?? '');
  return name.length <= longestCommonName ? name : 'tessera';
}

/** Types of alternative names, RFC 5280 §4.2.1.6. */
function altNameOf(host: HostName): object {
  return host.kind === 'dns' ? { type: 2, value: host.name } : { type: 7, ip: host.address };
}

function signed(certificate: forge.pki.Certificate, signerKey: string, ownKey: string): PemPair {
  certificate.sign(nativeSigner(certificate, signerKey), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), key: ownKey };
}

/**
 * A key for forge that lets Node do the arithmetic, which in forge would hold the event loop for tens of ms. Forge asks
 * it to sign once the body of the certificate is complete.
 */
function nativeSigner(certificate: forge.pki.Certificate, signerKey: string): forge.pki.rsa.PrivateKey {
  const signBody = () => {
    const body = Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), 'latin1');
    return sign('sha256', body, signerKey).toString('latin1');
  };
  return { sign: signBody } as unknown as forge.pki.rsa.PrivateKey;
}
