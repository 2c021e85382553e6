/**
 * Pods that were bound past us, told where people look: the log, a metric, and where such a pod has started while the
 * node's lock was another pod's, an Event on that other pod, for nobody can say any more which of the two has whose
 * devices. Every replica follows what happens; only the leader tells.
 */
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import { LockWitness } from '../kubernetes/lock-witness.ts';
import type { NodeLocks } from '../kubernetes/node-locks.ts';
import { type NamespacedName, podName } from '../model/cluster-objects.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { Stray, StrayChange } from '../state/strays.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics, StrayOutcome } from '../telemetry/metrics.ts';

export interface StrayReportDeps {
  readonly metrics: Pick<Metrics, 'strays'>;
  readonly log: Log;
  readonly events: Pick<EventRecorder, 'report'>;
  readonly locks: Pick<NodeLocks, 'ownersOn'>;
  /** The pods that the ledger has on a node. */
  readonly entriesOf: DeviceState['entriesOf'];
  readonly isLeader: () => boolean;
}

export class StrayReports {
  readonly #deps: StrayReportDeps;
  readonly #witness = new LockWitness();

  constructor(deps: StrayReportDeps) {
    this.#deps = deps;
  }

  /** To be called after every word on a node. */
  seeNode(node: string): void {
    this.#witness.see(node, this.#deps.locks.ownersOn(node));
  }

  tell({ kind, stray }: StrayChange): void {
    const { locks, isLeader, log, metrics } = this.#deps;
    if (kind === 'came') {
      this.#witness.came(stray, locks.ownersOn(stray.node));
      if (isLeader()) log.warn(fieldsOf(stray), 'pod without allocation closes its node');
      return;
    }
    const owners = this.#witness.left(stray);
    if (!isLeader()) return;
    const outcome: StrayOutcome = kind === 'started' && owners.length > 0 ? 'started_under_lock' : kind;
    metrics.strays.inc({ outcome });
    if (outcome !== 'started_under_lock') {
      log.info({ ...fieldsOf(stray), outcome }, 'pod without allocation no longer closes its node');
      return;
    }
    for (const owner of owners) this.#flag(owner, stray);
  }

  #flag(owner: NamespacedName, stray: Stray): void {
    const { log, events, entriesOf } = this.#deps;
    log.warn(
      { ...fieldsOf(stray), owner: podName(owner) },
      'pod without allocation has started under the lock of another pod: their devices are uncertain',
    );
    // One that is over needs no telling, and a successor of its name has had no part in it.
    const known = entriesOf(stray.node).find((entry) => podName(entry) === podName(owner));
    if (known === undefined) return;
    events.report({
      object: { kind: 'Pod', ...owner, uid: known.podUid },
      type: 'Warning',
      reason: 'DevicesUncertain',
      message:
        `pod ${podName(stray)} came to node ${stray.node} past the scheduler, waited there while this pod held the node's lock, and has started: ` +
        'each of the two may have devices that were meant for the other. Delete both and create them again, that one without nodeName.',
      topic: 'devices',
      cause: stray.podUid,
    });
  }
}

function fieldsOf(stray: Stray) {
  return { pod: podName(stray), podUid: stray.podUid, node: stray.node };
}
