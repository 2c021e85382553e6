/** Certificates for tests that serve TLS: one authority per test file, since making a key takes a while. */
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import type { PemPair } from '../../src/certificates/pem.ts';

export async function makeAuthority(): Promise<PemPair> {
  return issueAuthority({ commonName: 'test authority', validDays: 2, nowMs: Date.now() });
}

/** A leaf for loopback, good for both ends of a connection. */
export async function makeLeaf(authority: PemPair): Promise<PemPair> {
  const leaf = await issueLeaf({
    clientAuth: true,
    authority,
    names: ['127.0.0.1', 'localhost'],
    validDays: 1,
    nowMs: Date.now(),
  });
  if (!leaf.ok) throw new Error(leaf.problem);
  return leaf.value;
}
