/**
 * Judges certificates that come from files, ours or someone else's (any key type Node knows): a bad pair is refused
 * with the reason and so never replaces a good one. Whether a client trusts the issuer is not judged here.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { PemPair } from './pem.ts';

export interface PairToCheck extends PemPair {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export interface CheckedPair {
  /** When the first certificate of the chain ends, milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** The DNS names and IP addresses that the leaf is valid for. */
  readonly names: readonly string[];
}

export interface CheckedAuthority {
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** As Node names it, e.g. `rsa` or `ec`. */
  readonly keyType: string;
}

/**
 * A certificate chain, leaf first, and its key, fit to serve with now. Refuses what cannot be decoded, a key of
 * another certificate, a chain out of order, dates that do not include now, and a leaf that names no host.
 */
export function checkPair({ certificate, key, nowMs }: PairToCheck): Parsed<CheckedPair> {
  const chain = parseChain(certificate);
  if (!chain.ok) return chain;
  const [leaf, ...issuers] = chain.value;
  const keyProblem = findKeyProblem(leaf, key);
  if (keyProblem !== undefined) return unparsable(keyProblem);
  if (leaf.ca) return unparsable('the first certificate is an authority; the leaf comes first');

  let below = leaf;
  for (const issuer of issuers) {
    if (!below.checkIssued(issuer) || !below.verify(issuer.publicKey)) {
      return unparsable(
        `${titleOf(below)} is not signed by ${titleOf(issuer)}, which follows it in the chain`,
      );
    }
    below = issuer;
  }
  for (const member of chain.value) {
    const problem = findDateProblem(member, nowMs);
    if (problem !== undefined) return unparsable(problem);
  }
  const names = namesOf(leaf);
  if (names.length === 0) {
    return unparsable('the certificate names no host (subjectAltName), so no client would accept it');
  }
  return parsed({ notAfterMs: Math.min(...chain.value.map(endOf)), names });
}

/** A single authority certificate and its key, fit to sign with now. */
export function checkAuthority({ certificate, key, nowMs }: PairToCheck): Parsed<CheckedAuthority> {
  const chain = parseChain(certificate);
  if (!chain.ok) return chain;
  const [authority] = chain.value;
  const problem =
    (chain.value.length > 1 ? 'holds more than one certificate' : undefined) ??
    findKeyProblem(authority, key) ??
    (authority.ca ? undefined : `${titleOf(authority)} is not an authority`) ??
    findDateProblem(authority, nowMs);
  if (problem !== undefined) return unparsable(problem);
  return parsed({
    notAfterMs: endOf(authority),
    keyType: authority.publicKey.asymmetricKeyType ?? 'unknown',
  });
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function parseChain(text: string): Parsed<readonly [X509Certificate, ...X509Certificate[]]> {
  try {
    const [first, ...more] = (text.match(pemCertificate) ?? []).map((block) => new X509Certificate(block));
    return first === undefined ? unparsable('there is no PEM certificate') : parsed([first, ...more]);
  } catch {
    // What OpenSSL says of the bytes helps nobody to find the wrong file.
    return unparsable('a PEM certificate cannot be decoded');
  }
}

function findKeyProblem(certificate: X509Certificate, key: string): string | undefined {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    return 'the private key cannot be decoded; it must be PEM without a passphrase';
  }
  return certificate.checkPrivateKey(privateKey)
    ? undefined
    : 'the private key belongs to another certificate';
}

function findDateProblem(certificate: X509Certificate, nowMs: number): string | undefined {
  if (nowMs < Date.parse(certificate.validFrom)) {
    return `${titleOf(certificate)} is not valid before ${certificate.validFrom}`;
  }
  return nowMs < endOf(certificate) ? undefined : `${titleOf(certificate)} ended at ${certificate.validTo}`;
}

function endOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

/** Node writes `DNS:a.example, IP Address:127.0.0.1`. */
function namesOf(certificate: X509Certificate): readonly string[] {
  return (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [, name] = /^(?:DNS|IP Address):(.+)$/.exec(entry) ?? [];
    return name === undefined ? [] : [name];
  });
}

function titleOf(certificate: X509Certificate): string {
  return `certificate "${certificate.subject.replaceAll('\n', ', ')}"`;
}
