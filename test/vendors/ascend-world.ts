/**
 * Ascend chips as tests want them: the vendors of HAMi's chart, changed where a test says so, nodes as the device
 * plugin publishes them, and pods that ask for chips.
 */
import {
  type AscendChip,
  type AscendConfig,
  ascendSettings,
} from '../../src/vendors/ascend/ascend-settings.ts';
import { makeAscend } from '../../src/vendors/ascend/ascend.ts';
import { type Parsed, parsed } from '../../src/model/result.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { schemaParserWithDefaults } from '../../src/wire/validate.ts';
import type { NodeFields, PodFields } from '../support/kubernetes-objects.ts';
import { VendorWorld, type WorldFields } from './vendor-world.ts';

type Texts = Readonly<Record<string, string>>;

const readSection = schemaParserWithDefaults<{ readonly vnpus: AscendConfig }>({
  type: 'object',
  properties: { vnpus: ascendSettings },
});

/** A block as somebody wrote it, with what it leaves out. */
export function readAscendConfig(written: unknown): Parsed<AscendConfig> {
  const section = readSection({ vnpus: written });
  return section.ok ? parsed(section.value.vnpus) : section;
}

export function ascendConfig(changes: Partial<AscendConfig> = {}): AscendConfig {
  const config = readAscendConfig(changes);
  if (!config.ok) throw new Error(`a test asks for an impossible configuration: ${config.problem}`);
  return config.value;
}

/** The chips of the chart, every one of them changed alike. */
export function ascend(changes: Partial<AscendChip> = {}, hamiVnpuCore = false): readonly Vendor[] {
  const configs = ascendConfig().configs.map((chip) => ({ ...chip, ...changes }));
  return makeAscend(ascendConfig({ configs, hamiVnpuCore }));
}

export function vendorOf(vendors: readonly Vendor[], key: string): Vendor {
  const vendor = vendors.find((one) => one.key === key);
  if (vendor === undefined) throw new Error(`no chip ${key}`);
  return vendor;
}

export const b3 = 'Ascend910B3';
export const soft: Texts = { 'huawei.com/vnpu-mode': 'hami-core' };

export interface Amounts {
  readonly count?: number | string;
  readonly memory?: number | string;
  readonly core?: number | string;
}

/** One chip where no count is given. */
export function npus({ count = 1, memory, core }: Amounts = {}, key = b3): Texts {
  return {
    [`huawei.com/${key}`]: String(count),
    ...(memory === undefined ? {} : { [`huawei.com/${key}-memory`]: String(memory) }),
    ...(core === undefined ? {} : { [`huawei.com/${key}-core`]: String(core) }),
  };
}

export function npuPod(
  amounts: Amounts = {},
  { key = b3, ...fields }: PodFields & { key?: string } = {},
): PodFields {
  return { containers: [{ limits: npus(amounts, key) }], ...fields };
}

export interface NpuFields {
  readonly id?: string;
  readonly index?: number;
  readonly health?: boolean;
  /** `NetworkID` as the plugin writes it; none where left out. */
  readonly network?: unknown;
}

export interface NpuNodeFields extends Omit<NodeFields, 'devices'> {
  readonly key?: string;
  readonly chips?: readonly NpuFields[];
  readonly memoryMiB?: number;
  readonly slots?: number;
  readonly cores?: number;
  /** The annotation with which a node says whether it slices softly. */
  readonly softly?: string;
}

/** A node with chips `npu-0`, `npu-1`, … of 64 GiB that can be cut in four. */
export function npuNode(fields: NpuNodeFields = {}): NodeFields {
  const { key = b3, chips = [{}, {}], memoryMiB = 65_536, slots = 4, cores = 20, softly, ...node } = fields;
  const register = chips.map(({ id, index, health = true, network }, position) => ({
    id: id ?? `npu-${position}`,
    index: index ?? position,
    count: slots,
    devmem: memoryMiB,
    devcore: cores,
    type: key,
    health,
    ...(network === undefined ? {} : { custominfo: { NetworkID: network } }),
  }));
  return {
    ...node,
    annotations: {
      [`hami.io/node-register-${key}`]: JSON.stringify(register),
      ...(softly === undefined ? {} : { 'hami-vnpu-core': softly }),
      ...node.annotations,
    },
    allocatable: { [`huawei.com/${key}`]: String(slots * chips.length), ...node.allocatable },
  };
}

export function npuWorld(nodes: readonly NodeFields[], fields: Partial<WorldFields> = {}): VendorWorld {
  return new VendorWorld({ vendors: ascend(), nodes, ...fields });
}
