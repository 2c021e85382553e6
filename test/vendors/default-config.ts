/** The blocks of all families with every key at its default. */
import { vendorSettings, type VendorsConfig } from '../../src/vendors/vendors.ts';
import { schemaParserWithDefaults } from '../../src/wire/validate.ts';

const parse = schemaParserWithDefaults<VendorsConfig>({
  type: 'object',
  additionalProperties: false,
  properties: vendorSettings,
});

export function defaultVendorsConfig(): VendorsConfig {
  const config = parse({});
  if (!config.ok) throw new Error(config.problem);
  return config.value;
}
