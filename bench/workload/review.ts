/** AdmissionReviews of pods as users write them, for the webhook's benchmark. */
import { recordAt, without } from '../../src/emulator/api/json.ts';
import type { PodWish } from './pod-mix.ts';
import { pendingPod } from './pod-object.ts';

/** The API server's review of a pod that is being created; without a wish, of a pod that asks for no card. */
export function reviewOf(number: number, wish: PodWish | undefined): object {
  const pod = pendingPod({ number, wish: wish ?? { kind: 'web', limits: {}, annotations: {} } });
  const { uid, namespace } = pod.metadata;
  const metadata = without(pod.metadata, 'uid');
  const spec = { ...recordAt(pod, 'spec'), schedulerName: 'default-scheduler' };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      namespace,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:job-controller',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
      },
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata,
        spec,
        status: {},
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}
