/**
 * The migration check: a cluster that HAMi schedules goes in, what will change when Tessera takes over comes out. The
 * cluster is loaded into the same state that a server would make of it, so what is said of charges and cards is what the
 * server will do. Pure: nothing is fetched, nothing is changed, and the time is handed in.
 */
import type { TesseraConfig } from '../config/config.ts';
import { hasLabels } from '../config/node-label-selector.ts';
import { asksForDevices } from '../model/request.ts';
import { DeviceState } from '../state/device-state.ts';
import type { QuotaProblem } from '../state/quota-table.ts';
import { readPodRequest } from '../vendors/pod-request.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { allocationFindings } from './allocation-findings.ts';
import { type ClusterPicture, lookedAtKinds } from './cluster-picture.ts';
import { compareFindings, type Finding, finding, severities, type Severity } from './finding.ts';
import { installationFindings } from './installation-findings.ts';
import { lockFindings } from './lock-findings.ts';
import { nodeFindings } from './node-findings.ts';
import { otherVendorFindings } from './other-vendors.ts';
import { quotaFindings } from './quota-findings.ts';
import { requestFindings } from './request-findings.ts';
import type { LivePod, Subject } from './subject.ts';

export interface MigrationReport {
  readonly looked: { readonly nodes: number; readonly pods: number; readonly quotas: number };
  readonly counts: Readonly<Record<Severity, number>>;
  /** In the order of `compareFindings`. */
  readonly findings: readonly Finding[];
}

export interface MigrationInputs {
  readonly picture: ClusterPicture;
  /** What the server would be started with. */
  readonly config: TesseraConfig;
  /** What reading the device configuration it names warned of. */
  readonly deviceConfigWarnings: readonly string[];
  readonly nowMs: number;
}

/** Never throws. */
export function checkMigration({
  picture,
  config,
  deviceConfigWarnings,
  nowMs,
}: MigrationInputs): MigrationReport {
  const vendors = makeVendors(config);
  // Nothing that HAMi wrote bears our seal.
  const state = new DeviceState({ vendors, trustOf: () => 'at-least-request' });
  const nodes = picture.nodes.filter(({ labels }) => hasLabels(labels, config.nodeLabelSelector));
  for (const node of nodes) state.applyNode(node);
  for (const { pod } of picture.pods) state.applyPod(pod, nowMs);
  const quotaProblems: { quota: { namespace: string; name: string }; problem: QuotaProblem }[] = [];
  for (const quota of picture.quotas) {
    for (const problem of state.applyQuota(quota)) quotaProblems.push({ quota, problem });
  }
  state.markSynced();

  const livePods = picture.pods.flatMap((pictured): LivePod[] => {
    const { pod } = pictured;
    if ((pod.phase === 'Succeeded' || pod.phase === 'Failed') && !pod.running) return [];
    const reading = readPodRequest(pod, vendors);
    return [{ ...pictured, reading, asks: reading.problems.length > 0 || asksForDevices(reading.request) }];
  });
  const subject: Subject = { picture, config, vendors, state, nodes, livePods, nowMs };
  const findings = [
    ...pictureFindings(picture),
    ...deviceConfigWarnings.map((warning) =>
      finding('DeviceConfigKeyIgnored', { kind: 'Cluster', name: 'configuration' }, warning),
    ),
    ...nodeFindings(subject),
    ...lockFindings(subject),
    ...allocationFindings(subject),
    ...requestFindings(subject),
    ...quotaFindings(subject, quotaProblems),
    ...installationFindings(subject),
    ...otherVendorFindings(subject),
  ].sort(compareFindings);
  return {
    looked: { nodes: picture.nodes.length, pods: picture.pods.length, quotas: picture.quotas.length },
    counts: countBySeverity(findings),
    findings,
  };
}

function pictureFindings({ unreadable, missing }: ClusterPicture): readonly Finding[] {
  return [
    ...unreadable.map(({ object, problem }) => finding('ObjectUnreadable', object, problem)),
    ...lookedAtKinds.flatMap((kind) => {
      const cause = missing.get(kind);
      return cause === undefined ? [] : [finding('NotLookedAt', { kind: 'Cluster', name: kind }, cause)];
    }),
  ];
}

function countBySeverity(findings: readonly Finding[]): Readonly<Record<Severity, number>> {
  const counts = severities.map((severity) => [
    severity,
    findings.filter((found) => found.severity === severity).length,
  ]);
  return Object.fromEntries(counts) as Record<Severity, number>;
}
