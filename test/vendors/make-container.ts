/** A container as `wire/kubernetes.ts` hands it over; asks for nothing unless told. */
import type { ContainerObject } from '../../src/model/cluster-objects.ts';

export function makeContainer(parts: Partial<ContainerObject> = {}): ContainerObject {
  return { name: 'main', role: 'app', limits: {}, requests: {}, ...parts };
}
