/**
 * Makes the configuration: flags over environment over file over HAMi's device configuration over what the command
 * assumes over defaults. All of it is laid together first, so that one schema judges whatever the source, and every
 * fault is reported at once with its place. Nothing here throws or logs; a start without a sound configuration is for
 * the caller to refuse.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { schemaParserWithDefaults } from '../wire/validate.ts';
import type { TesseraConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { findDoubts, findFaults } from './faults.ts';
import { type HamiDeviceConfig, parseHamiDeviceConfig } from './hami-device-config.ts';
import { deepFreeze, isMapping, type Mapping, overlay } from '../wire/mapping.ts';
import { configSchema } from './schema.ts';
import { fromEnvironment, fromFlags } from './written-values.ts';
import { parseYaml, readText } from './yaml-text.ts';

export interface ConfigSources {
  /** Path of our own file, YAML or JSON. */
  readonly file?: string;
  readonly environment: Environment;
  /** Keys as in the file, nested as there (`{ tls: { certFile } }`); undefined is "not given". */
  readonly flags: Mapping;
  /** What the command takes for granted where nobody says otherwise; keys as in the file. */
  readonly assumed?: Mapping;
}

export interface LoadedConfig {
  /** Deeply frozen. */
  readonly config: TesseraConfig;
  /** Whole sentences for the log, for what is allowed and probably not meant. */
  readonly warnings: readonly string[];
}

const parseConfig = schemaParserWithDefaults<TesseraConfig>(configSchema);

/** The checked configuration, or all its faults in one text. Reads the two files and nothing else. */
export function loadConfig({ file, environment, flags, assumed = {} }: ConfigSources): Parsed<LoadedConfig> {
  const own = file === undefined ? parsed({}) : readOwnFile(file);
  if (!own.ok) return own;
  const variables = fromEnvironment(environment);
  const written = overlay(overlay(own.value, variables.values), fromFlags(flags));

  const device = readDeviceConfig(written['deviceConfigFile']);
  const base = overlay(assumed, device.ok ? { vendors: device.value.vendors } : {});
  const config = parseConfig(overlay(base, written));
  const problems = [device, config].flatMap((part) => (part.ok ? [] : [part.problem]));
  if (config.ok) problems.push(...findFaults(config.value));
  if (!device.ok || !config.ok || problems.length > 0) return unparsable(problems.join('; '));

  const warnings = [...variables.warnings, ...device.value.warnings, ...findDoubts(config.value)];
  return parsed(deepFreeze({ config: config.value, warnings }));
}

function readOwnFile(file: string): Parsed<Mapping> {
  const documents = readDocuments(file);
  if (!documents.ok) return documents;
  const [document, ...more] = documents.value;
  if (more.length > 0) return unparsable(`${file}: holds more than one YAML document`);
  if (document === undefined || document === null) return parsed({});
  return isMapping(document) ? parsed(document) : unparsable(`${file}: is not a mapping of keys to values`);
}

function readDocuments(file: string): Parsed<readonly unknown[]> {
  const text = readText(file);
  const documents = text.ok ? parseYaml(text.value, 'strict') : text;
  return documents.ok ? documents : unparsable(`${file}: ${documents.problem}`);
}

/** Anything but a text is left to the schema, which refuses it. */
function readDeviceConfig(file: unknown): Parsed<HamiDeviceConfig> {
  if (typeof file !== 'string' || file === '') return parsed({ vendors: {}, warnings: [] });
  const text = readText(file);
  const config = text.ok ? parseHamiDeviceConfig(text.value) : text;
  if (!config.ok) return unparsable(`${file}: ${config.problem}`);
  return parsed({
    vendors: config.value.vendors,
    warnings: config.value.warnings.map((warning) => `${file}: ${warning}`),
  });
}
