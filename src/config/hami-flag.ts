/**
 * One row of the table of HAMi's flags: what it is called, what becomes of it, and how its value is read. The rows
 * themselves are in `hami-flag-table.ts`, those of the vendors beside their families.
 */
import { type Parsed, parsed } from '../model/result.ts';
import { parseGoBool } from '../wire/go-values.ts';
import type { Mapping } from '../wire/mapping.ts';
import type { FlagShape } from './go-flags.ts';

export interface CarriedFlag {
  /** Settings that win over everything, as flags do. */
  readonly settings?: Mapping;
  /** Settings that even a device configuration wins over. */
  readonly assumed?: Mapping;
  /** Said of a value that is taken for another. */
  readonly warning?: string;
}

export interface HamiFlag {
  /** As HAMi spells it, without dashes in front. */
  readonly flag: string;
  readonly shape: FlagShape;
  /** What becomes of it, in one sentence. */
  readonly fate: string;
  /** What its value means; absent for a flag that is not carried over. */
  readonly read?: Reader<string>;
  /** The value that it has where it is not given, if that says anything. */
  readonly unlessGiven?: string;
}

export type Reader<T> = (value: T) => Parsed<CarriedFlag>;

export function value(flag: string, fate: string, read?: Reader<string>): HamiFlag {
  return { flag, shape: 'value', fate, ...(read === undefined ? {} : { read }) };
}

export function onOff(flag: string, fate: string, read?: Reader<boolean>): HamiFlag {
  if (read === undefined) return { flag, shape: 'switch', fate };
  return {
    flag,
    shape: 'switch',
    fate,
    read: (text) => {
      const on = parseGoBool(text);
      return on.ok ? read(on.value) : on;
    },
  };
}

export function set(settings: Mapping): Parsed<CarriedFlag> {
  return parsed({ settings });
}
