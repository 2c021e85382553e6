/**
 * `limits` and `requests`: stored spellings, requests taken from limits, and the rules that decide which amounts a pod
 * may ask for. Extended resources (`nvidia.com/gpu` and the like) are whole numbers and cannot be overcommitted.
 */
import { parseQuantity, type Quantity } from '../../model/quantity.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { canonicalQuantity } from './canonical-quantity.ts';
import { at, isRecord, type JsonRecord, recordAt, textAt } from './json.ts';
import type { FieldFault } from './status.ts';

const grammarProblem =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Amounts by resource name in their stored spelling, in the order of the names. Refuses what is no quantity. */
function canonicalAmounts(amounts: JsonRecord): Parsed<JsonRecord> {
  const canonical: [string, string][] = [];
  for (const [name, value] of Object.entries(amounts)) {
    const text =
      typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(String(value)) : undefined;
    if (text === undefined) return unparsable(grammarProblem);
    canonical.push([name, text]);
  }
  return parsed(Object.fromEntries(canonical.toSorted(([one], [other]) => (one < other ? -1 : 1))));
}

/** The members of `holder` named in `lists` with canonical amounts; absent members stay absent. */
export function withCanonicalAmounts(holder: unknown, ...lists: readonly string[]): Parsed<JsonRecord> {
  let result: JsonRecord = isRecord(holder) ? holder : {};
  for (const list of lists) {
    if (!isRecord(at(result, list))) continue;
    const amounts = canonicalAmounts(recordAt(result, list));
    if (!amounts.ok) return amounts;
    result = { ...result, [list]: amounts.value };
  }
  return parsed(result);
}

/** A container's resources as stored: what has a limit and no request is requested as well. */
export function decodeResources(resources: unknown): Parsed<JsonRecord> {
  const canonical = withCanonicalAmounts(resources, 'limits', 'requests');
  if (!canonical.ok) return canonical;
  const limits = recordAt(canonical.value, 'limits');
  const requests = { ...limits, ...recordAt(canonical.value, 'requests') };
  return parsed({
    ...canonical.value,
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
  });
}

const standardNames = new Set(['cpu', 'memory', 'ephemeral-storage']);

function isOvercommitable(name: string): boolean {
  return standardNames.has(name);
}

/** What is wrong with a container's resources; `field` is the path of `resources`. */
export function resourceFaults(resources: unknown, field: string): readonly FieldFault[] {
  const limits = recordAt(resources, 'limits');
  const requests = recordAt(resources, 'requests');
  return [
    ...amountFaults(limits, `${field}.limits`),
    ...amountFaults(requests, `${field}.requests`),
    ...Object.entries(requests).flatMap(([name, request]) => {
      const limit = textAt(limits, name);
      if (limit === '') {
        if (isOvercommitable(name)) return [];
        const detail = 'Limit must be set for non overcommitable resources';
        return [{ kind: 'Required', field: `${field}.limits`, detail } as const];
      }
      return ratioFaults(name, String(request), limit, `${field}.requests`);
    }),
  ];
}

function amountFaults(amounts: JsonRecord, field: string): readonly FieldFault[] {
  return Object.entries(amounts).flatMap(([name, amount]): readonly FieldFault[] => {
    const place = `${field}[${name}]`;
    const value = String(amount);
    const quantity = parseQuantity(value);
    if (!standardNames.has(name) && !name.includes('/') && !name.startsWith('hugepages-')) {
      return [
        { kind: 'Invalid', field: place, value: name, detail: 'must be a standard resource for containers' },
      ];
    }
    if (quantity === undefined) return [];
    if (quantity.numerator < 0n) {
      return [{ kind: 'Invalid', field: place, value, detail: 'must be greater than or equal to 0' }];
    }
    return name.includes('/') && quantity.numerator % quantity.denominator !== 0n
      ? [{ kind: 'Invalid', field: place, value, detail: 'must be an integer' }]
      : [];
  });
}

function ratioFaults(name: string, request: string, limit: string, field: string): readonly FieldFault[] {
  const asked = parseQuantity(request);
  const bound = parseQuantity(limit);
  if (asked === undefined || bound === undefined) return [];
  const order = compare(asked, bound);
  if (!isOvercommitable(name) && order !== 0) {
    return [{ kind: 'Invalid', field, value: request, detail: `must be equal to ${name} limit of ${limit}` }];
  }
  return order > 0
    ? [
        {
          kind: 'Invalid',
          field,
          value: request,
          detail: `must be less than or equal to ${name} limit of ${limit}`,
        },
      ]
    : [];
}

function compare(one: Quantity, other: Quantity): number {
  const difference = one.numerator * other.denominator - other.numerator * one.denominator;
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}
