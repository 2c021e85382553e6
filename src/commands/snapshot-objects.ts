/**
 * The objects of a snapshot: one list per kind, in pages, and of each object what the API gave. Left out is what no
 * planner reads and what people keep to themselves: environment, commands, probes and volumes of containers, the last
 * words of those that ended, what was applied last (which repeats it all), and who wrote which field. Names, labels,
 * images and the other annotations stay; who passes a file on should know.
 */
import { listedPages } from '../kubernetes/listed-pages.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { isMapping, type Mapping } from '../wire/mapping.ts';

export interface ClusterSnapshot {
  /** In the form of the API, with kind and version. */
  readonly objects: readonly Mapping[];
  /** Whole sentences about what is missing. */
  readonly warnings: readonly string[];
}

interface SnapshotKind {
  readonly kind: string;
  readonly path: string;
  /** Without it there is no snapshot. */
  readonly isNecessary: boolean;
  readonly trim: (object: Mapping) => Mapping;
}

const kinds: readonly SnapshotKind[] = [
  { kind: 'Node', path: '/api/v1/nodes', isNecessary: true, trim: trimmedNode },
  { kind: 'Pod', path: '/api/v1/pods', isNecessary: true, trim: trimmedPod },
  { kind: 'ResourceQuota', path: '/api/v1/resourcequotas', isNecessary: false, trim: (quota) => quota },
];

const pageSize = 500;

/** Refuses when nodes or pods cannot be listed. Never throws for what the network or the server does. */
export async function collectSnapshotObjects(
  client: Pick<RestClient, 'request'>,
): Promise<Parsed<ClusterSnapshot>> {
  const objects: Mapping[] = [];
  const warnings: string[] = [];
  for (const { kind, path, isNecessary, trim } of kinds) {
    for await (const page of listedPages({ client, path, pageSize })) {
      if (page.ok) {
        for (const item of page.value) objects.push(asListed(kind, trim(isMapping(item) ? item : {})));
      } else if (isNecessary) return page;
      else warnings.push(`the snapshot has no ${kind}s: ${page.problem}`);
    }
  }
  return parsed({ objects, warnings });
}

/** Items of a list carry no kind of their own. */
function asListed(kind: string, object: Mapping): Mapping {
  const metadata = mappingOf(object['metadata']);
  const annotations = without(mappingOf(metadata['annotations']), [lastApplied]);
  return {
    apiVersion: 'v1',
    kind,
    ...object,
    metadata: {
      ...without(metadata, ['managedFields', 'annotations']),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  };
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** A list of images tells nothing here and is most of the object. */
function trimmedNode(node: Mapping): Mapping {
  return changed(node, 'status', (status) => without(status, ['images']));
}

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'];
const statusLists = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'];
const privateOfPod = ['volumes', 'hostAliases'];
const privateOfContainer = [
  'env',
  'envFrom',
  'command',
  'args',
  'lifecycle',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'volumeMounts',
  'volumeDevices',
];

function trimmedPod(pod: Mapping): Mapping {
  const trimmed = changed(pod, 'spec', (spec) =>
    eachIn(without(spec, privateOfPod), containerLists, (container) =>
      without(container, privateOfContainer),
    ),
  );
  return changed(trimmed, 'status', (status) => eachIn(status, statusLists, withoutLastWords));
}

/** A container that ended says in `message` what it wrote last, which may be the end of its log. */
function withoutLastWords(containerStatus: Mapping): Mapping {
  const quiet = (states: Mapping) =>
    Object.fromEntries(
      Object.entries(states).map(([name, state]) => [
        name,
        isMapping(state) ? without(state, ['message']) : state,
      ]),
    );
  return changed(changed(containerStatus, 'state', quiet), 'lastState', quiet);
}

function mappingOf(value: unknown): Mapping {
  return isMapping(value) ? value : {};
}

function without(object: Mapping, keys: readonly string[]): Mapping {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** With one member changed, where it is a mapping. */
function changed(object: Mapping, key: string, change: (member: Mapping) => Mapping): Mapping {
  const member = object[key];
  return isMapping(member) ? { ...object, [key]: change(member) } : object;
}

/** With every item of some lists changed. */
function eachIn(object: Mapping, keys: readonly string[], change: (item: Mapping) => Mapping): Mapping {
  const lists = keys.flatMap((key) => {
    const list = object[key];
    return Array.isArray(list) ? [[key, list.map((item) => change(mappingOf(item)))] as const] : [];
  });
  return { ...object, ...Object.fromEntries(lists) };
}
