/** What becomes of ResourceQuotas (spec §8): keys that nobody keeps, several limits on one key, limits already passed. */
import { compareText } from '../model/device.ts';
import type { QuotaProblem } from '../state/quota-table.ts';
import { quotaKeys } from '../state/quota-limit.ts';
import { resourceNames } from '../vendors/vendor.ts';
import { type Finding, finding, type ObjectReference } from './finding.ts';
import type { Subject } from './subject.ts';

/** @param problems what the state could not read, by quota object */
export function quotaFindings(
  { picture, state, vendors }: Subject,
  problems: readonly {
    readonly quota: { namespace: string; name: string };
    readonly problem: QuotaProblem;
  }[],
): readonly Finding[] {
  const kept = new Set(quotaKeys(vendors).map(({ resource }) => resource));
  const notKept = vendors
    .flatMap(resourceNames)
    .map((name) => `limits.${name}`)
    .filter((key) => !kept.has(key));
  return [
    ...problems.map(({ quota, problem: { resource, problem } }) =>
      finding('QuotaMalformed', quotaReference(quota), `${resource}: ${problem}`),
    ),
    ...picture.quotas.flatMap((quota) =>
      notKept
        .filter((key) => quota.hard[key] !== undefined)
        .map((key) => finding('QuotaKeyNotEnforced', quotaReference(quota), `has ${key}`)),
    ),
    ...[...state.quotaUsages()].flatMap(({ namespace, key, used, limits: [smallest, ...others] }) => {
      if (smallest === undefined) return [];
      const object = { kind: 'Namespace', name: namespace };
      const written = (amount: number) => Math.ceil(amount / key.unit);
      const findings: Finding[] = [];
      if (others.length > 0) {
        const limits = [smallest, ...others].sort((a, b) => compareText(a.quota, b.quota));
        const said = limits.map(({ quota, limit }) => `${quota} says ${written(limit)}`).join(', ');
        findings.push(
          finding(
            'QuotaSeveralLimits',
            object,
            `${key.resource}: ${said}; ${smallest.quota} is in force, in HAMi the last that changed`,
          ),
        );
      }
      if (used > smallest.limit) {
        const sentence = `${key.resource}: ${written(used)} in use, ${smallest.quota} allows ${written(smallest.limit)}`;
        findings.push(finding('QuotaExceeded', object, sentence));
      }
      return findings;
    }),
  ];
}

function quotaReference({ namespace, name }: { namespace: string; name: string }): ObjectReference {
  return { kind: 'ResourceQuota', namespace, name };
}
