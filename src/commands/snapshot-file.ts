/**
 * A cluster in a file: what `kubectl get nodes,pods,resourcequotas,namespaces -A -o json` (or `-o yaml`) prints, or
 * documents written by hand. Kinds that Tessera does not use are counted and left out; an object that cannot be read
 * refuses the file with its place, because answers from half a cluster would be wrong answers.
 */
import { isMapping } from '../wire/mapping.ts';
import { parseYaml, readText } from '../config/yaml-text.ts';
import { type NodeObject, type PodObject, type QuotaObject, withIdentity } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseJson } from '../wire/json.ts';
import { parseNode, parsePod, parseQuota } from '../wire/kubernetes.ts';

export interface Snapshot {
  readonly nodes: readonly NodeObject[];
  readonly pods: readonly PodObject[];
  readonly quotas: readonly QuotaObject[];
  /** How many objects of other kinds the file holds, by kind. */
  readonly others: Readonly<Record<string, number>>;
}

/** Reads a snapshot file. Never throws. */
export function readSnapshotFile(path: string): Parsed<Snapshot> {
  const text = readText(path);
  const snapshot = text.ok ? parseSnapshot(text.value) : text;
  return snapshot.ok ? snapshot : unparsable(`${path}: ${snapshot.problem}`);
}

/** An object of a snapshot as it stands in the file, with its kind; with the group, too, where that is not the core one. */
export interface SnapshotObject {
  readonly kind: string;
  readonly value: unknown;
}

/** Every object of a snapshot file, unread. Never throws. */
export function readSnapshotObjects(path: string): Parsed<readonly SnapshotObject[]> {
  const text = readText(path);
  const objects = text.ok ? parseSnapshotObjects(text.value) : text;
  return objects.ok ? objects : unparsable(`${path}: ${objects.problem}`);
}

/** Every object in JSON or YAML text, unread. Never throws. */
export function parseSnapshotObjects(text: string): Parsed<readonly SnapshotObject[]> {
  const documents = parseDocuments(text);
  if (!documents.ok) return documents;
  const objects: SnapshotObject[] = [];
  for (const { place, value } of documents.value.flatMap(objectsIn)) {
    const kind = kindOf(value);
    if (kind === undefined) return unparsable(`${place}: no kind`);
    objects.push({ kind, value });
  }
  return parsed(objects);
}

/** Reads a snapshot from JSON or YAML text. Never throws. */
export function parseSnapshot(text: string): Parsed<Snapshot> {
  const documents = parseDocuments(text);
  if (!documents.ok) return documents;
  const nodes: NodeObject[] = [];
  const pods: PodObject[] = [];
  const quotas: QuotaObject[] = [];
  const others: Record<string, number> = {};
  for (const { place, value } of documents.value.flatMap(objectsIn)) {
    const kind = kindOf(value);
    if (kind === 'Node') {
      const node = parseNode(value);
      if (!node.ok) return unparsable(`${place}: ${node.problem}`);
      if (node.value.name === '') return unparsable(`${place}: the node has no name`);
      nodes.push(node.value);
    } else if (kind === 'Pod') {
      const pod = parsePod(value);
      if (!pod.ok) return unparsable(`${place}: ${pod.problem}`);
      if (pod.value.name === '') return unparsable(`${place}: the pod has no name`);
      pods.push(withIdentity(pod.value));
    } else if (kind === 'ResourceQuota') {
      const quota = parseQuota(value);
      if (!quota.ok) return unparsable(`${place}: ${quota.problem}`);
      quotas.push(quota.value);
    } else if (kind !== undefined) {
      others[kind] = (others[kind] ?? 0) + 1;
    } else {
      return unparsable(`${place}: no kind`);
    }
  }
  return parsed({ nodes, pods, quotas, others });
}

interface Placed {
  readonly place: string;
  readonly value: Readonly<Record<string, unknown>>;
}

function parseDocuments(text: string): Parsed<readonly Placed[]> {
  // JSON first: the YAML parser reads it, too, but takes many times as long for a large cluster.
  if (text.trimStart().startsWith('{')) {
    const json = parseJson(text);
    return json.ok ? parsed([placed('document 1', json.value)]) : json;
  }
  const values = parseYaml(text, 'strict');
  if (!values.ok) return values;
  const documents = values.value.map((value, index) => ({ value, place: `document ${index + 1}` }));
  return parsed(
    documents.filter(({ value }) => value !== null).map(({ value, place }) => placed(place, value)),
  );
}

function placed(place: string, value: unknown): Placed {
  return { place, value: isMapping(value) ? value : {} };
}

/** The objects of a document: the items of a `List` of any kind, else the document itself. */
function objectsIn({ place, value }: Placed): readonly Placed[] {
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ place, value }];
  const itemKind = kind.slice(0, -'List'.length);
  return items.map((item: unknown, index) => {
    const entry = placed(`${place}, item ${index + 1}`, item);
    // Items of a typed list (`PodList`) carry no kind of their own.
    return entry.value['kind'] === undefined && itemKind !== ''
      ? { ...entry, value: { ...entry.value, kind: itemKind } }
      : entry;
  });
}

/** An object's kind; with its group where that is not the core one, so that no other `Node` is taken for one. */
function kindOf({ kind, apiVersion }: Placed['value']): string | undefined {
  if (typeof kind !== 'string') return undefined;
  return typeof apiVersion === 'string' && apiVersion !== 'v1' ? `${kind}.${apiVersion}` : kind;
}
