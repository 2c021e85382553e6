/** Addresses to listen on, as people write them in flags: `127.0.0.1:8080`, `:9395`, `[::1]:80`, `localhost:0`. */
import { type Parsed, parsed, unparsable } from '../model/result.ts';

export interface ListenAddress {
  /** Without brackets; `0.0.0.0` when none was written. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

const everywhere = '0.0.0.0';
const grammar = /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:\s/]*)):(\d{1,5})$/;
const largestPort = 65_535;

/** Host and port; refuses a missing or too large port and an IPv6 address without brackets. Never throws. */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const [matched, ipv6, host, port] = grammar.exec(text) ?? [];
  if (matched === undefined || Number(port) > largestPort) {
    return unparsable(
      `${JSON.stringify(text)} is not an address to listen on; write host:port, such as 127.0.0.1:8080, :9395 or [::1]:80`,
    );
  }
  const written = ipv6 ?? host ?? '';
  return parsed({ host: written === '' ? everywhere : written, port: Number(port) });
}

/** Whether two servers could not both listen. Hosts are compared as written, so names of one host are missed. */
export function canClash(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  return one.host === other.host || isEverywhere(one.host) || isEverywhere(other.host);
}

function isEverywhere(host: string): boolean {
  return host === everywhere || host === '::';
}
