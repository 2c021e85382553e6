/**
 * Which versions of HAMi's NVIDIA device plugin a node's annotations imply (spec §1.2, §1.3, §2.5, Appendix A). The form
 * of this one register changed with the versions; those of other families tell nothing.
 */
import { isMapping } from '../../wire/mapping.ts';
import { isReported } from '../handshake.ts';
import type { ImpliedVersion } from '../vendor.ts';

/** Undefined without a register, and for one that nobody could have written. */
export function nvidiaPluginVersion(
  register: string | undefined,
  handshake: string | undefined,
): ImpliedVersion | undefined {
  if (register === undefined) return undefined;
  const implied = register.trimStart().startsWith('[') ? versionOfJson(register) : versionOfCsv(register);
  if (implied?.beforeV28 !== false || !isReported(handshake)) return implied;
  return {
    ...implied,
    because: `${implied.because}; the handshake is one of a plugin up to v2.7, left over`,
  };
}

function versionOfCsv(register: string): ImpliedVersion | undefined {
  const fields = register
    .split(':')
    .find((record) => record.trim() !== '')
    ?.split(',').length;
  if (fields === 7)
    return { versions: 'v2.4 or older', because: 'CSV register of 7 fields', beforeV28: true };
  if (fields === 9) return { versions: 'v2.5 to v2.7', because: 'CSV register of 9 fields', beforeV28: true };
  return undefined;
}

function versionOfJson(register: string): ImpliedVersion | undefined {
  let cards: unknown;
  try {
    cards = JSON.parse(register);
  } catch {
    return undefined;
  }
  if (!Array.isArray(cards)) return undefined;
  const has = (key: string) => cards.some((card: unknown) => isMapping(card) && card[key] !== undefined);
  if (has('migProfiles')) {
    return { versions: 'v2.10 or later', because: 'JSON register with migProfiles', beforeV28: false };
  }
  return has('devicepairscore')
    ? { versions: 'v2.8 or v2.9', because: 'JSON register with devicepairscore', beforeV28: false }
    : { versions: 'v2.10 or later', because: 'JSON register without devicepairscore', beforeV28: false };
}
