/**
 * Environment variables and flags are texts; the schema judges typed values and coerces nothing. This file gives a
 * text the type that the schema wants where the text spells one. Any other text is left as it is, so that the one
 * schema refuses it by name: an unreadable number never becomes 0.
 */
import { isMapping, type Mapping } from '../wire/mapping.ts';
import { configSchema } from './schema.ts';
import { type AnySection, type LeafSetting, listSettings, type Setting } from '../wire/setting-schema.ts';

const prefix = 'TESSERA_';

/**
 * What Kubernetes puts into every container for a Service whose name begins with `tessera`
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
const ofServices = /_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)/;

export interface EnvironmentValues {
  readonly values: Mapping;
  readonly warnings: readonly string[];
}

/** The variable of a setting, e.g. `TESSERA_BODY_LIMIT_MIB`; only keys at the top level have one. */
export function variableOf({ path }: Setting): string | undefined {
  const [key, ...below] = path;
  if (key === undefined || below.length > 0) return undefined;
  return prefix + key.replace(/MiB$/, '_mib').replaceAll(/[A-Z]/g, '_$&').toUpperCase();
}

/** Values by key from the variables that are ours; a variable that looks like ours and is none gets a warning. */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentValues {
  const known = new Map(listSettings(configSchema).map((setting) => [variableOf(setting), setting]));
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !variable.startsWith(prefix) || ofServices.test(variable)) continue;
    const setting = known.get(variable);
    if (setting === undefined) warnings.push(`environment variable ${variable}: no such setting, ignored`);
    else values[setting.path.join('.')] = typed(text, setting.rule);
  }
  return { values, warnings };
}

/** Flags, with texts typed as the schema wants them at every depth; undefined stays undefined. */
export function fromFlags(flags: Mapping): Mapping {
  return typedSection(flags, configSchema);
}

function typedSection(values: Mapping, section: AnySection): Mapping {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      const rule = Object.hasOwn(section.properties, key) ? section.properties[key] : undefined;
      if (rule?.type === 'object') return [key, isMapping(value) ? typedSection(value, rule) : value];
      return [key, rule !== undefined && typeof value === 'string' ? typed(value, rule) : value];
    }),
  );
}

function typed(text: string, rule: LeafSetting): unknown {
  switch (rule.type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'integer':
    case 'number':
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
    case 'array':
      return text.split(',').map((item) => item.trim());
    case 'string':
      return text;
  }
}
