/**
 * What the cluster's own objects must say of the configured vendors: for which pods the API server calls the webhook, and
 * for which ones kube-scheduler calls the extender. Both lists follow from the vendors' rows. The chart writes the same
 * from its values; a test compares the two.
 */
import type { ContainerObject } from '../model/cluster-objects.ts';
import { reservedAnnotations, reservedLabels } from '../vendors/pod-annotations.ts';
import { countedResources, resourceNames, type Vendor } from '../vendors/vendor.ts';

/** An entry of an extender's `managedResources`. */
export interface ManagedResource {
  readonly name: string;
  /** True for what no node advertises: with `false`, no node would ever have enough of it. */
  readonly ignoredByScheduler: boolean;
}

export function managedResources(vendors: readonly Vendor[]): readonly ManagedResource[] {
  return vendors.flatMap((vendor) => {
    const counted = countedResources(vendor);
    return resourceNames(vendor).map((name) => ({ name, ignoredByScheduler: !counted.includes(name) }));
  });
}

const asksForNothing: ContainerObject = { name: '', role: 'app', limits: {}, requests: {} };

/** Whether a vendor changes containers that ask for none of its devices, so that every pod must come to the webhook. */
export function changesEveryPod(vendors: readonly Vendor[]): boolean {
  return vendors.some((vendor) => {
    const { limits, env } = vendor.mutate(asksForNothing, {});
    return Object.keys({ ...limits, ...env }).length > 0;
  });
}

/** CEL, in lines: true of a pod in which a container asks for a managed resource, or that carries a reserved key. */
export function matchExpression(vendors: readonly Vendor[]): readonly string[] {
  const resources = JSON.stringify(vendors.flatMap(resourceNames));
  const annotations = JSON.stringify(reservedAnnotations(vendors));
  const labels = JSON.stringify(reservedLabels);
  return [
    '(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])).exists(c,',
    `  has(c.resources) && ${resources}.exists(r,`,
    '    (has(c.resources.limits) && r in c.resources.limits) ||',
    '    (has(c.resources.requests) && r in c.resources.requests))) ||',
    `(has(object.metadata.annotations) && ${annotations}.exists(k,`,
    '  k in object.metadata.annotations)) ||',
    `(has(object.metadata.labels) && ${labels}.exists(k, k in object.metadata.labels))`,
  ];
}

export const manifestParts = ['webhook', 'scheduler'] as const;
export type ManifestPart = (typeof manifestParts)[number];

/** YAML: the fields that belong into the objects, each under a comment that says where. Needs at least one vendor. */
export function manifestText(vendors: readonly Vendor[], parts: readonly ManifestPart[]): string {
  return parts.map((part) => (part === 'webhook' ? webhookText(vendors) : schedulerText(vendors))).join('\n');
}

function webhookText(vendors: readonly Vendor[]): string {
  const place = '# MutatingWebhookConfiguration, in the item of webhooks\n';
  if (changesEveryPod(vendors)) {
    return `${place}# All pods: containers that ask for no devices are changed, too.\nmatchConditions: []\n`;
  }
  const lines = matchExpression(vendors).map((line) => `      ${line}\n`);
  return `${place}matchConditions:\n  - name: concerns-devices\n    expression: >-\n${lines.join('')}`;
}

function schedulerText(vendors: readonly Vendor[]): string {
  const entries = managedResources(vendors).map(
    ({ name, ignoredByScheduler }) => `  - name: ${name}\n    ignoredByScheduler: ${ignoredByScheduler}\n`,
  );
  return `# KubeSchedulerConfiguration, in the item of extenders\nmanagedResources:\n${entries.join('')}`;
}
