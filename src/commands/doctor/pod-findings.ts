/** Bound pods that hold cards without an allocation that can be believed, and how each came to be charged otherwise. */
import { podReference } from '../../migration/subject.ts';
import type { PodObject } from '../../model/cluster-objects.ts';
import { nodeAnnotation, sealAnnotation } from '../../vendors/pod-annotations.ts';
import { type Finding, finding } from './finding.ts';
import type { Subject } from './subject.ts';

export function podFindings(subject: Subject): readonly Finding[] {
  return subject.picture.pods.flatMap(({ pod }) => chargedOtherwise(pod, subject));
}

function chargedOtherwise(pod: PodObject, { state, vendors, sealer }: Subject): readonly Finding[] {
  const entry = state.entry(pod.uid);
  const derivedFrom = entry?.derivedFrom;
  if (entry === undefined || entry.request.counts.size === 0 || derivedFrom === undefined) return [];
  const object = podReference(pod);
  const asked = vendors.filter(({ resources }) => entry.request.counts.has(resources.count));
  const lacking = asked.filter(({ annotations }) => pod.annotations[annotations.allocated] === undefined);
  if (lacking.length > 0) {
    const keys = lacking.map(({ annotations }) => annotations.allocated).join(', ');
    const by = pod.schedulerName === '' ? 'no scheduler' : `scheduler ${pod.schedulerName}`;
    const sentence =
      pod.annotations[nodeAnnotation] === undefined
        ? `asks for cards, and nobody who shares them bound it (${by}, or its own nodeName)`
        : `asks for cards and has lost its allocation (${keys})`;
    return [finding('BoundWithoutAllocation', object, sentence)];
  }
  const [problem] = derivedFrom.annotated.problems;
  if (problem !== undefined) {
    return [finding('AllocationInvalid', object, `${problem.annotation}: ${problem.problem}`)];
  }
  if (derivedFrom.trust === 'as-written') {
    return [finding('AllocationInvalid', object, 'its allocation names fewer cards than it asks for')];
  }
  if (sealer === undefined) return [];
  return pod.annotations[sealAnnotation] === undefined
    ? [finding('AllocationUnsealed', object, 'its allocation bears no seal of ours')]
    : [finding('SealBroken', object, 'its allocation is not the one that was sealed')];
}
