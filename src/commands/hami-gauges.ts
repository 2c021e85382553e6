/**
 * The metrics of HAMi's scheduler as a table: names, labels, help and values (spec §10), in the spelling it has had
 * since v2.9 and in the one before. Dashboards and HAMi's WebUI look for exactly these. A row is what one sample is
 * about; which rows there are is `hami-metrics.ts`'s to know.
 */
import { compareText } from '../model/device.ts';
import type { DeviceView } from '../model/node-view.ts';
import type { Label } from '../telemetry/exposition.ts';

export type Spelling = 'current' | 'legacy';

export interface Gauge<Row> {
  readonly spelling: Spelling;
  readonly name: string;
  readonly help: string;
  /** Gauges with the same labels share this function. */
  readonly labelsOf: (row: Row) => readonly Label[];
  /** Undefined where the row has no such sample. */
  readonly valueOf: (row: Row) => number | undefined;
}

export interface DeviceRow extends Pick<DeviceView, 'device' | 'used'> {
  readonly node: string;
  /** How many units of compute the device has, where its plugin does not count percent. */
  readonly units: number | undefined;
}

/** What one container holds of one device, in MiB and percent, or units of its plugin where there are such. */
export interface ShareRow {
  readonly namespace: string;
  readonly node: string;
  readonly pod: string;
  /** Init containers first, in spec order. */
  readonly containerIndex: number;
  readonly deviceId: string;
  readonly memoryMiB: number;
  readonly corePercent: number;
  /** As in `DeviceRow`. */
  readonly units: number | undefined;
}

/** A MIG instance that exists. */
export interface MigRow {
  readonly node: string;
  readonly deviceId: string;
  readonly deviceIndex: number;
  readonly profile: string;
  readonly start: number;
  readonly size: number;
  readonly migUuid: string;
  readonly gpuInstanceId: number;
  readonly computeInstanceId: number;
}

/** What a namespace holds of one limited resource, in MiB or percent. */
export interface QuotaRow {
  readonly namespace: string;
  /** As pods ask for it, e.g. `nvidia.com/gpumem`. */
  readonly resource: string;
  readonly used: number;
  /** The smallest one; undefined where no quota sets any. */
  readonly limit: number | undefined;
}

export interface BuildRow {
  readonly version: string;
  readonly runtime: string;
  readonly platform: string;
}

type LabelRule<Row> = readonly [current: string, legacy: string, textOf: (row: Row) => string];

/** Labels in byte order, as HAMi's own page has them, with the constant `zone` behind. */
function labelling<Row>(spelling: Spelling, rules: readonly LabelRule<Row>[]): Gauge<Row>['labelsOf'] {
  const named = rules
    .map(([current, legacy, textOf]) => ({ name: spelling === 'current' ? current : legacy, textOf }))
    .sort((a, b) => compareText(a.name, b.name));
  const zone: Label = ['zone', 'vGPU'];
  return (row) => [...named.map(({ name, textOf }): Label => [name, textOf(row)]), zone];
}

interface Names {
  readonly current?: string;
  readonly legacy?: string;
}

/** Makes the gauges of one list of labels, one per spelling that has a name. */
function gaugesWith<Row>(...rules: readonly LabelRule<Row>[]) {
  const labels = { current: labelling('current', rules), legacy: labelling('legacy', rules) };
  return (names: Names, help: string, valueOf: Gauge<Row>['valueOf']): readonly Gauge<Row>[] =>
    (['current', 'legacy'] as const).flatMap((spelling) => {
      const name = names[spelling];
      return name === undefined ? [] : [{ spelling, name, help, labelsOf: labels[spelling], valueOf }];
    });
}

/** Compute in percent of a card; parts of a percent count as a whole one. */
function percentOf(cores: number, units: number | undefined): number {
  return units === undefined || units === 0 ? cores : Math.ceil((cores * 100) / units);
}

const bytesPerMiB = 1024 * 1024;
const usedBytes = ({ used }: DeviceRow) => used.memoryMiB * bytesPerMiB;
const usedFraction = ({ device, used }: DeviceRow) =>
  device.memoryMiB > 0 ? used.memoryMiB / device.memoryMiB : undefined;

const card: readonly LabelRule<DeviceRow>[] = [
  ['node', 'nodeid', ({ node }) => node],
  ['device_uuid', 'deviceuuid', ({ device }) => device.id],
  ['device_index', 'deviceidx', ({ device }) => String(device.index)],
];
const type: LabelRule<DeviceRow> = ['device_type', 'devicetype', ({ device }) => device.type];
const cores: LabelRule<DeviceRow> = [
  'device_cores',
  'devicecores',
  ({ device }) => String(device.corePercent),
];
const memory: LabelRule<DeviceRow> = [
  'device_memory_limit',
  'devicememorylimit',
  ({ device }) => String(device.memoryMiB),
];
const ofCard = gaugesWith(...card, type);
const coreLimit = 'Device core limit for a certain GPU';
const coreAllocated = 'Device core allocated for a certain GPU';

