/**
 * The plain manifests: made from this chart, and in step with the code where the code decides. Whether an API server
 * takes them, and what its CEL makes of the match conditions, is for the suite on real Kubernetes to show.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { chartDigest } from '../../deploy/render-manifests.mjs';
import { loadConfig } from '../../src/config/load.ts';
import { reservedAnnotations, reservedLabels } from '../../src/vendors/pod-annotations.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import {
  learningText,
  manifest,
  manifests,
  manifestsText,
  serviceMode,
  serviceModeText,
} from './manifests.ts';

const root = new URL('../../', import.meta.url);

const loaded = loadConfig({ environment: {}, flags: {} });
if (!loaded.ok) throw new Error(loaded.problem);
const vendors = makeVendors(loaded.value.config);

describe('the manifests', () => {
  it('are made from the chart as it is; if not, run deploy/render-manifests.mjs', () => {
    for (const text of [manifestsText, serviceModeText, learningText])
      expect(/^# Chart: sha256:(.*)$/m.exec(text)?.[1]).toBe(chartDigest());
  });

  it('are for the version that package.json states', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      version: string;
    };
    const chart = parse(readFileSync(new URL('deploy/chart/Chart.yaml', root), 'utf8')) as object;
    expect(chart).toMatchObject({ appVersion: version });
    expect(containers.find(({ name }) => name === 'tessera')?.image).toBe(`tessera:${version}`);
  });

  it('have everything in the namespace of the release, or in none', () => {
    expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(
      new Set(['tessera-system', undefined]),
    );
  });

  it('never permit everything', () => {
    const rules = manifests
      .filter(({ kind }) => kind.endsWith('Role'))
      .map((role) => JSON.stringify(role['rules']));
    expect(rules).toHaveLength(3);
    for (const text of rules) expect(text).not.toContain('*');
  });
});

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly schedulerName: string;
    readonly securityContext: object;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly securityContext: object;
      readonly resources: {
        readonly limits?: Readonly<Record<string, string>>;
        readonly requests?: Readonly<Record<string, string>>;
      };
      readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
      readonly livenessProbe: { readonly httpGet: { readonly path: string } };
    }[];
  };
}

const { template } = manifest('Deployment')['spec'] as { readonly template: PodTemplate };
const { containers } = template.spec;

describe('the pods', () => {
  it('run without privileges', () => {
    expect(template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containers).toHaveLength(2);
    for (const { securityContext } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('listen where the Services send to', () => {
    const ports = containers.flatMap((container) => container.ports ?? []);
    const data = manifest('ConfigMap')['data'] as Readonly<Record<string, string>>;
    const { listen, listenMetrics } = parse(data['tessera.yaml']!) as Record<string, string>;
    const byName = Object.fromEntries(
      ports.map(({ name, containerPort }) => [name, `0.0.0.0:${containerPort}`]),
    );
    expect(byName).toEqual({ https: listen, metrics: listenMetrics });
    expect(manifest('Service')).toMatchObject({ spec: { ports: [{ port: 443, targetPort: 'https' }] } });
    expect(manifest('Service', 'tessera-metrics')).toMatchObject({
      spec: { ports: [{ targetPort: 'metrics' }] },
    });
  });
});

interface Webhook {
  readonly namespaceSelector: {
    readonly matchExpressions: readonly { readonly values: readonly string[] }[];
  };
  readonly matchConditions: readonly { readonly expression: string }[];
  readonly timeoutSeconds: number;
  readonly [field: string]: unknown;
}

describe('the webhook', () => {
  const [webhook] = manifest('MutatingWebhookConfiguration')['webhooks'] as readonly [Webhook];
  const [condition] = webhook.matchConditions;

  it('fails open, soon, and without side effects', () => {
    expect(webhook).toMatchObject({
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      reinvocationPolicy: 'IfNeeded',
      admissionReviewVersions: ['v1', 'v1beta1'],
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    });
    expect(webhook.timeoutSeconds).toBeLessThanOrEqual(5);
  });

  it('leaves its own namespace and kube-system alone', () => {
    expect(webhook.namespaceSelector.matchExpressions[0]?.values).toEqual(['kube-system', 'tessera-system']);
  });

  it('is called for every managed resource and every reserved key, and for nothing else', () => {
    const lists = (condition?.expression.match(/\["[^\]]*\]/g) ?? []).map(
      (list) => JSON.parse(list) as unknown,
    );
    expect(lists).toEqual([
      vendors.flatMap(({ resources }) => Object.values(resources) as readonly string[]),
      reservedAnnotations(vendors),
      reservedLabels,
    ]);
  });
});

interface Selector {
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

/** Whether labels pass a selector of `NotIn` rules, as an API server reads it. */
function passes(labels: Readonly<Record<string, string>>, { matchExpressions }: Selector): boolean {
  return matchExpressions.every(({ key, operator, values }) => {
    if (operator !== 'NotIn') throw new Error(`${operator} is not read here`);
    return labels[key] === undefined || !values.includes(labels[key]);
  });
}

