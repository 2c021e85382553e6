/** The vendors that a family makes when it is switched on, every key at its default unless a test names it. */
import type { FamilyConfig, VendorFamily } from '../../src/vendors/vendor-family.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { schemaParserWithDefaults } from '../../src/wire/validate.ts';

export function vendorsOf<C extends FamilyConfig>(
  family: VendorFamily<C>,
  changes: Partial<C> = {},
): readonly Vendor[] {
  const parse = schemaParserWithDefaults<{ readonly block: C }>({
    type: 'object',
    properties: { block: family.settings },
  });
  const config = parse({ block: { enabled: true, ...changes } });
  if (!config.ok) throw new Error(`a test asks for an impossible configuration: ${config.problem}`);
  return family.make(config.value.block);
}