export const deviceGauges: readonly Gauge<DeviceRow>[] = [
  ofCard(
    { current: 'hami_gpu_memory_limit_bytes', legacy: 'GPUDeviceMemoryLimit' },
    'Device memory limit for a certain GPU',
    ({ device }) => device.memoryMiB * bytesPerMiB,
  ),
  ofCard({ current: 'hami_gpu_core_limit_ratio' }, coreLimit, ({ device, units }) =>
    percentOf(device.corePercent, units),
  ),
  ofCard({ legacy: 'GPUDeviceCoreLimit' }, coreLimit, ({ device }) => device.corePercent),
  ofCard(
    { current: 'hami_gpu_shared_count', legacy: 'GPUDeviceSharedNum' },
    'Number of containers sharing this GPU',
    ({ used }) => used.slots,
  ),
  ofCard({ current: 'hami_gpu_core_allocated_ratio' }, coreAllocated, ({ used, units }) =>
    percentOf(used.corePercent, units),
  ),
  ofCard({ legacy: 'GPUDeviceCoreAllocated' }, coreAllocated, ({ used }) => used.corePercent),
  gaugesWith(...card, cores, type)(
    { current: 'hami_gpu_memory_allocated_bytes', legacy: 'GPUDeviceMemoryAllocated' },
    'Device memory allocated for a certain GPU',
    usedBytes,
  ),
  gaugesWith(
    ...card,
    cores,
    memory,
    type,
  )(
    { current: 'hami_node_gpu_overview', legacy: 'nodeGPUOverview' },
    'GPU overview on a certain node',
    usedBytes,
  ),
  ofCard(
    { current: 'hami_node_gpu_memory_allocated_ratio' },
    'GPU Memory Allocated Percentage on a certain GPU',
    usedFraction,
  ),
  gaugesWith(...card)(
    { legacy: 'nodeGPUMemoryPercentage' },
    'GPU Memory Allocated Percentage on a certain GPU',
    usedFraction,
  ),
].flat();

const ofShare = gaugesWith<ShareRow>(
  ['namespace', 'podnamespace', ({ namespace }) => namespace],
  ['node', 'nodename', ({ node }) => node],
  ['pod', 'podname', ({ pod }) => pod],
  ['container_index', 'containeridx', ({ containerIndex }) => String(containerIndex)],
  ['device_uuid', 'deviceuuid', ({ deviceId }) => deviceId],
);

const shareCores = 'vGPU core allocated from a container';

export const shareGauges: readonly Gauge<ShareRow>[] = [
  ofShare(
    { current: 'hami_vgpu_memory_allocated_bytes', legacy: 'vGPUMemoryAllocated' },
    'vGPU memory allocated from a container',
    ({ memoryMiB }) => memoryMiB * bytesPerMiB,
  ),
  ofShare({ current: 'hami_vgpu_core_allocated_ratio' }, shareCores, ({ corePercent, units }) =>
    percentOf(corePercent, units),
  ),
  ofShare({ legacy: 'vGPUCoreAllocated' }, shareCores, ({ corePercent }) => corePercent),
].flat();

const migCard: readonly LabelRule<MigRow>[] = [
  ['node', 'nodeid', ({ node }) => node],
  ['device_uuid', 'deviceuuid', ({ deviceId }) => deviceId],
  ['device_index', 'deviceidx', ({ deviceIndex }) => String(deviceIndex)],
];
const migHelp = 'Realized MIG instance identity and scheduler placement';

export const migGauges: readonly Gauge<MigRow>[] = [
  gaugesWith<MigRow>(
    ...migCard,
    ['mig_uuid', '', ({ migUuid }) => migUuid],
    ['profile', '', ({ profile }) => profile],
    ['gpu_instance_id', '', ({ gpuInstanceId }) => String(gpuInstanceId)],
    ['compute_instance_id', '', ({ computeInstanceId }) => String(computeInstanceId)],
    ['placement_start', '', ({ start }) => String(start)],
    ['placement_size', '', ({ size }) => String(size)],
  )({ current: 'hami_node_gpu_mig_instance_info' }, migHelp, () => 1),
  gaugesWith<MigRow>(...migCard, [
    '',
    'migname',
    ({ profile, gpuInstanceId }) => `${profile}-${gpuInstanceId}`,
  ])({ legacy: 'nodeGPUMigInstance' }, migHelp, () => 1),
].flat();

const quota: readonly LabelRule<QuotaRow>[] = [
  ['namespace', 'quotanamespace', ({ namespace }) => namespace],
  ['quota_name', 'quotaName', ({ resource }) => resource],
];

export const quotaGauges: readonly Gauge<QuotaRow>[] = [
  gaugesWith(...quota, ['limit', 'limit', ({ limit = 0 }) => String(limit)])(
    { current: 'hami_resource_quota_used', legacy: 'QuotaUsed' },
    'resourcequota usage for a certain device',
    ({ used }) => used,
  ),
  gaugesWith(...quota)(
    { current: 'hami_resource_quota_limit' },
    'resourcequota limit for a certain device',
    ({ limit }) => limit,
  ),
].flat();

/** The one family without `zone`. There is no Go in this build, and its revision is not known to it. */
export const buildGauges: readonly Gauge<BuildRow>[] = [
  {
    spelling: 'current',
    name: 'hami_build_info',
    help: 'Version of the scheduler that serves these metrics in place of HAMi.',
    labelsOf: ({ version, runtime, platform }) => [
      ['build_date', ''],
      ['compiler', runtime],
      ['go_version', ''],
      ['platform', platform],
      ['revision', ''],
      ['version', version],
    ],
    valueOf: () => 1,
  },
];
