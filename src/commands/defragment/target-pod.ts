/** The pod for which room is wanted: from a file, or from what it asks of each card. */
import { completedPod } from '../../admission/completed-pod.ts';
import { type PodObject, withIdentity } from '../../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { Vendor } from '../../vendors/vendor.ts';
import { parsePod } from '../../wire/kubernetes.ts';
import { readWorkloadFile } from '../simulate/inputs-workload.ts';

export interface TargetFlags {
  /** A file with a pod, or with something that makes pods. */
  readonly pod?: string;
  readonly cards?: number;
  /** MiB of each card; absent: all of it. */
  readonly memory?: number;
  /** Percent of each card; absent: none is promised. */
  readonly cores?: number;
  readonly type?: string;
  readonly vendor?: string;
  readonly namespace?: string;
}

/** Refuses a file that cannot be read, and a vendor that is not configured or knows no such amounts. Never throws. */
export function targetPod(flags: TargetFlags, vendors: readonly Vendor[]): Parsed<PodObject> {
  return flags.pod === undefined ? askingPod(flags, vendors) : podInFile(flags.pod, vendors);
}

function podInFile(file: string, vendors: readonly Vendor[]): Parsed<PodObject> {
  const workload = readWorkloadFile(file, vendors);
  if (!workload.ok) return workload;
  const [first] = workload.value.pods;
  return first === undefined ? unparsable(`${file}: no pod`) : parsed(withIdentity(first.pod));
}

function askingPod(
  { cards = 1, memory, cores, type, vendor: key, namespace }: TargetFlags,
  vendors: readonly Vendor[],
): Parsed<PodObject> {
  const vendor = key === undefined ? vendors[0] : vendors.find((one) => one.key === key);
  if (vendor === undefined) {
    const keys = vendors.map((one) => one.key).join(', ');
    return unparsable(`--vendor: ${key ?? 'none'} is not configured; there are ${keys}`);
  }
  const { resources, annotations, memoryUnitMiB } = vendor;
  const lacks = (flag: string) => unparsable(`${flag}: ${vendor.key} knows no such amount; use --pod`);
  if (memory !== undefined && resources.memory === undefined) return lacks('--memory');
  if (cores !== undefined && resources.cores === undefined) return lacks('--cores');
  if (type !== undefined && annotations.useTypes === undefined) return lacks('--type');
  const limits = {
    [resources.count]: cards,
    ...(memory === undefined ? {} : { [resources.memory ?? '']: Math.ceil(memory / memoryUnitMiB) }),
    ...(cores === undefined ? {} : { [resources.cores ?? '']: cores }),
  };
  const pod = parsePod({
    metadata: {
      name: 'wanted',
      namespace: namespace ?? 'default',
      annotations: type === undefined ? {} : { [annotations.useTypes ?? '']: type },
    },
    spec: { containers: [{ name: 'main', resources: { limits } }] },
  });
  return pod.ok ? parsed(withIdentity(completedPod(pod.value, vendors).pod)) : pod;
}
