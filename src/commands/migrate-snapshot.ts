/** The cluster for the migration check from a snapshot file. Kinds that the file does not hold are told apart. */
import { type LookedAtKind, lookedAtKinds, type RawCluster } from '../migration/cluster-picture.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { readSnapshotObjects } from './snapshot-file.ts';

const necessary: readonly LookedAtKind[] = ['Node', 'Pod'];

/** Refuses a file that cannot be read, or that holds no node or no pod. Never throws. */
export function collectSnapshot(file: string): Parsed<RawCluster> {
  const read = readSnapshotObjects(file);
  if (!read.ok) return read;
  const objects = read.value.flatMap(({ kind, value }) => {
    const known = lookedAtKinds.find(
      (one) => one === kind || kind.startsWith(`${one}.${groupOf[one] ?? ' '}`),
    );
    return known === undefined ? [] : [{ kind: known, value }];
  });
  const held = new Set(objects.map(({ kind }) => kind));
  const absent = lookedAtKinds.filter((kind) => !held.has(kind));
  const [lacking] = absent.filter((kind) => necessary.includes(kind));
  if (lacking !== undefined)
    return unparsable(`${file}: holds no ${lacking}, so there is no cluster to look at`);
  return parsed({
    objects,
    missing: new Map(
      absent.map((kind) => [kind, 'the file holds none; if the cluster has some, they were not looked at']),
    ),
  });
}

const groupOf: Readonly<Partial<Record<LookedAtKind, string>>> = {
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/',
  Lease: 'coordination.k8s.io/',
};
