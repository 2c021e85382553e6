/** The table of `docs/configuration.md`, rendered from the schema. */
import { configSchema } from '../../src/config/schema.ts';
import { type LeafSetting, listSettings, type Setting } from '../../src/wire/setting-schema.ts';
import { variableOf } from '../../src/config/written-values.ts';

export function renderSettingsTable(): string {
  const rows = listSettings(configSchema).map((setting) => [
    code(setting.path.join('.')),
    defaultOf(setting.rule),
    valuesOf(setting.rule),
    meaningOf(setting),
  ]);
  const header = [
    ['key', 'default', 'values', 'meaning'],
    ['---', '---', '---', '---'],
  ];
  return [...header, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function meaningOf(setting: Setting): string {
  const variable = variableOf(setting);
  return setting.rule.description + (variable === undefined ? '' : ` Variable: ${code(variable)}.`);
}

/** Entries of several keys are too long for a table. */
function defaultOf(rule: LeafSetting): string {
  const isLong = rule.type === 'array' && rule.default.some((entry) => typeof entry === 'object');
  return isLong ? `${rule.default.length} entries` : code(JSON.stringify(rule.default));
}

function valuesOf(rule: LeafSetting): string {
  switch (rule.type) {
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
    case 'number':
      return `${rule.type} from ${rule.minimum}${rule.maximum === undefined ? '' : ` to ${rule.maximum}`}`;
    case 'string':
      return rule.enum?.map(code).join(', ') ?? 'text';
    case 'array':
      return 'list';
  }
}

function code(text: string): string {
  return `\`${text}\``;
}
