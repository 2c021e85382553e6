/** The pods of scenarios: manifests as people write them, and what is read of a pod that the API server has. */
import { gpuLimits, type GpuAmounts } from '../../support/kubernetes-objects.ts';

export interface ManifestFields {
  /** One container each; one that asks for nothing where left out. */
  readonly containers?: readonly GpuAmounts[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Further fields of the spec, e.g. `affinity`. */
  readonly spec?: object;
}

/** Names no scheduler: that is the webhook's to do. */
export function podManifest(name: string, fields: ManifestFields = {}): object {
  const { containers = [{}], annotations = {}, spec = {} } = fields;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: containers.map((amounts, index) => ({
        name: `c${index}`,
        image: 'registry.invalid/pause:1',
        resources: { limits: gpuLimits(amounts) },
      })),
      ...spec,
    },
  };
}

export interface PodState {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly schedulerName?: string;
    readonly containers: readonly {
      readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly message?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

export function isRunning({ status }: PodState): boolean {
  return status?.phase === 'Running';
}

export function isOver({ status }: PodState): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Why the pod is not scheduled, as `kubectl describe` shows it; undefined until somebody has tried. */
export function refusalOf({ status }: PodState) {
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return condition?.status === 'False' ? { reason: condition.reason, message: condition.message } : undefined;
}

export interface Part {
  readonly device: string;
  readonly memoryMiB: number;
  readonly corePercent: number;
}

export const allocatedAnnotation = 'hami.io/vgpu-devices-allocated';
export const toAllocateAnnotation = 'hami.io/vgpu-devices-to-allocate';

/** What the pod was given, per container, read by the letter of the wire format (spec §1.9). */
export function partsOf({ metadata }: PodState): readonly (readonly Part[])[] {
  const written = metadata.annotations?.[allocatedAnnotation] ?? '';
  return written
    .split(';')
    .slice(0, -1)
    .map((container) =>
      container
        .split(':')
        .slice(0, -1)
        .map((part) => {
          const [device = '', , memory, cores] = part.split(',');
          return { device, memoryMiB: Number(memory), corePercent: Number(cores) };
        }),
    );
}

/** A MIG instance as the scheduler reserves it, and what the device plugin adds once it exists (spec §1.10). */
export interface Instance {
  readonly containerIndex: number;
  readonly deviceIndex: number;
  readonly gpuUUID: string;
  readonly profile: string;
  readonly placement: { readonly start: number; readonly size: number };
  readonly migUUID?: string;
  readonly gpuInstanceID?: number;
  readonly computeInstanceID?: number;
}

/** The instances that the pod was given, read by the letter of the wire format. */
export function instancesOf({ metadata }: PodState): readonly Instance[] {
  return JSON.parse(metadata.annotations?.['hami.io/vgpu-mig-allocations'] ?? '[]') as readonly Instance[];
}
