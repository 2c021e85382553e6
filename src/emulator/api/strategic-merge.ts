/**
 * Strategic merge patch: JSON merge patch whose lists merge by a key where the API's types say so, with the
 * directives `$patch`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…` and `$retainKeys`. Keys are those of
 * k8s.io/api v0.36 (`patchMergeKey`) for the kinds served here; other lists, such as a node's taints and a pod's
 * tolerations, are replaced as a whole, as the real server does.
 */
import { at, isRecord, type JsonRecord, listAt } from './json.ts';

const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  volumes: 'name',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
  schedulingGates: 'name',
  resourceClaims: 'name',
  resourceClaimStatuses: 'name',
  podIPs: 'ip',
  hostIPs: 'ip',
  conditions: 'type',
  addresses: 'type',
  ownerReferences: 'uid',
  webhooks: 'name',
  matchConditions: 'name',
};

/** Lists of plain values that merge as sets. */
const mergedSets = new Set(['finalizers']);

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/** The patched value; the target is left as it was. */
export function strategicMerge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const directive = at(patch, '$patch');
  if (directive === 'delete') return {};
  const members = new Map(
    isRecord(target) && directive !== 'replace' ? Object.entries(retained(target, patch)) : [],
  );
  for (const [name, change] of Object.entries(patch)) {
    if (name === '$patch' || name === '$retainKeys' || name.startsWith(orderPrefix)) continue;
    if (name.startsWith(deletePrefix)) {
      const list = name.slice(deletePrefix.length);
      const deleted = listAt(patch, name);
      members.set(
        list,
        listAt(Object.fromEntries(members), list).filter((value) => !deleted.includes(value)),
      );
    } else if (change === null) {
      members.delete(name);
    } else {
      members.set(name, mergeMember(name, members.get(name), change));
    }
  }
  for (const name of Object.keys(patch)) {
    if (!name.startsWith(orderPrefix)) continue;
    const list = name.slice(orderPrefix.length);
    const current = members.get(list);
    if (Array.isArray(current)) members.set(list, ordered(current, listAt(patch, name), mergeKeys[list]));
  }
  return Object.fromEntries(members);
}

function retained(target: JsonRecord, patch: JsonRecord): JsonRecord {
  if (!Array.isArray(patch['$retainKeys'])) return target;
  const kept = new Set(listAt(patch, '$retainKeys'));
  return Object.fromEntries(Object.entries(target).filter(([name]) => kept.has(name)));
}

function mergeMember(name: string, current: unknown, change: unknown): unknown {
  if (!Array.isArray(change)) return strategicMerge(current, change);
  const currentList: readonly unknown[] = Array.isArray(current) ? current : [];
  const changes: readonly unknown[] = change;
  if (mergedSets.has(name)) return [...new Set([...currentList, ...changes])];
  const key = mergeKeys[name];
  return key === undefined ? changes : mergeList(currentList, changes, key);
}

function mergeList(
  current: readonly unknown[],
  changes: readonly unknown[],
  key: string,
): readonly unknown[] {
  if (changes.some((change) => at(change, '$patch') === 'replace')) {
    return changes.filter((change) => at(change, '$patch') !== 'replace');
  }
  let merged = current;
  for (const change of changes) {
    const identity = at(change, key);
    const index = merged.findIndex((element) => at(element, key) === identity);
    if (at(change, '$patch') === 'delete') {
      merged = merged.filter((element) => at(element, key) !== identity);
    } else if (index === -1) {
      merged = [...merged, strategicMerge({}, change)];
    } else {
      merged = merged.with(index, strategicMerge(merged[index], change));
    }
  }
  return merged;
}

/** The listed elements in the order of the list, the others after them. */
function ordered(
  elements: readonly unknown[],
  order: readonly unknown[],
  key: string | undefined,
): readonly unknown[] {
  const identityOf = (element: unknown) => (key === undefined ? element : at(element, key));
  const places = new Map(order.map((entry, index) => [identityOf(entry), index]));
  const placeOf = (element: unknown) => places.get(identityOf(element)) ?? order.length;
  return elements.toSorted((one, other) => placeOf(one) - placeOf(other));
}
