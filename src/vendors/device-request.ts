/**
 * What a container asks of a family, for the many that ask alike: how many cards, how much memory of each in units of
 * MiB or in percent, how much compute of each in percent (spec §5.3). A field that cannot be understood is a problem of
 * the pod; it never degrades into "asks for nothing".
 */
import type { ContainerObject } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import type { MemoryRequest } from '../model/request.ts';
import { readField } from './request-fields.ts';
import type { RequestProblem, RequestReading, VendorResources } from './vendor.ts';

export interface RequestRules {
  readonly vendor: VendorKey;
  readonly resources: VendorResources;
  /** MiB that one unit of the memory resource stands for. */
  readonly memoryUnitMiB: number;
  /** Memory of each card for a container that names none, in MiB; the whole card where left out or 0. */
  readonly defaultMemoryMiB?: number;
  /** Compute of each card for a container that names none, in percent. */
  readonly defaultCores: number;
  /** Less than this is a problem; 0 where left out. */
  readonly leastCores?: number;
  /** More than this is a problem; where left out, more than 100 is taken as 100. */
  readonly mostCores?: number;
}

const largestInt32 = 2 ** 31 - 1;

/** Never throws. */
export function readDeviceRequest(container: ContainerObject, rules: RequestRules): RequestReading {
  const { vendor, resources, memoryUnitMiB: factor, defaultCores } = rules;
  const { leastCores = 0, mostCores = largestInt32 } = rules;
  const count = readField(container, resources.count, { unit: 'cards', largest: largestInt32 });
  const memory = readField(container, resources.memory, {
    unit: factor === 1 ? 'MiB' : `units of ${factor} MiB`,
    mebibytesPerUnit: factor,
    largest: Math.floor(largestInt32 / factor),
  });
  const percent = readField(container, resources.memoryPercent, { unit: 'percent', largest: 100 });
  const cores = readField(container, resources.cores, {
    unit: 'percent',
    smallest: leastCores,
    largest: mostCores,
  });
  const priority = readField(container, resources.priority, { unit: 'levels', largest: largestInt32 });

  if (!count.ok || !memory.ok || !percent.ok || !cores.ok || !priority.ok) {
    const problems = [count, memory, percent, cores, priority].flatMap((field) =>
      field.ok ? [] : [field.problem],
    );
    return refusedRequest(vendor, problems, count.ok ? count.value : undefined);
  }
  const amounts = [memory.value, percent.value, cores.value].some((value) => (value ?? 0) > 0);
  if (count.value === undefined) {
    return amounts
      ? refusedRequest(vendor, [missingCount(container, resources)], undefined)
      : { ok: true, warnings: [] };
  }
  if (count.value === 0) {
    const warning = `container "${container.name}": ${resources.count} is 0, so its other device resources have no effect`;
    return { ok: true, warnings: amounts ? [warning] : [] };
  }
  const asked = { memory: memory.value, percent: percent.value, cores: cores.value };
  return {
    ok: true,
    request: {
      vendor,
      count: count.value,
      memory: memoryOf((memory.value ?? 0) * factor, percent.value ?? 0, rules),
      // More than a whole card of compute is taken as a whole card (spec §5.6, step 8).
      corePercent: Math.min(100, cores.value ?? defaultCores),
    },
    warnings: warningsOf(container, asked, resources),
  };
}

/** A request that cannot be understood; what such a pod must be reckoned with if it runs all the same: whole cards. */
export function refusedRequest(
  vendor: VendorKey,
  problems: readonly RequestProblem[],
  count: number | undefined,
): RequestReading {
  const charge = {
    vendor,
    count: Math.max(1, count ?? 1),
    memory: { kind: 'percent', percent: 100 },
    corePercent: 100,
  } as const;
  return { ok: false, problems, charge };
}

/** MiB wins over percent; with neither, the configured default, else the whole card (spec §5.3). */
function memoryOf(memoryMiB: number, percent: number, { defaultMemoryMiB = 0 }: RequestRules): MemoryRequest {
  if (memoryMiB > 0) return { kind: 'mib', memoryMiB };
  if (percent > 0) return { kind: 'percent', percent };
  if (defaultMemoryMiB > 0) return { kind: 'mib', memoryMiB: defaultMemoryMiB };
  return { kind: 'percent', percent: 100 };
}

interface Amounts {
  readonly memory: number | undefined;
  readonly percent: number | undefined;
  readonly cores: number | undefined;
}

function warningsOf(
  container: ContainerObject,
  { memory, percent, cores }: Amounts,
  resources: VendorResources,
): readonly string[] {
  const warnings: string[] = [];
  const warn = (field: string | undefined, text: string) =>
    warnings.push(`container "${container.name}": ${field ?? ''} ${text}`);
  if (percent === 0) warn(resources.memoryPercent, 'is 0, which means "not given"');
  if (memory === 0) warn(resources.memory, 'is 0, which means "not given"');
  if ((memory ?? 0) > 0 && (percent ?? 0) > 0) {
    warn(resources.memoryPercent, `has no effect beside ${resources.memory ?? ''}`);
  }
  if ((cores ?? 0) > 100) warn(resources.cores, `is ${cores ?? 0}, taken as 100 (one whole card)`);
  return warnings;
}

function missingCount(container: ContainerObject, { count }: VendorResources): RequestProblem {
  return {
    container: container.name,
    field: count,
    value: '',
    fix: `is missing beside other device resources, so kubelet would give the container no card; write ${count}: 1`,
  };
}
