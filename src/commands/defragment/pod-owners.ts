/** What makes a pod anew once it is gone, by what its object says of its owners. */
import { withIdentity } from '../../model/cluster-objects.ts';
import type { RawObject } from '../../migration/cluster-picture.ts';
import { parsePod } from '../../wire/kubernetes.ts';
import { schemaParser } from '../../wire/validate.ts';

interface RawOwned {
  readonly metadata?: {
    readonly ownerReferences?:
      readonly { readonly kind?: string | null; readonly controller?: boolean | null }[] | null;
  } | null;
}

const text = { type: 'string', nullable: true };
const readOwned = schemaParser<RawOwned>({
  type: 'object',
  properties: {
    metadata: {
      type: 'object',
      nullable: true,
      properties: {
        ownerReferences: {
          type: 'array',
          nullable: true,
          items: {
            type: 'object',
            properties: { kind: text, controller: { type: 'boolean', nullable: true } },
          },
        },
      },
    },
  },
});

/** The kind of each pod's controller, by UID; a pod without one is absent. */
export function controllerKinds(objects: readonly RawObject[]): ReadonlyMap<string, string> {
  const kinds = new Map<string, string>();
  for (const { kind, value } of objects) {
    if (kind !== 'Pod') continue;
    const [pod, owned] = [parsePod(value), readOwned(value)];
    if (!pod.ok || !owned.ok) continue;
    const owners = owned.value.metadata?.ownerReferences ?? [];
    const controller = owners.find((owner) => owner.controller === true);
    if (controller !== undefined) kinds.set(withIdentity(pod.value).uid, controller.kind ?? '');
  }
  return kinds;
}

/** Their pods belong to one node each: they are not placed by a scheduler that could place them elsewhere. */
const kindsOfOneNode = ['DaemonSet', 'Node'];

export function belongsToItsNode(controllerKind: string | undefined): boolean {
  return controllerKind !== undefined && kindsOfOneNode.includes(controllerKind);
}
