/**
 * Card types of a trace are whole words, while a pod's annotation selects every card whose type contains the word. The
 * two mean the same only as long as no type that a pod names is a part of another type in the cluster.
 */
import type { NodeObject, PodObject } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { openbCardType } from './openb-nodes.ts';
import { openbTypesOf } from './openb-pods.ts';

/** Refuses the first pod that names a type by which it would get cards of another one, too. */
export function checkOpenbTypes(nodes: readonly NodeObject[], pods: readonly PodObject[]): Parsed<undefined> {
  const types = [...new Set(nodes.flatMap((node) => openbCardType(node) ?? []))];
  for (const pod of pods) {
    for (const asked of openbTypesOf(pod)) {
      const other = types.find((type) => type !== asked && type.toLowerCase().includes(asked.toLowerCase()));
      if (other === undefined) continue;
      return unparsable(
        `pod ${pod.name}: gpu_spec ${asked} is a part of the card type ${other}, and types are matched by parts; rename one of them`,
      );
    }
  }
  return parsed(undefined);
}
