/** Events as `kubectl get events` shows them. */
import type { Cluster } from './cluster.ts';

export interface EventState {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly source?: { readonly component?: string };
}

/** All events of one reason about an object, whether or not it still exists; the oldest first. */
export async function eventsAbout(
  cluster: Cluster,
  name: string,
  reason: string,
  namespace = 'default',
): Promise<readonly EventState[]> {
  const text = await cluster.kubectl([
    'get',
    'events',
    '-n',
    namespace,
    `--field-selector=involvedObject.name=${name},reason=${reason}`,
    '--sort-by=.metadata.creationTimestamp',
    '-o',
    'json',
  ]);
  return (JSON.parse(text) as { items: readonly EventState[] }).items;
}
