/**
 * The form of our JSON Schema, as types: for a configuration type `T` it demands a schema node for every key and for
 * no other, each with a default and a description. A key added to one of the two and forgotten in the other does not
 * compile. Also the list of settings that other code walks instead of the schema.
 */
import type { JsonSchema } from './validate.ts';

interface Described<T> {
  readonly description: string;
  readonly default: T;
}

export interface SwitchSetting extends Described<boolean> {
  readonly type: 'boolean';
}

export interface NumberSetting extends Described<number> {
  readonly type: 'integer' | 'number';
  readonly minimum: number;
  readonly maximum?: number;
}

export interface TextSetting<T extends string = string> extends Described<T> {
  readonly type: 'string';
  readonly enum?: readonly T[];
  readonly pattern?: string;
  readonly minLength?: number;
}

export interface ListSetting<T = unknown> extends Described<readonly T[]> {
  readonly type: 'array';
  readonly items: JsonSchema;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
}

export interface SectionSchema<T> {
  readonly type: 'object';
  readonly additionalProperties: false;
  /** An absent section is filled with its own defaults; the root has no need of it. */
  readonly default?: Readonly<Record<string, never>>;
  readonly properties: { readonly [K in keyof T]-?: SettingSchema<T[K]> };
}

/** The tuples keep a union such as `'binpack' | 'spread'` whole. */
export type SettingSchema<T> = [T] extends [boolean]
  ? SwitchSetting
  : [T] extends [number]
    ? NumberSetting
    : [T] extends [string]
      ? TextSetting<T>
      : [T] extends [readonly (infer Item)[]]
        ? ListSetting<Item>
        : SectionSchema<T>;

export type LeafSetting = SwitchSetting | NumberSetting | TextSetting | ListSetting;

/** Any section, once its keys no longer matter. */
export interface AnySection {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, LeafSetting | AnySection>>;
}

export interface Setting {
  /** Keys from the root, e.g. `['tls', 'certFile']`. */
  readonly path: readonly string[];
  readonly rule: LeafSetting;
}

/** Every leaf below a section in the order of the schema. */
export function listSettings(section: AnySection, above: readonly string[] = []): readonly Setting[] {
  return Object.entries(section.properties).flatMap(([key, rule]) => {
    const path = [...above, key];
    return rule.type === 'object' ? listSettings(rule, path) : [{ path, rule }];
  });
}
