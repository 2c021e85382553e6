/**
 * Writes a bound pod's allocation back as memory has it, sealed anew, after somebody changed or removed what was written
 * with its Binding. Only keys that are ours are touched, and only on the very version that was looked at. What the device
 * plugin consumes while it works, and what it has added since, stays.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { bindingMetadata } from '../scheduler/binding-metadata.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import {
  bindPhaseAnnotation,
  kindsAnnotation,
  nodeAnnotation,
  sealAnnotation,
} from '../vendors/pod-annotations.ts';
import { mergePatch, podPath } from './api-paths.ts';
import type { RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';
import type { Sealer } from './seal.ts';

export interface WriteBackDeps {
  readonly client: Pick<RestClient, 'request'>;
  readonly sealer: Pick<Sealer, 'seal'>;
  readonly state: DeviceState;
  readonly signal?: AbortSignal;
}

const callTimeoutMs = 4000;

/** Resolves with why it could not be written, or with undefined once it is. Never rejects. */
export async function writeBack(
  pod: PodObject,
  entry: LedgerEntry,
  deps: WriteBackDeps,
): Promise<string | undefined> {
  // The plugin writes with the version that it has read and does not try again.
  if (pod.annotations[bindPhaseAnnotation] === 'allocating') return 'the device plugin is at work on the pod';
  const { uid, resourceVersion } = pod;
  const result = await deps.client.request({
    method: 'PATCH',
    path: podPath(pod),
    contentType: mergePatch,
    body: { metadata: { uid, resourceVersion, annotations: annotationsFor(pod, entry, deps) } },
    timeoutMs: callTimeoutMs,
    ...(deps.signal === undefined ? {} : { signal: deps.signal }),
  });
  return result.kind === 'ok' ? undefined : failureText(result);
}

/** What a merge patch must say; null takes a key away. */
function annotationsFor(
  pod: PodObject,
  { node, allocation }: LedgerEntry,
  { sealer, state }: WriteBackDeps,
): Readonly<Record<string, string | null>> {
  const { vendors } = state;
  const written = bindingMetadata({
    pod,
    allocation,
    node,
    // Times are not written back.
    nowMs: 0,
    vendors,
    layoutOf: (vendor) => state.node(node)?.inventory(vendor)?.entries ?? 'all',
    deviceOf: (vendor, id) => state.node(node)?.device(vendor, id),
  }).annotations;
  const sealOf = (annotations: Readonly<Record<string, string>>) => sealer.seal(pod.uid, node, annotations);
  const sealed: Record<string, string> = {};
  const removed: Record<string, null> = {};
  for (const { annotations } of vendors) {
    const value = written[annotations.allocated];
    if (value === undefined) removed[annotations.allocated] = null;
    else sealed[annotations.allocated] = value;
    const key = annotations.migReservations;
    const reserved = key === undefined ? undefined : written[key];
    if (key === undefined || reserved === undefined) continue;
    const present = pod.annotations[key];
    // The plugin has completed the value meanwhile; what it added is not sealed.
    const isSame = present !== undefined && sealOf({ [key]: present }) === sealOf({ [key]: reserved });
    sealed[key] = isSame ? present : reserved;
  }
  const kinds = written[kindsAnnotation];
  if (kinds !== undefined) sealed[kindsAnnotation] = kinds;
  return { ...removed, ...sealed, [nodeAnnotation]: node, [sealAnnotation]: sealOf(sealed) };
}
