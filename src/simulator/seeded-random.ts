/**
 * Numbers that look like chance and repeat with their seed: sfc32, "small fast counting", by Chris Doty-Humphrey
 * (PractRand, public domain). Not for secrets.
 */
import type { Random } from './policy.ts';

/** Until every bit of the seed has reached every bit of the state. */
const warmUps = 12;

/**
 * Uniform in [0, 1), in steps of 2^-32.
 *
 * @param seed any safe integer
 * @param stream sequences of one seed and different streams have nothing to do with each other
 */
export function seededRandom(seed: number, stream = 0): Random {
  let a = stream | 0;
  let b = seed | 0;
  let c = Math.floor(seed / 2 ** 32) | 0;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < warmUps; round += 1) next();
  return next;
}

/** The numbers 0 to `length` - 1 in an order of chance (Fisher and Yates). */
export function shuffledNumbers(length: number, random: Random): number[] {
  const numbers = Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const moved = numbers[last] ?? 0;
    numbers[last] = numbers[other] ?? 0;
    numbers[other] = moved;
  }
  return numbers;
}
