/**
 * What the serving certificate consists of, what it lacks at a given time, and how that is made. Authorities are a
 * bundle: the first one signs, the others are trusted still, for the sake of replicas that serve what they signed. So
 * a new authority comes first and a leaf of it later, once clients have been told. Nothing is read or stored here.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkAuthority, type CheckedPair, checkPair } from '../certificates/check.ts';
import { issueAuthority, issueLeaf } from '../certificates/issue.ts';
import { type Parsed, parsed } from '../model/result.ts';

export interface ServingMaterial {
  /** PEM certificates; the first one's key is `authorityKey`. */
  readonly authorities: string;
  readonly authorityKey: string;
  /** The leaf, PEM. */
  readonly certificate: string;
  readonly key: string;
}

export type Lack =
  | 'nothing'
  /** There is no authority to sign with, so nothing can be kept. */
  | 'everything'
  /** The authority ends before long; its leaf is good still. */
  | 'authority'
  /** The leaf is unusable, or its authority is not the one that signs. */
  | 'leaf'
  /** The leaf is good, and not for all the names it should be for. */
  | 'names'
  /** The leaf ends before long. */
  | 'fresh-leaf';

export interface Wanted {
  /** DNS names and IP addresses of the leaf. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const dayMs = 24 * 3600 * 1000;
const leafValidDays = 90;
const authorityValidDays = 3650;
/** A third of the leaf's life. */
const leafRenewalMs = (leafValidDays / 3) * dayMs;
/** Long enough for a last leaf to live and to be replaced in good time. */
const authorityRenewalMs = 2 * leafValidDays * dayMs;

/**
 * The most urgent lack. `clientsTrustAll` says that every client is known to trust all authorities of the bundle:
 * before that, a leaf of an authority further down is left alone.
 */
export function findLack(material: ServingMaterial, wanted: Wanted, clientsTrustAll: boolean): Lack {
  const { names, nowMs } = wanted;
  const [signer = ''] = splitBundle(material.authorities);
  const authority = checkAuthority({ certificate: signer, key: material.authorityKey, nowMs });
  if (!authority.ok || authority.value.keyType !== 'rsa') return 'everything';
  const leaf = checkPair({ ...material, nowMs });
  if (!leaf.ok || signerPlace(material) < 0) return 'leaf';
  if (authority.value.notAfterMs - nowMs < authorityRenewalMs) return 'authority';
  if (signerPlace(material) > 0 && clientsTrustAll) return 'leaf';
  if (!isForAll(names, material.certificate, leaf.value)) return 'names';
  return leaf.value.notAfterMs - nowMs < leafRenewalMs ? 'fresh-leaf' : 'nothing';
}

/** Makes what is lacking and keeps the rest. Refuses when a wanted name is none. */
export async function supply(
  material: ServingMaterial,
  lack: Exclude<Lack, 'nothing'>,
  wanted: Wanted,
): Promise<Parsed<ServingMaterial>> {
  switch (lack) {
    case 'everything':
      return withLeaf(await withAuthority(material, wanted), wanted);
    case 'authority':
      return parsed(await withAuthority(material, wanted));
    case 'leaf':
      return withLeaf(material, wanted);
    case 'names': {
      // Two replicas with different names, as during an upgrade, must not replace each other's leaf for ever.
      const present = checkPair({ ...material, nowMs: wanted.nowMs });
      const names = [...wanted.names, ...(present.ok ? present.value.names : [])];
      return withLeaf(material, { ...wanted, names });
    }
    case 'fresh-leaf': {
      // By now every replica has served a leaf of the first authority for weeks.
      const [signer = ''] = splitBundle(material.authorities);
      const authorities = signerPlace(material) === 0 ? signer : material.authorities;
      return withLeaf({ ...material, authorities }, wanted);
    }
  }
}

/** For a start from nothing. */
export const noMaterial: ServingMaterial = { authorities: '', authorityKey: '', certificate: '', key: '' };

/** When the leaf ends, milliseconds since the epoch; 0 for what cannot be served. */
export function endOfLeaf({ certificate, key }: ServingMaterial, nowMs: number): number {
  const checked = checkPair({ certificate, key, nowMs });
  return checked.ok ? checked.value.notAfterMs : 0;
}

/** True when both leaves are trusted by the same authority, i.e. one may replace the other at once. */
export function haveSameSigner(one: ServingMaterial, other: ServingMaterial): boolean {
  return signerPlace({ ...one, authorities: other.authorities }) === signerPlace(other);
}

async function withAuthority(material: ServingMaterial, { nowMs }: Wanted): Promise<ServingMaterial> {
  const { certificate, key } = await issueAuthority({
    commonName: 'tessera',
    validDays: authorityValidDays,
    nowMs,
  });
  const former = splitBundle(material.authorities).filter((pem) => isAlive(pem, nowMs));
  return { ...material, authorities: [certificate, ...former].join(''), authorityKey: key };
}

async function withLeaf(
  material: ServingMaterial,
  { names, nowMs }: Wanted,
): Promise<Parsed<ServingMaterial>> {
  const [signer = ''] = splitBundle(material.authorities);
  const authority = { certificate: signer, key: material.authorityKey };
  const leaf = await issueLeaf({ authority, names, validDays: leafValidDays, nowMs });
  return leaf.ok ? parsed({ ...material, ...leaf.value }) : leaf;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function splitBundle(text: string): readonly string[] {
  return (text.match(pemCertificate) ?? []).map((pem) => `${pem}\n`);
}

/** Which authority of the bundle signed the leaf; -1 when none did. */
function signerPlace({ authorities, certificate }: ServingMaterial): number {
  const leaf = decode(certificate);
  return splitBundle(authorities).findIndex((pem) => {
    const authority = decode(pem);
    return (
      leaf !== undefined &&
      authority !== undefined &&
      leaf.checkIssued(authority) &&
      leaf.verify(authority.publicKey)
    );
  });
}

function isAlive(pem: string, nowMs: number): boolean {
  const certificate = decode(pem);
  return certificate !== undefined && nowMs < Date.parse(certificate.validTo);
}

function isForAll(names: readonly string[], pem: string, leaf: CheckedPair): boolean {
  const certificate = decode(pem);
  return names.every((name) =>
    // An IPv6 address can be written in several ways.
    isIP(name) === 0 ? leaf.names.includes(name.toLowerCase()) : certificate?.checkIP(name) !== undefined,
  );
}

/** Undefined for what is no certificate: the Secret may hold anything. */
function decode(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
