/**
 * Reads the amounts that a container asks of a device family and says, for one that cannot be understood, what to
 * write instead. Amounts are plain integers (MiB, percent, cards); a binary suffix is refused because people mean
 * bytes by it and device plugins do not (spec Q12).
 */
import { askedQuantity, type ContainerObject } from '../model/cluster-objects.ts';
import { integerOf, parseQuantity, type Quantity } from '../model/quantity.ts';
import type { RequestProblem } from './vendor.ts';

export interface FieldRule {
  /** What the number counts, e.g. `MiB`, for the sentence to the user. */
  readonly unit: string;
  /** For amounts of memory: how many MiB one unit is, so that a size in bytes can be translated. */
  readonly mebibytesPerUnit?: number;
  /** 0 where left out. */
  readonly smallest?: number;
  readonly largest: number;
}

export type FieldReading =
  { readonly ok: true; readonly value?: number } | { readonly ok: false; readonly problem: RequestProblem };

/** One amount; absent when the container does not name the resource or the family does not have it. */
export function readField(
  container: ContainerObject,
  resource: string | undefined,
  rule: FieldRule,
): FieldReading {
  if (resource === undefined || resource === '') return { ok: true };
  const written = askedQuantity(container, resource);
  if (written === undefined) return { ok: true };
  const reading = judge(written, rule);
  if (reading.ok) return reading;
  return {
    ok: false,
    problem: { container: container.name, field: resource, value: written, fix: reading.fix },
  };
}

type Judgement = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly fix: string };

function judge(written: string, rule: FieldRule): Judgement {
  const { unit, smallest = 0, largest } = rule;
  const whole = `must be a whole number of ${unit} between ${smallest} and ${largest}`;
  const quantity = parseQuantity(written);
  if (quantity === undefined) return { ok: false, fix: `is not a number; it ${whole}` };
  if (quantity.binary) {
    const units = unitsOf(quantity, rule);
    const suggestion = units === undefined ? `it ${whole}, without a suffix` : `write ${units}`;
    return { ok: false, fix: `has a binary suffix, but the value counts ${unit}; ${suggestion}` };
  }
  if (quantity.numerator < 0n) return { ok: false, fix: `is negative; it ${whole}` };
  if (quantity.numerator % quantity.denominator !== 0n)
    return { ok: false, fix: `has a fraction; it ${whole}` };
  const value = integerOf(quantity);
  if (value === undefined || value > largest) return { ok: false, fix: `is too large; it ${whole}` };
  if (value < smallest) return { ok: false, fix: `is too small; it ${whole}` };
  return { ok: true, value };
}

/** What people mean by a size in bytes, in the field's own units; undefined when that would be refused in turn. */
function unitsOf(bytes: Quantity, { mebibytesPerUnit, largest }: FieldRule): number | undefined {
  if (mebibytesPerUnit === undefined) return undefined;
  const units = integerOf({
    ...bytes,
    denominator: bytes.denominator * 1024n * 1024n * BigInt(mebibytesPerUnit),
  });
  return units !== undefined && units > 0 && units <= largest ? units : undefined;
}
