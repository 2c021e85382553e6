/**
 * A workload from a file: the pods of a trace (CSV with the columns of openb), or pods and what makes pods (Deployments,
 * ReplicaSets, StatefulSets, Jobs) in JSON or YAML, with as many pods as they ask for. The latter have not passed
 * admission, so what it would add to them is added here.
 */
import { completedPod } from '../../admission/completed-pod.ts';
import { readText } from '../../config/yaml-text.ts';
import { type PodObject, withIdentity } from '../../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { openbPodColumns, parseOpenbPods, type TracePod } from '../../simulator/openb-pods.ts';
import { columnsOf } from '../../simulator/openb-table.ts';
import type { Vendor } from '../../vendors/vendor.ts';
import { parsePod } from '../../wire/kubernetes.ts';
import { isMapping } from '../../wire/mapping.ts';
import { schemaParser } from '../../wire/validate.ts';
import { parseSnapshotObjects, type SnapshotObject } from '../snapshot-file.ts';

export interface Workload {
  readonly pods: readonly TracePod[];
  /** The pods are rows of a trace, with types and shares as it writes them. */
  readonly isTrace: boolean;
  readonly warnings: readonly string[];
}

/** More than this from one file is taken for a mistake. */
export const mostPods = 200_000;

/** Refuses with the file and the line or the object. Never throws. */
export function readWorkloadFile(file: string, vendors: readonly Vendor[]): Parsed<Workload> {
  const text = readText(file);
  const workload = text.ok ? parseWorkload(text.value, file.endsWith('.csv'), vendors) : text;
  return workload.ok ? workload : unparsable(`${file}: ${workload.problem}`);
}

/** @param isCsv the text is CSV by its name, whatever it holds */
export function parseWorkload(text: string, isCsv: boolean, vendors: readonly Vendor[]): Parsed<Workload> {
  const columns = columnsOf(text);
  if (isCsv || openbPodColumns.every((column) => columns.includes(column))) {
    const pods = parseOpenbPods(text);
    return pods.ok ? parsed({ pods: pods.value, isTrace: true, warnings: [] }) : pods;
  }
  const objects = parseSnapshotObjects(text);
  return objects.ok ? podsOf(objects.value, vendors) : objects;
}

function podsOf(objects: readonly SnapshotObject[], vendors: readonly Vendor[]): Parsed<Workload> {
  const pods: TracePod[] = [];
  const others = new Map<string, number>();
  for (const [index, { kind, value }] of objects.entries()) {
    if (kind !== 'Pod' && !templateKinds.has(kind)) {
      others.set(kind, (others.get(kind) ?? 0) + 1);
      continue;
    }
    const copies = kind === 'Pod' ? copiesOfPod(value) : copiesOfTemplate(kind, value);
    if (!copies.ok) return unparsable(`object ${index + 1} (${kind}): ${copies.problem}`);
    const { count, pod, isNumbered } = copies.value;
    if (pods.length + count > mostPods)
      return unparsable(`object ${index + 1} (${kind}): more than ${mostPods} pods in one file`);
    const complete = completedPod(pod, vendors).pod;
    for (let copy = 0; copy < count; copy += 1)
      pods.push({ pod: isNumbered ? numbered(complete, copy) : complete });
  }
  if (pods.length === 0) return unparsable(`no pod, and nothing that makes pods (${kindsText})`);
  const warnings = [...others].map(([kind, count]) => `${count} of kind ${kind} make no pods here`);
  return parsed({ pods, isTrace: false, warnings });
}

interface Copies {
  readonly pod: PodObject;
  readonly count: number;
  /** Copies of a template get numbers; a pod has its own name. */
  readonly isNumbered: boolean;
}

function copiesOfPod(value: unknown): Parsed<Copies> {
  const pod = parsePod(value);
  if (!pod.ok) return pod;
  if (pod.value.name === '') return unparsable('the pod has no name');
  return parsed({ pod: unplaced(pod.value), count: 1, isNumbered: false });
}

interface RawTemplateOwner {
  readonly metadata: { readonly name: string; readonly namespace?: string | null };
  readonly spec: {
    readonly replicas?: number | null;
    readonly parallelism?: number | null;
    readonly completions?: number | null;
    readonly template: { readonly metadata?: unknown; readonly spec: object };
  };
}

const count = { type: 'integer', nullable: true, minimum: 0, maximum: mostPods };
const parseOwner = schemaParser<RawTemplateOwner>({
  type: 'object',
  properties: {
    metadata: {
      type: 'object',
      properties: { name: { type: 'string', minLength: 1 }, namespace: { type: 'string', nullable: true } },
      required: ['name'],
    },
    spec: {
      type: 'object',
      properties: {
        replicas: count,
        parallelism: count,
        completions: count,
        template: {
          type: 'object',
          properties: { spec: { type: 'object' } },
          required: ['spec'],
        },
      },
      required: ['template'],
    },
  },
  required: ['metadata', 'spec'],
});

const replicated = ({ replicas }: RawTemplateOwner['spec']) => replicas ?? 1;
/** As many as run at a time. */
const parallel = ({ parallelism, completions }: RawTemplateOwner['spec']) =>
  Math.min(parallelism ?? 1, completions ?? Infinity);

const templateKinds: ReadonlyMap<string, (spec: RawTemplateOwner['spec']) => number> = new Map([
  ['Deployment.apps/v1', replicated],
  ['ReplicaSet.apps/v1', replicated],
  ['StatefulSet.apps/v1', replicated],
  ['Job.batch/v1', parallel],
]);
const kindsText = ['Pod', ...templateKinds.keys()].map((kind) => kind.replace(/\..*/, '')).join(', ');

function copiesOfTemplate(kind: string, value: unknown): Parsed<Copies> {
  const owner = parseOwner(value);
  if (!owner.ok) return owner;
  const { metadata, spec } = owner.value;
  const { name, namespace } = metadata;
  const written = isMapping(spec.template.metadata) ? spec.template.metadata : {};
  const pod = parsePod({ metadata: { ...written, name, namespace }, spec: spec.template.spec });
  if (!pod.ok) return unparsable(`spec.template: ${pod.problem}`);
  const copies = templateKinds.get(kind)?.(spec) ?? 0;
  return parsed({ pod: unplaced(pod.value), count: copies, isNumbered: true });
}

/** A pod as it was before anybody placed it, whatever it became in the cluster it was taken from. */
function unplaced(pod: PodObject): PodObject {
  const { nodeName, ...rest } = withIdentity(pod);
  return nodeName === undefined ? rest : { ...rest, phase: 'Pending', running: false };
}

function numbered(pod: PodObject, copy: number): PodObject {
  return { ...pod, name: `${pod.name}-${copy}`, uid: `${pod.uid}-${copy}` };
}
