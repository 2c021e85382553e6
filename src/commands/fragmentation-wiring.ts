/**
 * The policy `fragmentation` in a server: where its workload comes from, when it looks again, and whether what it learns
 * is kept. It learns from the pods that the device state sees, on every replica alike.
 */
import type { TesseraConfig } from '../config/config.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { loadWorkload, workloadConfigMap } from '../kubernetes/workload-keeper.ts';
import type { Clock } from '../model/clock.ts';
import type { PodRequest } from '../model/request.ts';
import { type Parsed, unparsable } from '../model/result.ts';
import { WorkloadMix, type WorkloadMixOptions } from '../placement/fragmentation/workload-mix.ts';
import type { CardRulesByVendor } from '../vendors/card-rules.ts';
import type { Vendor } from '../vendors/vendor.ts';
import { configuredWorkload } from '../scheduler/configured-workload.ts';
import { FragmentationPolicy } from '../scheduler/fragmentation-policy.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { Log } from '../telemetry/logger.ts';

export interface FragmentationParts {
  readonly config: Pick<TesseraConfig, 'fragmentation'>;
  readonly vendors: readonly Vendor[];
  readonly cardRules?: CardRulesByVendor | undefined;
  /** Asked only once something is to be judged. */
  readonly state: () => DeviceState;
  /** What was kept of an earlier server, as text. */
  readonly kept?: string | undefined;
  readonly log: Log;
}

export interface Fragmentation {
  readonly policy: FragmentationPolicy;
  /** For the device state. */
  readonly onRequested: (request: PodRequest) => void;
}

/** A text that cannot be read is logged and ignored. */
export function makeFragmentation(parts: FragmentationParts): Fragmentation {
  const { config, vendors, cardRules, state, kept, log } = parts;
  const { halfLifePods } = config.fragmentation;
  const options = { halfLifePods, vendors: vendors.map(({ key }) => key) };
  const remembered = kept === undefined ? undefined : mixFrom(kept, options);
  if (remembered?.ok === false) {
    const reason = remembered.problem;
    log.warn({ configMap: workloadConfigMap, reason }, 'kept workload cannot be read; it is learnt anew');
  }
  const known = remembered?.ok === true ? remembered.value : undefined;
  const policy = new FragmentationPolicy({
    views: () => viewsOf(state()),
    given: configuredWorkload(config.fragmentation, vendors),
    mix: known ?? new WorkloadMix(options),
    ...(cardRules === undefined ? {} : { cardRules }),
  });
  return {
    policy,
    onRequested: (request) => {
      // Pods that were there at start are in what was kept.
      if (known === undefined || state().synced) policy.note(request);
    },
  };
}

/** Whether what is learnt outlives the server: where nothing goes by it, it need not. */
export function keepsWorkload({ nodePolicy, fragmentation }: TesseraConfig): boolean {
  return nodePolicy === 'fragmentation' && fragmentation.workload.length === 0;
}

export interface KeptWorkloadParts {
  readonly config: TesseraConfig;
  readonly client: Pick<RestClient, 'request'>;
  readonly namespace: string;
  readonly log: Log;
}

/** The text that is kept; undefined where nothing is or it cannot be had, which is logged. */
export async function readKeptWorkload(parts: KeptWorkloadParts): Promise<string | undefined> {
  if (!keepsWorkload(parts.config)) return undefined;
  const stored = await loadWorkload(parts);
  if (stored.kind === 'found') return stored.text;
  if (stored.kind === 'failed') {
    const { message: reason } = stored;
    parts.log.warn(
      { configMap: workloadConfigMap, reason },
      'kept workload cannot be read; it is learnt anew',
    );
  }
  return undefined;
}

export function workloadText(policy: FragmentationPolicy): string {
  return JSON.stringify(policy.mix.toJson());
}

/** Lets the policy look again from time to time; answers what ends that. */
export function keepFresh(
  policy: FragmentationPolicy,
  { clock, refreshSeconds }: { readonly clock: Clock; readonly refreshSeconds: number },
): () => void {
  let cancel = (): void => undefined;
  const later = () => {
    cancel = clock.after(refreshSeconds * 1000, () => {
      policy.refresh();
      later();
    });
  };
  later();
  return () => {
    cancel();
  };
}

function mixFrom(text: string, options: WorkloadMixOptions): Parsed<WorkloadMix> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return unparsable(error instanceof Error ? error.message : String(error));
  }
  return WorkloadMix.fromJson(value, options);
}

function* viewsOf(state: DeviceState) {
  for (const name of state.nodeNames()) {
    const view = state.view(name);
    if (view !== undefined) yield view;
  }
}
