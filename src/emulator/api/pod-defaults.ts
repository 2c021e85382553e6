/**
 * The fields that the API server fills in on a pod (k8s.io/kubernetes `pkg/apis/core/v1/defaults.go`, and its
 * admission plugins DefaultTolerationSeconds and Priority), as far as clients and `kubectl describe` read them.
 * Priority classes are not served: a pod keeps the priority it names, else 0.
 */
import { type Parsed, parsed } from '../../model/result.ts';
import type { ApiObject } from './api-object.ts';
import { decodeResources, withCanonicalAmounts } from './container-resources.ts';
import { at, isRecord, type JsonRecord, listAt, recordAt, textAt } from './json.ts';

const specDefaults = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
  schedulerName: 'default-scheduler',
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
};

const probeDefaults = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/** Seconds that a pod stays on a node that is not ready or not reachable. */
const tolerationSeconds = 300;
const toleratedTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** The pod with defaults and canonical quantities. Refuses quantities that cannot be read. */
export function decodePod(pod: ApiObject): Parsed<ApiObject> {
  let spec: JsonRecord = { ...specDefaults, ...recordAt(pod, 'spec') };
  for (const list of ['initContainers', 'containers']) {
    if (!Array.isArray(spec[list])) continue;
    const containers: JsonRecord[] = [];
    for (const container of listAt(spec, list)) {
      const decoded = decodeContainer(container);
      if (!decoded.ok) return decoded;
      containers.push(decoded.value);
    }
    spec = { ...spec, [list]: containers };
  }
  const withOverhead = withCanonicalAmounts(spec, 'overhead');
  if (!withOverhead.ok) return withOverhead;
  const tolerations = withDefaultTolerations(listAt(spec, 'tolerations'));
  return parsed({ ...pod, spec: { ...withOverhead.value, tolerations } });
}

function decodeContainer(container: unknown): Parsed<JsonRecord> {
  const fields: JsonRecord = isRecord(container) ? container : {};
  const resources = decodeResources(at(fields, 'resources'));
  if (!resources.ok) return resources;
  const ports = listAt(fields, 'ports').map((port) => (isRecord(port) ? { protocol: 'TCP', ...port } : port));
  return parsed({
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: defaultPullPolicy(textAt(fields, 'image')),
    ...fields,
    resources: resources.value,
    ...(ports.length === 0 ? {} : { ports }),
    ...Object.fromEntries(
      probes.flatMap((probe) =>
        isRecord(fields[probe]) ? [[probe, { ...probeDefaults, ...recordAt(fields, probe) }]] : [],
      ),
    ),
    ...(Array.isArray(fields['env']) ? { env: listAt(fields, 'env').map(decodeVariable) } : {}),
  });
}

function decodeVariable(variable: unknown): unknown {
  if (!isRecord(at(variable, 'valueFrom', 'fieldRef'))) return variable;
  const fieldRef = { apiVersion: 'v1', ...recordAt(variable, 'valueFrom', 'fieldRef') };
  return { ...recordAt(variable), valueFrom: { ...recordAt(variable, 'valueFrom'), fieldRef } };
}

/** `latest`, or no tag, is pulled every time. */
function defaultPullPolicy(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function withDefaultTolerations(tolerations: readonly unknown[]): readonly unknown[] {
  const missing = toleratedTaints.filter(
    (key) => !tolerations.some((entry) => toleratesEviction(entry, key)),
  );
  const defaults = missing.map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  }));
  return [...tolerations, ...defaults];
}

function toleratesEviction(toleration: unknown, key: string): boolean {
  const effect = textAt(toleration, 'effect');
  const named = textAt(toleration, 'key');
  return (named === key || named === '') && (effect === 'NoExecute' || effect === '');
}

/** The quality-of-service class from the CPU and memory of all containers. */
export function qosClassOf(pod: ApiObject): string {
  const resources = [...listAt(pod, 'spec', 'initContainers'), ...listAt(pod, 'spec', 'containers')].map(
    (container) => recordAt(container, 'resources'),
  );
  const amounts = (list: JsonRecord) => ['cpu', 'memory'].map((name) => at(list, name));
  const asked = resources.flatMap((entry) => [
    ...amounts(recordAt(entry, 'requests')),
    ...amounts(recordAt(entry, 'limits')),
  ]);
  if (asked.every((amount) => amount === undefined || amount === '0')) return 'BestEffort';
  const guaranteed = resources.every((entry) =>
    ['cpu', 'memory'].every((name) => {
      const limit = at(entry, 'limits', name);
      return limit !== undefined && limit !== '0' && limit === at(entry, 'requests', name);
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
