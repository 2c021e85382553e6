/**
 * The NVIDIA vendor as tests want it: its configuration with the defaults of the schema, changed where a test says
 * so, the vendor made from it, and its resources by name.
 */
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import { nvidiaSettings } from '../../src/vendors/nvidia/nvidia-settings.ts';
import { makeNvidia } from '../../src/vendors/nvidia/nvidia.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { schemaParserWithDefaults } from '../../src/wire/validate.ts';

const readSection = schemaParserWithDefaults<{ readonly nvidia: NvidiaConfig }>({
  type: 'object',
  properties: { nvidia: nvidiaSettings },
});

export function makeNvidiaConfig(changes: Partial<NvidiaConfig> = {}): NvidiaConfig {
  const section = readSection({ nvidia: changes });
  if (!section.ok) throw new Error(`a test asks for an impossible configuration: ${section.problem}`);
  return section.value.nvidia;
}

export function nvidia(changes: Partial<NvidiaConfig> = {}): Vendor {
  return makeNvidia(makeNvidiaConfig(changes));
}

export const gpu = 'nvidia.com/gpu';
export const mem = 'nvidia.com/gpumem';
export const percentage = 'nvidia.com/gpumem-percentage';
export const cores = 'nvidia.com/gpucores';
export const priority = 'nvidia.com/priority';
