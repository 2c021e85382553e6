/** The cluster for the migration check from snapshot files. Kinds that none of them holds are told apart. */
import {
  type LookedAtKind,
  lookedAtKinds,
  type RawCluster,
  type RawObject,
} from '../migration/cluster-picture.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { readSnapshotObjects } from './snapshot-file.ts';

const necessary: readonly LookedAtKind[] = ['Node', 'Pod'];

/** Refuses a file that cannot be read, and files without a node or without a pod between them. Never throws. */
export function collectSnapshot(files: readonly string[]): Parsed<RawCluster> {
  const objects: RawObject[] = [];
  for (const file of files) {
    const read = readSnapshotObjects(file);
    if (!read.ok) return read;
    for (const { kind, value } of read.value) {
      const known = lookedAtKinds.find(
        (one) => one === kind || kind.startsWith(`${one}.${groupOf[one] ?? ' '}`),
      );
      if (known !== undefined) objects.push({ kind: known, value });
    }
  }
  const held = new Set(objects.map(({ kind }) => kind));
  const absent = lookedAtKinds.filter((kind) => !held.has(kind));
  const [lacking] = absent.filter((kind) => necessary.includes(kind));
  if (lacking !== undefined)
    return unparsable(`${files.join(', ')}: no ${lacking}, so there is no cluster to look at`);
  return parsed({
    objects,
    missing: new Map(
      absent.map((kind) => [kind, 'no file holds any; if the cluster has some, they were not looked at']),
    ),
  });
}

const groupOf: Readonly<Partial<Record<LookedAtKind, string>>> = {
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/',
  Lease: 'coordination.k8s.io/',
};
