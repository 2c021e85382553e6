/**
 * What the migration check can find: a closed list of codes, each with how grave it is and what to do about it. Every
 * code has a row in docs/moving-from-hami.md, and a test compares the two lists. Sentences say what is so and never name
 * their object, so that a report can tell many objects with one sentence.
 */
import { compareText } from '../model/device.ts';

/**
 * `blocker`: solve it before the switch. `action`: somebody has to do something, before or after. `change`: it will be
 * different, and nothing has to be done. `info`: good to know.
 */
export const severities = ['blocker', 'action', 'change', 'info'] as const;
export type Severity = (typeof severities)[number];

interface FindingKind {
  readonly severity: Severity;
  readonly remedy: string;
}

const kinds = {
  ObjectUnreadable: {
    severity: 'blocker',
    remedy: 'Mend the object: the server would go on without it, and what it holds would not be counted.',
  },
  MigPodBeforeV210: {
    severity: 'blocker',
    remedy:
      'Drain the pod. Until it ends its card takes no other; then move the node to device plugin v2.10 and start the pod again.',
  },
  RegisterMalformed: {
    severity: 'blocker',
    remedy:
      'Restart the device plugin on the node, or mend its configuration. Until then the node offers nothing.',
  },
  ResourceNameDiffers: {
    severity: 'blocker',
    remedy: "Give the server HAMi's device-config.yaml (--device-config-file, or deviceConfig of the chart).",
  },
  VendorNotManaged: {
    severity: 'blocker',
    remedy:
      "Switch the family on, by HAMi's device-config.yaml or by vendors.<block>.enabled. If there is no block for it, keep HAMi's scheduler for as long as its pods are needed, or take these cards out of sharing first.",
  },
  MixedOperation: {
    severity: 'blocker',
    remedy:
      "Stop HAMi's scheduler before Tessera serves its pods: two ledgers give one card away twice. Scale it to 0 and wait until its pods are gone.",
  },
  HamiSchedulerRunning: {
    severity: 'action',
    remedy:
      "Stop it at the switch, before its scheduler name is added to ours; Tessera's kube-scheduler may take over the same lease.",
  },
  HamiWebhookPresent: {
    severity: 'action',
    remedy: "Delete it at the switch. With HAMi's own chart and our image it stays as it is.",
  },
  TwoWebhooks: {
    severity: 'action',
    remedy: "Delete HAMi's configuration: the one that is called first decides which scheduler gets a pod.",
  },
  SchedulerNameUnserved: {
    severity: 'action',
    remedy:
      "Add the name to schedulerNames, once HAMi's scheduler has stopped; else pods that name it wait for ever.",
  },
  MigProfilesMissing: {
    severity: 'action',
    remedy: 'Update the device plugin of the node to v2.10. Until then its MIG cards take no new pods.',
  },
  MigCardClosed: {
    severity: 'action',
    remedy: 'Let the named pods end, or start them again; the card opens with the last of them.',
  },
  CardOvercommitted: {
    severity: 'action',
    remedy:
      'Nothing is evicted and nothing more is placed there. Move a pod away if its owners report failures.',
  },
  CardUnknown: {
    severity: 'action',
    remedy:
      'Start the pod again when it suits: as long as it runs, whole cards of its node are set aside for it.',
  },
  AllocationMalformed: {
    severity: 'action',
    remedy: 'Start the pod again when it suits: it is charged by its own request, on cards nobody knows.',
  },
  AllocationForOtherNode: {
    severity: 'action',
    remedy:
      'Find out who wrote the annotation. The pod is charged by its own request on the node it runs on.',
  },
  BoundAroundScheduler: {
    severity: 'action',
    remedy:
      'Take spec.nodeName or the foreign scheduler out of its template: new pods that ask for cards and name a node are refused. Until it ends, whole cards are set aside for it.',
  },
  BoundWithoutAllocation: {
    severity: 'action',
    remedy: 'Mend its template and start it again. Until it ends, whole cards are set aside for it.',
  },
  RequestInvalid: {
    severity: 'action',
    remedy: 'Mend the template of the pod: it will not be placed as it is, and its next copy is refused.',
  },
  PrivilegedPod: {
    severity: 'action',
    remedy:
      'Take away the privilege or the cards: the next copy of the pod is refused, as by HAMi from v2.10.',
  },
  NodeLockHeld: {
    severity: 'action',
    remedy: 'Look again in a minute. Switch only when nobody waits for a device plugin.',
  },
  LinkScoresMalformed: {
    severity: 'action',
    remedy: 'Restart the device plugin on the node. Until then topology-aware pods see cards without links.',
  },
  MigReservationMalformed: {
    severity: 'action',
    remedy: 'Start the pod again when it suits: its MIG card takes no other pod until it ends.',
  },
  QuotaMalformed: {
    severity: 'action',
    remedy: 'Write a whole number: MiB (times memoryFactor) for memory, percent of a card for compute.',
  },
  QuotaKeyNotEnforced: {
    severity: 'action',
    remedy:
      'Nobody enforces this key. To limit the number of cards use requests.<resource>, which Kubernetes keeps.',
  },
  DeviceConfigDiffers: {
    severity: 'action',
    remedy: "Give the server HAMi's device-config.yaml, or write the values you want into our configuration.",
  },
  DeviceConfigMalformed: {
    severity: 'action',
    remedy: 'Mend the file before the server is given it: it does not start with one that it cannot read.',
  },
  NodeWithoutPlugin: {
    severity: 'change',
    remedy:
      'HAMi offers such a node most of the time, Tessera never does. See why its device plugin is down.',
  },
  PluginBeforeV28: {
    severity: 'change',
    remedy: 'It works as it is. Tessera reads this form and neither reads nor writes the handshake.',
  },
  NodeNameLong: {
    severity: 'change',
    remedy:
      "HAMi can place no pod there; Tessera can, without the label hami.io/vgpu-node, so HAMi's monitor does not list such pods.",
  },
  NodeLockMalformed: {
    severity: 'change',
    remedy: 'HAMi cannot place pods there until somebody deletes the value; Tessera overwrites it.',
  },
  CardsCordoned: {
    severity: 'change',
    remedy: 'The cordon is in force at once and for certain. HAMi may not have noticed it yet.',
  },
  CardOfNoNode: {
    severity: 'info',
    remedy: 'Take ids that are gone out of the list, so that it says what is meant.',
  },
  GhostReservation: {
    severity: 'change',
    remedy:
      'HAMi keeps the cards for the pod, Tessera does not: annotations of an unbound pod count nothing.',
  },
  AllocationMisaligned: {
    severity: 'change',
    remedy:
      'Nothing to do. HAMi may count such a pod for less than it uses once its init containers have ended.',
  },
  ChargeRaised: {
    severity: 'change',
    remedy:
      "Nothing to do. Annotations that Tessera has not sealed never lower a pod's charge below its request.",
  },
  MigReservationStale: {
    severity: 'change',
    remedy: 'Nothing to do. HAMi closes MIG cards over such an entry, Tessera leaves it out.',
  },
  AdmissionAddsLimits: {
    severity: 'change',
    remedy: 'If the cards are to be shared, give the template an amount of memory or compute.',
  },
  PolicyMeaning: {
    severity: 'change',
    remedy: 'Nothing to do, unless the former choice of cards was counted on.',
  },
  QuotaSeveralLimits: {
    severity: 'change',
    remedy: 'The smallest limit is in force. Delete those that are not meant.',
  },
  QuotaExceeded: {
    severity: 'change',
    remedy: 'Running pods stay. The namespace gets no more of it until it is within the limit.',
  },
  HandshakeLeftOver: {
    severity: 'info',
    remedy: 'Leave it for as long as you may go back. Tessera neither reads nor writes it.',
  },
  NodeLockLeftOver: {
    severity: 'info',
    remedy: 'Nothing to do. The next bind on the node takes the lock over.',
  },
  PluginVersion: { severity: 'info', remedy: 'Nothing to do.' },
  NodeNotSelected: { severity: 'info', remedy: 'Change nodeLabelSelector if the node is to be managed.' },
  RequestWarned: { severity: 'info', remedy: 'Write the request as it is meant.' },
  SchedulerNameServed: { severity: 'info', remedy: 'Nothing to do.' },
  LeaseHeld: {
    severity: 'info',
    remedy:
      'A kube-scheduler with this lease waits until it is given up; that is what keeps two from serving one name.',
  },
  WebhookIgnoresFailures: {
    severity: 'info',
    remedy:
      'While nobody answers, pods that ask for cards pass unchanged and go to the scheduler they name. failurePolicy: Fail refuses them instead.',
  },
  ResourceNameNotDefault: {
    severity: 'info',
    remedy:
      "List this name in managedResources of kube-scheduler's configuration; our chart does so by itself.",
  },
  VendorSwitchedOff: {
    severity: 'info',
    remedy:
      "Nothing to do if the cluster has no such cards; else switch them on, by HAMi's device-config.yaml or by vendors.<block>.enabled.",
  },
  DeviceConfigKeyIgnored: {
    severity: 'info',
    remedy: 'Nothing to do, unless the key was meant to have an effect.',
  },
  ResourceNotManaged: {
    severity: 'info',
    remedy:
      'Nothing to do if its own device plugin and the default scheduler serve it; Tessera does not touch it.',
  },
  NotLookedAt: {
    severity: 'info',
    remedy: 'Allow the list, or put these objects into the file, and look again.',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;

export type FindingCode = keyof typeof kinds;

/** In the order in which a report has them: by severity, then as listed. */
export const findingCodes: readonly FindingCode[] = (Object.keys(kinds) as FindingCode[]).sort(
  (a, b) => severities.indexOf(kinds[a].severity) - severities.indexOf(kinds[b].severity),
);

export interface ObjectReference {
  /** As Kubernetes names it; `Cluster` where it is no single object. */
  readonly kind: string;
  /** Absent for what belongs to no namespace. */
  readonly namespace?: string;
  readonly name: string;
}

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly object: ObjectReference;
  readonly sentence: string;
  readonly remedy: string;
}

export function finding(code: FindingCode, object: ObjectReference, sentence: string): Finding {
  const { severity, remedy } = kinds[code];
  return { code, severity, object, sentence, remedy };
}

/** A total order: code, then object, then sentence; so that the same cluster always gives the same report. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    findingCodes.indexOf(a.code) - findingCodes.indexOf(b.code) ||
    compareText(objectName(a.object), objectName(b.object)) ||
    compareText(a.sentence, b.sentence)
  );
}

/** `Kind namespace/name`, as people write it. */
export function objectName({ kind, namespace, name }: ObjectReference): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
