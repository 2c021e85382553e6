/**
 * The rules of nodes. Unlike pods, a node is created with the status it reports; capacity is allocatable where nothing
 * else is said, and a node is born with the not-ready taint, which whoever tends it removes.
 */
import { type Parsed, parsed } from '../../model/result.ts';
import type { ApiObject } from './api-object.ts';
import { withCanonicalAmounts } from './container-resources.ts';
import { at, isRecord, listAt, recordAt, textAt } from './json.ts';
import type { ResourceRules } from './resource-rules.ts';
import type { SelectableFields } from './selectors.ts';

export const nodeFields: SelectableFields = {
  'metadata.name': ({ metadata }) => metadata.name,
  'spec.unschedulable': (node) => String(at(node, 'spec', 'unschedulable') === true),
};

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export const nodeRules: ResourceRules = {
  decode: decodeNode,
  create: (node) => {
    const taints = listAt(node, 'spec', 'taints');
    const tainted = taints.some(
      (taint) => textAt(taint, 'key') === notReady.key && textAt(taint, 'effect') === notReady.effect,
    );
    return { ...node, spec: { ...recordAt(node, 'spec'), taints: tainted ? taints : [...taints, notReady] } };
  },
};

function decodeNode(node: ApiObject): Parsed<ApiObject> {
  const status = withCanonicalAmounts(at(node, 'status'), 'capacity', 'allocatable');
  if (!status.ok) return status;
  const capacity = recordAt(status.value, 'capacity');
  const allocatable = { ...capacity, ...recordAt(status.value, 'allocatable') };
  return parsed({
    ...node,
    spec: recordAt(node, 'spec'),
    status: {
      ...status.value,
      ...(isRecord(at(status.value, 'capacity')) ? { allocatable } : {}),
    },
  });
}
