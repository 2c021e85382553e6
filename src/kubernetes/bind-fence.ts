/**
 * The fence: a harmless change to a pod whose Binding may still be on its way. A Binding carries the version it was
 * made for, so the pod's new version makes that one fail. Never written to any other pending pod: it would wake it.
 */
import type { PodObject } from '../model/cluster-objects.ts';

const fenceAnnotation = 'tessera.io/bind-fence';

/** A merge patch; with a version, only the pod of that version is changed. */
export function fencePatch(pod: PodObject, nowMs: number, resourceVersion?: string): object {
  const { uid } = pod;
  return {
    metadata: {
      uid,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      annotations: { [fenceAnnotation]: new Date(nowMs).toISOString() },
    },
  };
}
