/**
 * A second device state, made of one fresh list of nodes and pods as a start would make it. It takes its time: between a
 * few objects it lets others run, so that nobody who waits for an answer of this process notices.
 */
import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Clock } from '../model/clock.ts';
import { type Parsed, parsed } from '../model/result.ts';
import type { DeviceState } from '../state/device-state.ts';
import { nodeSchema, parseNode, parsePod, podSchema } from '../wire/kubernetes.ts';
import { type Listing, listedPages } from './listed-pages.ts';
import { shapeOf } from './skim.ts';

export interface RebuildOptions extends Pick<Listing, 'client' | 'signal'> {
  /** Of which the new one takes vendors and trust. */
  readonly state: DeviceState;
  /** Only nodes with these labels, as for the feeds; empty: all. */
  readonly nodeLabelSelector: string;
  readonly clock: Clock;
}

/** Reading and applying as many takes a few milliseconds. */
const objectsPerTurn = 50;
/** A page is taken apart in one go: some 10 ms for as many pods of usual size. */
const pageSize = 200;

const nodeShape = shapeOf(nodeSchema);
const podShape = shapeOf(podSchema);

/** The state that a start would come to, or why the lists could not be had. Objects that cannot be read are left out. */
export async function rebuildState(options: RebuildOptions): Promise<Parsed<DeviceState>> {
  const { state, nodeLabelSelector, clock, client, signal } = options;
  const rebuilt = state.blank();
  const source = { client, pageSize, ...(signal === undefined ? {} : { signal }) };
  const query = nodeLabelSelector === '' ? {} : { labelSelector: nodeLabelSelector };
  const nodes = await takeAll({ ...source, path: '/api/v1/nodes', query, shape: nodeShape }, (raw) => {
    const node = parseNode(raw);
    if (node.ok) rebuilt.applyNode(node.value);
  });
  if (!nodes.ok) return nodes;
  const pods = await takeAll({ ...source, path: '/api/v1/pods', shape: podShape }, (raw) => {
    const pod = parsePod(raw);
    if (pod.ok && pod.value.uid !== '') rebuilt.applyPod(pod.value, clock.nowMs());
  });
  return pods.ok ? parsed(rebuilt) : pods;
}

async function takeAll(listing: Listing, take: (raw: unknown) => void): Promise<Parsed<undefined>> {
  for await (const page of listedPages(listing)) {
    if (!page.ok) return page;
    await inTurns(page.value, objectsPerTurn, take);
  }
  return parsed(undefined);
}

/** Does something with each of many, so many at a time, and lets others run in between. */
export async function inTurns<T>(
  items: Iterable<T>,
  perTurn: number,
  take: (item: T) => void,
): Promise<void> {
  let taken = 0;
  for (const item of items) {
    take(item);
    taken += 1;
    if (taken % perTurn === 0) await letOthersRun();
  }
}
