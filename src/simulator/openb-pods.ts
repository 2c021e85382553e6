/**
 * Pods of the openb trace (`pods/*.csv`) as Kubernetes pods that ask for shares of NVIDIA cards: thousandths of a card
 * become MiB and whole percent of the cards that `openb-nodes.ts` makes. Quality of service and phase say nothing about
 * a placement and are not read, nor is the time at which another scheduler placed the pod.
 */
import type { PodObject, TextMap } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { openbCard, openbResources } from './openb-nodes.ts';
import { type OpenbRow, parseOpenbTable, uniqueName, wholeNumber } from './openb-table.ts';

/** A pod of a workload, with the times that its trace tells. */
export interface TracePod {
  readonly pod: PodObject;
  /** Seconds from the start of the trace; absent where the trace has no times. */
  readonly createdSeconds?: number;
  /** Absent: it stays. */
  readonly deletedSeconds?: number;
}

export const openbPodColumns = ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'];

const typesAnnotation = 'nvidia.com/use-gputype';
const namespace = 'openb';
/** A deletion at the last second of the trace means: still there at its end. */
const endOfTraceSeconds = 12_902_960;
const mostMilli = 1e9;
const mostMiB = 1e9;
const mostCards = 256;
const milliPerCard = 1000;
const milliPerPercent = 10;
const mostSeconds = 1e12;

/** The pods in the order of the rows. Refuses with the line; never throws. */
export function parseOpenbPods(text: string): Parsed<readonly TracePod[]> {
  const table = parseOpenbTable(text, openbPodColumns);
  if (!table.ok) return table;
  const pods: TracePod[] = [];
  const names = new Map<string, number>();
  for (const row of table.value.rows) {
    const pod = podOf(row, names);
    const times = timesOf(row);
    if (!pod.ok) return pod;
    if (!times.ok) return times;
    pods.push({ pod: pod.value, ...times.value });
  }
  return parsed(pods);
}

/** The card types that a pod of the trace may have; empty: any. */
export function openbTypesOf({ annotations }: PodObject): readonly string[] {
  return annotations[typesAnnotation]?.split(',') ?? [];
}

function podOf(row: OpenbRow, names: Map<string, number>): Parsed<PodObject> {
  const name = uniqueName(row, 'name', names);
  const cpuMilli = wholeNumber(row, 'cpu_milli', mostMilli);
  const memoryMiB = wholeNumber(row, 'memory_mib', mostMiB);
  const limits = shareOf(row);
  const types = typesOf(row);
  if (!name.ok) return name;
  if (!cpuMilli.ok) return cpuMilli;
  if (!memoryMiB.ok) return memoryMiB;
  if (!limits.ok) return limits;
  if (!types.ok) return types;
  const requests = {
    ...(cpuMilli.value === 0 ? {} : { cpu: `${cpuMilli.value}m` }),
    ...(memoryMiB.value === 0 ? {} : { memory: `${memoryMiB.value}Mi` }),
  };
  return parsed({
    uid: `${namespace}/${name.value}`,
    namespace,
    name: name.value,
    resourceVersion: '1',
    annotations: types.value.length === 0 ? {} : { [typesAnnotation]: types.value.join(',') },
    labels: {},
    creationTimestamp: '',
    deleting: false,
    gracePeriodSeconds: 0,
    schedulerName: '',
    priority: 0,
    phase: 'Pending',
    containers: [{ name: 'main', role: 'app', limits: limits.value, requests }],
    running: false,
    initFinished: true,
  });
}

/** The limits by which a pod asks for cards; none for a pod without. */
function shareOf(row: OpenbRow): Parsed<TextMap> {
  const cards = wholeNumber(row, 'num_gpu', mostCards);
  const milli = wholeNumber(row, 'gpu_milli', milliPerCard);
  if (!cards.ok) return cards;
  if (!milli.ok) return milli;
  const refuse = (fault: string) => unparsable(`line ${row.line}: gpu_milli is ${milli.value}; ${fault}`);
  if (milli.value % milliPerPercent !== 0) return refuse(`wanted is a multiple of ${milliPerPercent}`);
  if (cards.value === 0) return milli.value === 0 ? parsed({}) : refuse('wanted is 0 where num_gpu is 0');
  if (milli.value === 0) return refuse(`wanted is a share where num_gpu is ${cards.value}`);
  if (cards.value > 1 && milli.value < milliPerCard)
    return refuse(`wanted is ${milliPerCard} where num_gpu is more than 1`);
  return parsed({
    [openbResources.count]: `${cards.value}`,
    [openbResources.memory]: `${(milli.value * openbCard.memoryMiB) / milliPerCard}`,
    [openbResources.cores]: `${(milli.value * openbCard.corePercent) / milliPerCard}`,
  });
}

/** A type may be written twice in one cell, and stays so: the published target workload tells such pods apart. */
function typesOf(row: OpenbRow): Parsed<readonly string[]> {
  const written = row.cell('gpu_spec');
  if (written === '') return parsed([]);
  const types = written.split('|').map((type) => type.trim());
  return types.includes('')
    ? unparsable(
        `line ${row.line}: gpu_spec is ${JSON.stringify(written)}; wanted are card types joined by "|"`,
      )
    : parsed(types);
}

function timesOf(row: OpenbRow): Parsed<Omit<TracePod, 'pod'>> {
  if (row.cell('creation_time') === '') return parsed({});
  const created = wholeNumber(row, 'creation_time', mostSeconds);
  if (!created.ok) return created;
  const createdSeconds = created.value;
  if (row.cell('deletion_time') === '') return parsed({ createdSeconds });
  const deleted = wholeNumber(row, 'deletion_time', mostSeconds);
  if (!deleted.ok) return deleted;
  if (deleted.value < createdSeconds) {
    return unparsable(
      `line ${row.line}: deletion_time ${deleted.value} is before creation_time ${createdSeconds}`,
    );
  }
  return parsed(
    deleted.value === endOfTraceSeconds
      ? { createdSeconds }
      : { createdSeconds, deletedSeconds: deleted.value },
  );
}
