/**
 * The rules of pods: what creation sets, what an update may change (images, tolerations added, gates removed), and
 * which pods are refused. Fields that clients here do not use are stored as sent and not checked.
 */
import { isDeepStrictEqual } from 'node:util';
import { type ApiObject, withMeta } from './api-object.ts';
import { resourceFaults } from './container-resources.ts';
import { at, isRecord, type JsonRecord, listAt, recordAt, textAt, without } from './json.ts';
import { dnsLabelFault, metadataFields } from './metadata.ts';
import { decodePod, qosClassOf } from './pod-defaults.ts';
import type { ResourceRules } from './resource-rules.ts';
import type { SelectableFields } from './selectors.ts';
import type { FieldFault } from './status.ts';

export const podFields: SelectableFields = {
  ...metadataFields,
  'spec.nodeName': (pod) => textAt(pod, 'spec', 'nodeName'),
  'spec.restartPolicy': (pod) => textAt(pod, 'spec', 'restartPolicy'),
  'spec.schedulerName': (pod) => textAt(pod, 'spec', 'schedulerName'),
  'spec.serviceAccountName': (pod) => textAt(pod, 'spec', 'serviceAccountName'),
  'spec.hostNetwork': (pod) => String(at(pod, 'spec', 'hostNetwork') === true),
  'status.phase': (pod) => textAt(pod, 'status', 'phase'),
  'status.podIP': (pod) => textAt(pod, 'status', 'podIP'),
  'status.nominatedNodeName': (pod) => textAt(pod, 'status', 'nominatedNodeName'),
};

export const podRules: ResourceRules = {
  decode: decodePod,
  create: (pod) => ({
    ...withMeta(pod, { generation: 1 }),
    status: { phase: 'Pending', ...gatedCondition(pod), qosClass: qosClassOf(pod) },
  }),
  faults: (pod, current) => [
    ...containerFaults(pod),
    ...(current === undefined ? [] : changeFaults(pod, current)),
  ],
};

function gatedCondition(pod: ApiObject): JsonRecord {
  if (listAt(pod, 'spec', 'schedulingGates').length === 0) return {};
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  return { conditions: [condition] };
}

function containerFaults(pod: ApiObject): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  const names = new Set<string>();
  if (listAt(pod, 'spec', 'containers').length === 0) {
    faults.push({ kind: 'Required', field: 'spec.containers' });
  }
  for (const list of ['initContainers', 'containers']) {
    listAt(pod, 'spec', list).forEach((container, index) => {
      const field = `spec.${list}[${index}]`;
      const name = textAt(container, 'name');
      const fault = name === '' ? undefined : dnsLabelFault(name, `${field}.name`);
      if (name === '') faults.push({ kind: 'Required', field: `${field}.name` });
      else if (fault !== undefined) faults.push(fault);
      else if (names.has(name)) faults.push({ kind: 'Duplicate', field: `${field}.name`, value: name });
      names.add(name);
      if (textAt(container, 'image') === '') faults.push({ kind: 'Required', field: `${field}.image` });
      faults.push(...resourceFaults(at(container, 'resources'), `${field}.resources`));
    });
  }
  return faults;
}

/** An update may touch the listed fields only; the comparison is made with those put back. */
function changeFaults(pod: ApiObject, current: ApiObject): readonly FieldFault[] {
  const spec = recordAt(pod, 'spec');
  const before = recordAt(current, 'spec');
  const mutable = ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'];
  const frozen = (whole: JsonRecord) => ({
    ...without(whole, ...mutable),
    ...imagesErased(whole, 'containers'),
    ...imagesErased(whole, 'initContainers'),
  });
  const keepsTolerations = listAt(before, 'tolerations').every((toleration) =>
    listAt(spec, 'tolerations').some((entry) => isDeepStrictEqual(entry, toleration)),
  );
  const addsNoGate = listAt(spec, 'schedulingGates').every((gate) =>
    listAt(before, 'schedulingGates').some((entry) => isDeepStrictEqual(entry, gate)),
  );
  if (isDeepStrictEqual(frozen(spec), frozen(before)) && keepsTolerations && addsNoGate) return [];
  return [
    {
      kind: 'Forbidden',
      field: 'spec',
      detail:
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
        '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
    },
  ];
}

function imagesErased(spec: JsonRecord, list: string): JsonRecord {
  if (!Array.isArray(spec[list])) return {};
  return {
    [list]: listAt(spec, list).map((entry) => (isRecord(entry) ? without(entry, 'image') : entry)),
  };
}
