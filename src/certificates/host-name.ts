/** What a serving certificate can be valid for: a DNS name, perhaps with a wildcard in front, or an IP address. */
import { isIP } from 'node:net';
import { type Parsed, parsed, unparsable } from '../model/result.ts';

export type HostName =
  { readonly kind: 'dns'; readonly name: string } | { readonly kind: 'ip'; readonly address: string };

const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const dnsName = new RegExp(String.raw`^(\*\.)?${label}(\.${label})*$`);
const longestDnsName = 253;

/** Reads one name as written, in any case; refuses ports, schemes, spaces and empty text. Never throws. */
export function parseHostName(text: string): Parsed<HostName> {
  // An address with a zone (`fe80::1%eth0`) means something on one machine only.
  if (isIP(text) !== 0 && !text.includes('%')) return parsed({ kind: 'ip', address: text });
  const name = text.toLowerCase();
  // Digits and dots alone are a mistyped address, which no client would look up as a name.
  const isName = name.length <= longestDnsName && dnsName.test(name) && !/^[0-9.]+$/.test(name);
  if (!isName) return unparsable(`${JSON.stringify(text)} is neither a DNS name nor an IP address`);
  return parsed({ kind: 'dns', name });
}
