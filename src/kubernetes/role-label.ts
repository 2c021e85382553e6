/** The pod label by which HAMi's Service finds the scheduler that decides (spec §1.8, §9.5). */
import { mergePatch, podPath } from './api-paths.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import type { RestClient } from './rest-client.ts';
import type { RestResult } from './rest-result.ts';

export const roleLabel = 'hami.io/scheduler-role';

const callTimeoutMs = 10_000;

/** Labels our own pod. Answers as the API server did. */
export function labelRole(
  client: RestClient,
  pod: NamespacedName,
  role: 'leader' | 'follower',
): Promise<RestResult> {
  return client.request({
    method: 'PATCH',
    path: podPath(pod),
    contentType: mergePatch,
    body: { metadata: { labels: { [roleLabel]: role } } },
    timeoutMs: callTimeoutMs,
  });
}
