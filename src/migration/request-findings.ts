/** What becomes of the requests of pods: those that HAMi reads otherwise, and those that admission will not let in again. */
import {
  parseDevicePolicy,
  weightsAnnotation,
  devicePolicyAnnotation,
} from '../vendors/policy-annotations.ts';
import { problemSentence } from '../vendors/vendor.ts';
import { type Finding, finding } from './finding.ts';
import { type LivePod, podReference, type Subject } from './subject.ts';

export function requestFindings(subject: Subject): readonly Finding[] {
  return subject.livePods
    .filter(({ asks }) => asks)
    .flatMap((live) => [
      ...problemFindings(live),
      ...privilegeFindings(live),
      ...limitFindings(live, subject),
      ...policyFindings(live, subject),
    ]);
}

function problemFindings({ pod, reading }: LivePod): readonly Finding[] {
  const object = podReference(pod);
  const where = pod.nodeName === undefined ? 'waits' : `runs on ${pod.nodeName}`;
  return [
    ...reading.problems.map((problem) =>
      finding('RequestInvalid', object, `${where}; ${problemSentence(problem)}`),
    ),
    ...reading.warnings.map((warning) => finding('RequestWarned', object, warning)),
  ];
}

function privilegeFindings({ pod, privileged }: LivePod): readonly Finding[] {
  if (privileged.length === 0) return [];
  const sentence = `asks for cards beside privileged containers: ${privileged.join(', ')}`;
  return [finding('PrivilegedPod', podReference(pod), sentence)];
}

/** Limits that the stored pod lacks and that its next copy will get. */
function limitFindings({ pod, reading }: LivePod, { vendors }: Subject): readonly Finding[] {
  if (reading.problems.length > 0) return [];
  return pod.containers.flatMap((container) =>
    vendors.flatMap((vendor) => {
      const limits = Object.entries(vendor.mutate(container, pod.annotations).limits);
      if (limits.length === 0) return [];
      const added = limits.map(([resource, value]) => `${resource}: ${value}`).join(', ');
      const sentence = `the next copy of container ${JSON.stringify(container.name)} is given ${added}`;
      return [finding('AdmissionAddsLimits', podReference(pod), sentence)];
    }),
  );
}

function policyFindings({ pod, reading }: LivePod, { config, vendors }: Subject): readonly Finding[] {
  const policy = parseDevicePolicy(pod.annotations[devicePolicyAnnotation] ?? config.devicePolicy);
  const isNumaBound = [...reading.request.selectors.values()].some(({ numaBound }) => numaBound);
  const sentences: string[] = [];
  if (isNumaBound && policy.topologyAware) {
    sentences.push(
      'topology-aware cards of one NUMA node: every NUMA node is tried, HAMi keeps the last it came to',
    );
  }
  if (pod.annotations[weightsAnnotation] !== undefined) {
    sentences.push(`${weightsAnnotation}: cards are weighed with the request on them, by HAMi without it`);
  }
  for (const { annotations } of vendors) {
    const { useIds, avoidIds } = annotations;
    if (useIds === undefined || avoidIds === undefined) continue;
    if (pod.annotations[useIds] === undefined || pod.annotations[avoidIds] === undefined) continue;
    sentences.push(`${useIds} and ${avoidIds} both apply; HAMi up to v2.9 took the first alone`);
  }
  return sentences.map((sentence) => finding('PolicyMeaning', podReference(pod), sentence));
}
