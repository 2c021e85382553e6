/** One harmless change to a node, so that kube-scheduler asks again about the pods it holds back. */
import type { Clock } from '../model/clock.ts';
import { mergePatch, nodePath } from './api-paths.ts';
import type { RestClient } from './rest-client.ts';
import type { RestResult } from './rest-result.ts';

const releasedAnnotation = 'tessera.io/released-at';
const callTimeoutMs = 4000;

export function nudgeNode(client: RestClient, clock: Clock, node: string): Promise<RestResult> {
  return client.request({
    method: 'PATCH',
    path: nodePath(node),
    contentType: mergePatch,
    body: { metadata: { annotations: { [releasedAnnotation]: new Date(clock.nowMs()).toISOString() } } },
    timeoutMs: callTimeoutMs,
  });
}
