/**
 * The words of each family of accelerators as they stand on pods and nodes (vendors §1.8, §1.9), written down once more,
 * so that a mistake of the server's own words does not excuse itself before the judges.
 */
import type { PodState } from './pods.ts';

export interface FamilyWords {
  /** As the nodes' own books call it. */
  readonly vendor: string;
  readonly countResource: string;
  /** The annotation that says what a pod was given. */
  readonly allocated: string;
  /** The node's annotation under which its pods are bound; absent where there is none. */
  readonly lock?: string;
}

export const sharedLock = 'hami.io/mutex.lock';
export const mluLock = 'cambricon.com/dsmlu.lock';

const chips = [
  'Ascend910A',
  'Ascend910B2',
  'Ascend910B3',
  'Ascend910B4',
  'Ascend910B4-1',
  'Ascend910C',
  'Ascend310P',
];

export const families: readonly FamilyWords[] = [
  {
    vendor: 'NVIDIA',
    countResource: 'nvidia.com/gpu',
    allocated: 'hami.io/vgpu-devices-allocated',
    lock: sharedLock,
  },
  {
    vendor: 'DCU',
    countResource: 'hygon.com/dcunum',
    allocated: 'hami.io/dcu-devices-allocated',
    lock: sharedLock,
  },
  {
    vendor: 'AMD',
    countResource: 'amd.com/gpu',
    allocated: 'hami.io/amd-devices-allocated',
    lock: sharedLock,
  },
  {
    vendor: 'Metax-SGPU',
    countResource: 'metax-tech.com/sgpu',
    allocated: 'hami.io/metax-sgpu-devices-allocated',
    lock: sharedLock,
  },
  {
    vendor: 'Metax-GPU',
    countResource: 'metax-tech.com/gpu',
    allocated: 'hami.io/metax-gpu-devices-allocated',
  },
  {
    vendor: 'MLU',
    countResource: 'cambricon.com/vmlu',
    allocated: 'hami.io/cambricon-mlu-devices-allocated',
    lock: mluLock,
  },
  ...chips.map((chip) => ({
    vendor: chip,
    countResource: `huawei.com/${chip}`,
    allocated: `hami.io/${chip}-devices-allocated`,
    lock: sharedLock,
  })),
];

/** The families whose cards a container of the pod asks for. */
export function familiesOf({ spec }: PodState): readonly FamilyWords[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return families.filter(({ countResource }) =>
    containers.some(({ resources }) => resources?.limits?.[countResource] !== undefined),
  );
}
