/** The ledger of the running server beside what a start on the same cluster would charge. */
import { podReference } from '../../migration/subject.ts';
import type { Allocation } from '../../model/allocation.ts';
import { type ChargeDriftKind, type ChargeSide, driftOf, sideOf } from '../../state/ledger-audit.ts';
import { type Finding, finding, type FindingCode } from './finding.ts';
import type { Subject } from './subject.ts';

const codeOf: Readonly<Record<Exclude<ChargeDriftKind, 'stale'>, FindingCode>> = {
  leaked: 'LedgerLeaked',
  missing: 'LedgerMissing',
  misplaced: 'LedgerMisplaced',
  altered: 'LedgerAltered',
};

export function ledgerFindings({ server, state, sealer, nodes }: Subject): readonly Finding[] {
  if (server === undefined) return [];
  if (!server.synced) {
    const cluster = { kind: 'Server', name: 'ledger' };
    return [
      finding(
        'ServerNotSynced',
        cluster,
        `its state is not complete yet; the cluster has ${nodes.length} nodes`,
      ),
    ];
  }
  const held = new Map(server.entries.map((entry) => [entry.podUid, entry]));
  const due = [...state.entries()].filter(({ request }) => request.counts.size > 0);
  const uids = new Set([...held.keys(), ...due.map(({ podUid }) => podUid)]);
  return [...uids].flatMap((podUid) => {
    const [memory, entry] = [held.get(podUid), state.entry(podUid)];
    const pod = memory ?? entry;
    if (pod === undefined) return [];
    const api = entry === undefined ? undefined : comparable(sideOf(entry), memory, sealer !== undefined);
    const kind = driftOf({ memory, api, exists: state.versionOf(podUid) !== undefined });
    // How far a pod is, the server does not tell.
    if (kind === undefined || kind === 'stale') return [];
    const sentence = `the server has ${sideText(memory)}, the cluster ${sideText(api)}`;
    return [finding(codeOf[kind], podReference(pod), sentence)];
  });
}

/** Without the key of the seal nobody can say what a server that has it believes. */
function comparable(api: ChargeSide, memory: ChargeSide | undefined, knowsKey: boolean): ChargeSide {
  const { node, state, allocation, believed } = api;
  return { node, state, allocation, believed: knowsKey ? believed : (memory?.believed ?? believed) };
}

function sideText(side: ChargeSide | undefined): string {
  if (side === undefined) return 'nothing';
  const cards = cardsText(side.allocation);
  const how = side.believed ? 'as written' : 'by the larger of annotation and request';
  return `${side.state} on ${side.node}: ${cards === '' ? 'no known card' : cards}, charged ${how}`;
}

function cardsText(allocation: Allocation): string {
  return allocation
    .flat()
    .map(({ deviceId, memoryMiB, corePercent }) => `${deviceId} ${memoryMiB} MiB, ${corePercent} of compute`)
    .join(', ');
}
