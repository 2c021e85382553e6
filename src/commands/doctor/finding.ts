/**
 * What the doctor can find: a closed list of codes, each with how grave it is and what to do about it. Every code has a
 * row in docs/doctor.md, and a test compares the two lists. Sentences never name their object, so that a report can tell
 * many objects with one sentence.
 */
import { objectName, type ObjectReference } from '../../migration/finding.ts';
import { compareText } from '../../model/device.ts';

/** `fault`: somebody has to do something. `note`: good to know. */
export const severities = ['fault', 'note'] as const;
export type Severity = (typeof severities)[number];

interface FindingKind {
  readonly severity: Severity;
  readonly remedy: string;
  /** True where a cluster at work may look so for a moment; such a finding must be there twice. */
  readonly passing?: boolean;
}

const handRelease =
  'By hand: kubectl annotate node NAME hami.io/mutex.lock-, or the lock that is named, with a minus sign (only while nobody waits for its devices there).';
const auditMends =
  'The next audit of the server mends it; should it stay, look for "ledger drift" in the server’s log and report it.';

const kinds = {
  LedgerLeaked: { severity: 'fault', passing: true, remedy: auditMends },
  LedgerMissing: { severity: 'fault', passing: true, remedy: auditMends },
  LedgerMisplaced: { severity: 'fault', passing: true, remedy: auditMends },
  LedgerAltered: {
    severity: 'fault',
    passing: true,
    remedy:
      'Find out who changes annotations of bound pods. The leader writes its own back with its next audit; other pods have to be started again.',
  },
  ServerNotSynced: {
    severity: 'fault',
    remedy: 'Wait until /readyz answers 200; if it does not, see the server’s log for what its watches lack.',
  },
  CardOvercommitted: {
    severity: 'fault',
    remedy:
      'Nothing more is placed there. Move one of the named pods away; report it if Tessera bound them all.',
  },
  BoundWithoutAllocation: {
    severity: 'fault',
    remedy:
      'Take spec.nodeName, or the scheduler that does not share cards, out of its template and start it again. Until it ends, whole cards of its node are set aside for it.',
  },
  AllocationInvalid: {
    severity: 'fault',
    remedy: 'Start the pod again: until it ends it is charged by its own request, on cards nobody knows.',
  },
  SealBroken: {
    severity: 'fault',
    remedy:
      'Find out who changed it. A server that has run since the bind writes it back; one that was started later charges the larger of annotation and own request until the pod ends.',
  },
  LockLeftOver: {
    severity: 'fault',
    passing: true,
    remedy: `The leader gives it back by itself within seconds; see whether one runs. ${handRelease}`,
  },
  LockMalformed: {
    severity: 'fault',
    passing: true,
    remedy: `The next bind on the node overwrites it; device plugins cannot read it. ${handRelease}`,
  },
  RegisterMalformed: {
    severity: 'fault',
    remedy:
      'Restart the device plugin on the node, or mend its configuration. A running server goes on with the last good list; one that starts now offers nothing there.',
  },
  ObjectUnreadable: {
    severity: 'fault',
    remedy: 'Mend the object: what it holds is not counted by a server that starts now.',
  },
  LeaseMissing: {
    severity: 'fault',
    passing: true,
    remedy: 'Nobody leads, so nobody binds: see whether the pods of kube-scheduler and server run.',
  },
  LeaseExpired: {
    severity: 'fault',
    passing: true,
    remedy: 'Nobody leads, so nobody binds: see whether its holder still runs, and why nobody took over.',
  },
  WebhookMissing: {
    severity: 'fault',
    remedy: 'Install it again: pods that ask for cards pass unchanged and go to the default scheduler.',
  },
  CaBundleMissing: {
    severity: 'fault',
    passing: true,
    remedy:
      'See whether the server may patch mutatingwebhookconfigurations and is told its name (tls.webhookConfigurations).',
  },
  CaBundleDiffers: {
    severity: 'fault',
    passing: true,
    remedy:
      'API servers cannot call the webhook. Put the authority of the served certificate into caBundle, or let the server do so (tls.secret, tls.webhookConfigurations).',
  },
  DevicesUnavailable: {
    severity: 'note',
    remedy: 'See why the device plugin of the node is down, if it should be up.',
  },
  LinkScoresMalformed: {
    severity: 'note',
    remedy: 'Restart the device plugin on the node. Until then topology-aware pods see cards without links.',
  },
  AllocationUnsealed: {
    severity: 'note',
    remedy:
      'Nothing to do for pods that were bound before Tessera came. Others were bound by somebody else; they are charged the larger of annotation and own request.',
  },
  LeaseHeld: { severity: 'note', remedy: 'Nothing to do.' },
  NotLookedAt: {
    severity: 'note',
    remedy: 'Give the doctor what it lacks, and look again.',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;

export type FindingCode = keyof typeof kinds;

/** In the order of a report: by severity, then as listed. */
export const findingCodes: readonly FindingCode[] = (Object.keys(kinds) as FindingCode[]).sort(
  (a, b) => severities.indexOf(kinds[a].severity) - severities.indexOf(kinds[b].severity),
);

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

export function isPassing({ code }: Finding): boolean {
  const kind: FindingKind = kinds[code];
  return kind.passing === true;
}

/** A total order: code, then object, then sentence. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    findingCodes.indexOf(a.code) - findingCodes.indexOf(b.code) ||
    compareText(objectName(a.object), objectName(b.object)) ||
    compareText(a.sentence, b.sentence)
  );
}
