/** UIDs and the endings of generated names, from an injected source so that a seeded run repeats itself. */
export interface Identifiers {
  uid(): string;
  /** Five characters for `generateName`. */
  nameSuffix(): string;
}

/** Kubernetes leaves out vowels and look-alikes, so that no words appear. */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;

/** `random` gives numbers from 0 up to, not including, 1. */
export function makeIdentifiers(random: () => number): Identifiers {
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return {
    // RFC 9562, version 4.
    uid: () =>
      `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'.charAt(Math.floor(random() * 4))}${hex(3)}-${hex(12)}`,
    nameSuffix: () =>
      Array.from({ length: suffixLength }, () =>
        suffixLetters.charAt(Math.floor(random() * suffixLetters.length)),
      ).join(''),
  };
}
