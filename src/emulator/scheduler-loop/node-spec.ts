/** A node as the scheduler loop needs it, and whether a new version of it gives refused pods reason to hope. */
import { isDeepStrictEqual } from 'node:util';
import type { TextMap } from '../../model/cluster-objects.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { parseNode } from '../../wire/kubernetes.ts';
import { at, listAt, textAt } from '../api/json.ts';
import { readTaint, type Taint } from './taints.ts';

export interface SchedulableNode {
  readonly name: string;
  readonly labels: TextMap;
  readonly annotations: TextMap;
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
  /** Quantities as written. */
  readonly allocatable: TextMap;
  /** Status by type; times are left out, so that a heartbeat changes nothing. */
  readonly conditions: TextMap;
}

export function parseSchedulableNode(raw: unknown): Parsed<SchedulableNode> {
  const read = parseNode(raw);
  if (!read.ok) return read;
  const { name, labels, annotations, allocatable } = read.value;
  return parsed({
    name,
    labels,
    annotations,
    allocatable,
    taints: listAt(raw, 'spec', 'taints').map(readTaint),
    unschedulable: at(raw, 'spec', 'unschedulable') === true,
    conditions: Object.fromEntries(
      listAt(raw, 'status', 'conditions').map((entry) => [textAt(entry, 'type'), textAt(entry, 'status')]),
    ),
  });
}

/** Whether anything that scheduling could depend on differs; kube-scheduler's rule (annotations count). */
export function isWorthRetry(before: SchedulableNode | undefined, now: SchedulableNode): boolean {
  return !isDeepStrictEqual(before, now);
}
