/**
 * How pods get on with each other on a MetaX card: by app class (online pods push offline ones aside, neither lives
 * beside pods without a class) and by QoS policy, of which a card has one at a time (vendors §8.4). A pod says both in
 * annotations; the words of all containers on a card are what the next one is judged by.
 */
import type { TextMap } from '../../model/cluster-objects.ts';
import { parseGoBool } from '../../wire/go-values.ts';

export const appClassAnnotation = 'metax-tech.com/sgpu-app-class';
export const qosAnnotation = 'metax-tech.com/sgpu-qos-policy';
export const topologyAnnotation = 'metax-tech.com/sgpu-topology-aware';

export const appClasses = ['online', 'offline'] as const;
export const qosPolicies = ['best-effort', 'fixed-share', 'burst-share'] as const;
const defaultQos: QosPolicy = 'best-effort';

type AppClass = (typeof appClasses)[number];
type QosPolicy = (typeof qosPolicies)[number];

export interface SgpuKind {
  /** Absent also for a word that nobody knows: the plugin gives it no meaning. */
  readonly appClass?: AppClass | undefined;
  /** `unknown` is no policy and gets on with none; absent: whatever the card has. */
  readonly qosPolicy?: QosPolicy | 'unknown' | undefined;
  /** Whether the pod is for a node on which the cards that it has alone are well linked. */
  readonly wantsLinks: boolean;
}

/** The annotation that a pod with sGPUs is given where it has to have one and does not. */
export function missingQos(annotations: TextMap): TextMap {
  const isNeeded = annotations[appClassAnnotation] !== 'online' && annotations[qosAnnotation] === undefined;
  return isNeeded ? { [qosAnnotation]: defaultQos } : {};
}

/**
 * The kind of a container's shares. An online pod has what compute the others leave, and a container with all compute of
 * its cards is alone on them: neither sets a policy or minds one.
 *
 * @param topologyAware what counts for a pod that does not say, or nothing that can be read
 */
export function kindOf(annotations: TextMap, corePercent: number, topologyAware: boolean): SgpuKind {
  const appClass = appClasses.find((word) => word === annotations[appClassAnnotation]);
  const written = annotations[qosAnnotation] ?? defaultQos;
  const qosPolicy = qosPolicies.find((word) => word === written) ?? 'unknown';
  const aware = parseGoBool(annotations[topologyAnnotation] ?? '');
  const wantsLinks = corePercent === 100 && appClass !== 'online' && (aware.ok ? aware.value : topologyAware);
  return {
    appClass,
    qosPolicy: appClass === 'online' || corePercent === 100 ? undefined : qosPolicy,
    wantsLinks,
  };
}

/** As `DeviceRequest.kind` has it. */
export function formatKind({ appClass, qosPolicy, wantsLinks }: SgpuKind): string {
  return `${appClass ?? ''}/${qosPolicy ?? ''}/${wantsLinks ? 'links' : ''}`;
}

/** Reads what `formatKind` wrote. */
export function parseKind(kind = ''): SgpuKind {
  const [appClass, qosPolicy, links] = kind.split('/');
  return {
    appClass: appClasses.find((word) => word === appClass),
    qosPolicy: [...qosPolicies, 'unknown' as const].find((word) => word === qosPolicy),
    wantsLinks: links === 'links',
  };
}
