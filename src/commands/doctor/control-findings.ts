/** Who leads, whether API servers can call the webhook, and what was not looked at. */
import { podName } from '../../model/cluster-objects.ts';
import { type Finding, finding } from './finding.ts';
import type { Subject } from './subject.ts';

/** Another machine's clock wrote the lease, so a little too old is not old. */
const clockSkewMs = 60_000;

export function controlFindings(subject: Subject): readonly Finding[] {
  return [...leaseFindings(subject), ...webhookFindings(subject), ...gaps(subject)];
}

function leaseFindings({ picture, lease, nowMs }: Subject): readonly Finding[] {
  if (lease === undefined || picture.missing.has('Lease')) return [];
  const object = { kind: 'Lease', ...lease };
  const found = picture.leases.find((one) => podName(one) === podName(lease));
  if (found === undefined) return [finding('LeaseMissing', object, 'there is no such lease')];
  if (found.holder === '') return [finding('LeaseMissing', object, 'it was given up, and nobody took it')];
  if (found.heldUntilMs + clockSkewMs < nowMs) {
    const ended = new Date(found.heldUntilMs).toISOString();
    return [
      finding(
        'LeaseExpired',
        object,
        `held by ${found.holder}, who has not renewed it; it ended at ${ended}`,
      ),
    ];
  }
  return [finding('LeaseHeld', object, `held by ${found.holder}`)];
}

function webhookFindings({ webhooks }: Subject): readonly Finding[] {
  return webhooks.flatMap(({ configuration, standing }): readonly Finding[] => {
    const object = { kind: 'MutatingWebhookConfiguration', name: configuration };
    switch (standing) {
      case 'sound':
        return [];
      case 'missing':
        return [finding('WebhookMissing', object, 'there is no such configuration')];
      case 'without-authority':
        return [finding('CaBundleMissing', object, 'a webhook of it has no caBundle')];
      case 'differs':
        return [
          finding('CaBundleDiffers', object, 'the served certificate is not of an authority in its caBundle'),
        ];
    }
  });
}

function gaps({ picture, missing, lease }: Subject): readonly Finding[] {
  return [
    ...picture.unreadable.map(({ object, problem }) => finding('ObjectUnreadable', object, problem)),
    ...[...picture.missing].flatMap(([kind, cause]) =>
      // Of the kinds that are listed, the others tell nothing here.
      kind === 'Lease' && lease !== undefined
        ? [finding('NotLookedAt', { kind: 'Cluster', name: kind }, cause)]
        : [],
    ),
    ...[...missing].map(([kind, cause]) => finding('NotLookedAt', { kind: 'Cluster', name: kind }, cause)),
  ];
}
