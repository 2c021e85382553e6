/** Rules of the kinds that have few: namespaces, quotas, secrets and webhook configurations. */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { type ApiObject, withMeta } from './api-object.ts';
import { withCanonicalAmounts } from './container-resources.ts';
import { at, isRecord, type JsonRecord, listAt, recordAt, textAt, without } from './json.ts';
import { dnsLabelFault, metadataFields } from './metadata.ts';
import type { ResourceRules } from './resource-rules.ts';
import type { SelectableFields } from './selectors.ts';

export const namespaceFields: SelectableFields = {
  'metadata.name': ({ metadata }) => metadata.name,
  'status.phase': (namespace) => textAt(namespace, 'status', 'phase'),
};

/** A namespace goes at once with all that is in it: no controller is there to empty it. */
export const namespaceRules: ResourceRules = {
  create: (namespace) => ({
    ...withMeta(namespace, {
      labels: { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name },
    }),
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
  faults: ({ metadata }) => {
    const fault = metadata.name === '' ? undefined : dnsLabelFault(metadata.name, 'metadata.name');
    return fault === undefined ? [] : [fault];
  },
};

/** `status.used` is what somebody writes to the status; nothing is counted or refused here. */
export const quotaRules: ResourceRules = {
  decode: (quota) => {
    const spec = withCanonicalAmounts(at(quota, 'spec'), 'hard');
    if (!spec.ok) return spec;
    const status = withCanonicalAmounts(at(quota, 'status'), 'hard', 'used');
    return status.ok ? parsed({ ...quota, spec: spec.value, status: status.value }) : status;
  },
  create: (quota) => ({ ...quota, status: {} }),
};

export const secretFields: SelectableFields = {
  ...metadataFields,
  type: (secret) => textAt(secret, 'type'),
};

export const secretRules: ResourceRules = { decode: decodeSecret };

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeSecret(secret: ApiObject): Parsed<ApiObject> {
  const data = recordAt(secret, 'data');
  for (const [name, value] of Object.entries(data)) {
    if (typeof value !== 'string' || !base64.test(value)) return unparsable(`data[${name}] is not base64`);
  }
  const all: Record<string, unknown> = { ...data };
  for (const [name, value] of Object.entries(recordAt(secret, 'stringData'))) {
    all[name] = Buffer.from(String(value)).toString('base64');
  }
  return parsed({
    ...without(secret, 'stringData', 'data'),
    type: textAt(secret, 'type') || 'Opaque',
    ...(Object.keys(all).length === 0 ? {} : { data: all }),
    metadata: secret.metadata,
  });
}

const webhookDefaults = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 10,
};

/** Defaults of webhooks; `extra` are those that only one of the two kinds has. */
export function webhookRules(extra: JsonRecord): ResourceRules {
  return {
    decode: (configuration) =>
      parsed({
        ...configuration,
        webhooks: listAt(configuration, 'webhooks').map((webhook) => decodeWebhook(webhook, extra)),
      }),
    create: (configuration) => withMeta(configuration, { generation: 1 }),
  };
}

function decodeWebhook(webhook: unknown, extra: JsonRecord): JsonRecord {
  const clientConfig = recordAt(webhook, 'clientConfig');
  const service = at(clientConfig, 'service');
  return {
    ...webhookDefaults,
    ...extra,
    ...recordAt(webhook),
    clientConfig: { ...clientConfig, ...(isRecord(service) ? { service: { port: 443, ...service } } : {}) },
    rules: listAt(webhook, 'rules').map((rule) => ({ scope: '*', ...recordAt(rule) })),
  };
}
