/**
 * The table of what is served: names for discovery, selectable fields, and each kind's rules. A new kind is a row here
 * and, where it has rules, some lines beside this file. No controller runs here: finalizers and owner references are
 * stored and mean nothing, and quota is neither counted nor enforced.
 */
import { eventFields, eventFromV1, eventRules, eventToV1, eventV1Fields } from './events.ts';
import type { JsonRecord } from './json.ts';
import { metadataFields } from './metadata.ts';
import { nodeFields, nodeRules } from './nodes.ts';
import { podFields, podRules } from './pods.ts';
import type { ResourceName } from './resource-name.ts';
import type { ResourceRules } from './resource-rules.ts';
import type { SelectableFields } from './selectors.ts';
import {
  namespaceFields,
  namespaceRules,
  quotaRules,
  secretFields,
  secretRules,
  webhookRules,
} from './small-kinds.ts';

/** A subresource as discovery lists it; the routes are in `pod-routes.ts` and `resource-routes.ts`. */
export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface Resource extends ResourceName {
  readonly version: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Where its objects are kept; two versions of one kind share it. */
  readonly collection: string;
  readonly fields: SelectableFields;
  readonly rules: ResourceRules;
  /** Whether `status` is written through a subresource of its own. */
  readonly hasStatus: boolean;
  /** Whether `metadata.generation` counts changes of what is asked for. */
  readonly hasGeneration: boolean;
  /** Whether DELETE answers with the object's last state instead of a Status. */
  readonly deleteReturnsObject: boolean;
  /** Whether PUT may leave out the resourceVersion. */
  readonly unconditionalUpdate: boolean;
  /** Whether PUT creates what is not there. */
  readonly createOnUpdate: boolean;
  /** How many are kept; the stalest make room. Absent for no bound. */
  readonly keptObjects?: number;
  /** Between the stored form and that of this group and version. */
  readonly toWire?: (object: JsonRecord) => JsonRecord;
  readonly fromWire?: (object: JsonRecord) => JsonRecord;
}

type Row = Pick<Resource, 'plural' | 'singular' | 'kind'> & Partial<Resource>;

function resource(row: Row): Resource {
  const { group = '', plural, namespaced = true, hasStatus = false } = row;
  return {
    group,
    version: 'v1',
    namespaced,
    shortNames: [],
    categories: [],
    collection: group === '' ? plural : `${plural}.${group}`,
    fields: namespaced ? metadataFields : { 'metadata.name': ({ metadata }) => metadata.name },
    rules: {},
    hasStatus,
    hasGeneration: false,
    deleteReturnsObject: false,
    unconditionalUpdate: true,
    createOnUpdate: false,
    ...row,
    subresources: [
      ...(hasStatus ? [{ name: 'status', kind: row.kind, verbs: ['get', 'patch', 'update'] }] : []),
      ...(row.subresources ?? []),
    ],
  };
}

export const pods = resource({
  plural: 'pods',
  singular: 'pod',
  kind: 'Pod',
  shortNames: ['po'],
  categories: ['all'],
  fields: podFields,
  rules: podRules,
  hasStatus: true,
  hasGeneration: true,
  deleteReturnsObject: true,
  subresources: [
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
  ],
});

export const nodes = resource({
  plural: 'nodes',
  singular: 'node',
  kind: 'Node',
  namespaced: false,
  shortNames: ['no'],
  fields: nodeFields,
  rules: nodeRules,
  hasStatus: true,
});

export const namespaces = resource({
  plural: 'namespaces',
  singular: 'namespace',
  kind: 'Namespace',
  namespaced: false,
  shortNames: ['ns'],
  fields: namespaceFields,
  rules: namespaceRules,
  hasStatus: true,
  deleteReturnsObject: true,
});

/** The real server drops events after an hour; here their number is bounded, whatever their age. */
const keptEvents = 5000;

const coreEvents = resource({
  plural: 'events',
  singular: 'event',
  kind: 'Event',
  shortNames: ['ev'],
  fields: eventFields,
  rules: eventRules,
  createOnUpdate: true,
  keptObjects: keptEvents,
});

const admissionGroup = 'admissionregistration.k8s.io';

export const mutatingWebhookConfigurations = resource({
  group: admissionGroup,
  plural: 'mutatingwebhookconfigurations',
  singular: 'mutatingwebhookconfiguration',
  kind: 'MutatingWebhookConfiguration',
  namespaced: false,
  categories: ['api-extensions'],
  rules: webhookRules({ reinvocationPolicy: 'Never' }),
  hasGeneration: true,
});

export const resources: readonly Resource[] = [
  resource({ plural: 'configmaps', singular: 'configmap', kind: 'ConfigMap', shortNames: ['cm'] }),
  coreEvents,
  namespaces,
  nodes,
  pods,
  resource({
    plural: 'resourcequotas',
    singular: 'resourcequota',
    kind: 'ResourceQuota',
    shortNames: ['quota'],
    rules: quotaRules,
    hasStatus: true,
    deleteReturnsObject: true,
  }),
  resource({
    plural: 'secrets',
    singular: 'secret',
    kind: 'Secret',
    fields: secretFields,
    rules: secretRules,
  }),
  mutatingWebhookConfigurations,
  // Stored so that manifests apply; never called.
  resource({
    group: admissionGroup,
    plural: 'validatingwebhookconfigurations',
    singular: 'validatingwebhookconfiguration',
    kind: 'ValidatingWebhookConfiguration',
    namespaced: false,
    categories: ['api-extensions'],
    rules: webhookRules({}),
    hasGeneration: true,
  }),
  resource({
    group: 'coordination.k8s.io',
    plural: 'leases',
    singular: 'lease',
    kind: 'Lease',
    unconditionalUpdate: false,
    createOnUpdate: true,
  }),
  {
    ...coreEvents,
    group: 'events.k8s.io',
    fields: eventV1Fields,
    toWire: eventToV1,
    fromWire: eventFromV1,
  },
];

/** `v1` of the core group, `coordination.k8s.io/v1` of another. */
export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}