const modes = [
  { mode: 'beside kube-scheduler', among: manifests },
  { mode: 'where kube-scheduler runs elsewhere', among: serviceMode },
];

describe.each(modes)('the scheduler’s own pods, $mode,', ({ among }) => {
  const [webhook] = manifest('MutatingWebhookConfiguration', 'tessera', among)['webhooks'] as readonly {
    readonly namespaceSelector: Selector;
    readonly objectSelector: Selector;
    readonly matchConditions: readonly { readonly expression: string }[];
  }[];
  const deployment = manifest('Deployment', 'tessera', among);
  const { template: own } = deployment['spec'] as { readonly template: PodTemplate };
  const resources = vendors.flatMap(({ resources: names }) => Object.values(names) as readonly string[]);

  it('never come to the webhook: neither by their namespace, nor by their labels, nor by what they ask for', () => {
    const namespace = { 'kubernetes.io/metadata.name': deployment.metadata.namespace! };
    expect(passes(namespace, webhook!.namespaceSelector)).toBe(false);
    expect(passes({}, webhook!.namespaceSelector)).toBe(true);
    expect(passes(own.metadata.labels, webhook!.objectSelector)).toBe(false);
    expect(passes({}, webhook!.objectSelector)).toBe(true);
    const text = JSON.stringify(own);
    for (const key of [...resources, ...reservedAnnotations(vendors), ...reservedLabels])
      expect(text).not.toContain(`"${key}"`);
  });

  it('never come to the extender: the cluster’s own scheduler places them, and they ask for no managed resource', () => {
    const { config } = loaded.value;
    expect(own.spec.schedulerName).toBe('default-scheduler');
    expect(config.schedulerNames).not.toContain(own.spec.schedulerName);
    for (const { resources: asked } of own.spec.containers) {
      expect(Object.keys({ ...asked.limits, ...asked.requests }).sort()).toEqual(['cpu', 'memory']);
    }
  });

  it('are two, on different nodes if that can be, and an eviction leaves one', () => {
    expect(deployment).toMatchObject({ spec: { replicas: 2 } });
    const matchLabels = { 'app.kubernetes.io/instance': 'tessera', 'app.kubernetes.io/name': 'tessera' };
    expect(own.spec).toMatchObject({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels } },
            },
          ],
        },
      },
    });
    expect(manifest('PodDisruptionBudget', 'tessera', among)).toMatchObject({
      spec: { minAvailable: 1, selector: { matchLabels } },
    });
    expect(own.metadata.labels).toMatchObject(matchLabels);
  });
});

describe('the Services', () => {
  const selectorOf = (name: string) =>
    (manifest('Service', name, serviceMode)['spec'] as { readonly selector: object }).selector;
  const anyReplica = { 'app.kubernetes.io/instance': 'tessera', 'app.kubernetes.io/name': 'tessera' };

  it('send the webhook to every replica that is ready, and kube-scheduler to the one that leads', () => {
    expect(selectorOf('tessera')).toEqual(anyReplica);
    expect(selectorOf('tessera-extender')).toEqual({ ...anyReplica, 'hami.io/scheduler-role': 'leader' });
  });

  it('have no place for an extender that answers its own pod alone', () => {
    expect(() => manifest('Service', 'tessera-extender')).toThrow('no Service');
  });
});

describe('the server’s configuration', () => {
  it.each([
    { mode: 'beside kube-scheduler', among: manifests, want: { enabled: true, mode: 'follow' } },
    {
      mode: 'where kube-scheduler runs elsewhere',
      among: serviceMode,
      want: { enabled: true, mode: 'campaign' },
    },
  ])('says whose lease decides, $mode', ({ among, want }) => {
    const { data } = manifest('ConfigMap', 'tessera', among) as unknown as {
      readonly data: Readonly<Record<string, string>>;
    };
    expect(parse(data['tessera.yaml']!)).toMatchObject({ leaderElection: want });
  });
});
