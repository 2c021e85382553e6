/**
 * Every flag of HAMi's scheduler and what becomes of it here: a setting of ours, or a sentence that says why none is
 * needed. `docs/hami-scheduler.md` has its table from these rows, so they are written for operators.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { FlagShape } from './go-flags.ts';
import { parseGoBool, parseGoDuration } from './go-values.ts';
import { parseListenAddress } from './listen-address.ts';
import type { Mapping } from './mapping.ts';
import { labelPairs, objectName } from './schema.ts';

export interface CarriedFlag {
  /** Settings that win over everything, as flags do. */
  readonly settings?: Mapping;
  /** Settings that even a device configuration wins over. */
  readonly assumed?: Mapping;
  /** Said of a value that is taken for another. */
  readonly warning?: string;
}

export interface HamiFlag {
  /** As HAMi spells it, without dashes in front. */
  readonly flag: string;
  readonly shape: FlagShape;
  /** What becomes of it, in one sentence. */
  readonly fate: string;
  /** What its value means; absent for a flag that is not carried over. */
  readonly read?: (value: string) => Parsed<CarriedFlag>;
}

const throttle = 'Not needed: the client of the API server does not throttle itself.';
const log = 'Not carried over: `TESSERA_LOG_LEVEL` says what is logged, as JSON on stdout.';
const otherVendor =
  'Not carried over: cards of this vendor are not managed, and pods that ask for them pass as they are.';

export const hamiFlags: readonly HamiFlag[] = [
  value(
    'http_bind',
    'Setting `listen`: webhook, explanations, probes and the extender verbs on one address.',
    (text) => {
      const address = parseListenAddress(text);
      return address.ok ? set({ listen: text }) : address;
    },
  ),
  value(
    'cert_file',
    'Setting `tls.certFile`. Without it or `--key_file`, `--http_bind` is plain HTTP.',
    (text) => set({ tls: { certFile: text } }),
  ),
  value('key_file', 'Setting `tls.keyFile`.', (text) => set({ tls: { keyFile: text } })),
  value(
    'scheduler-name',
    'Setting `schedulerNames`. Empty: `default-scheduler`, whose pods keep that name.',
    (text) => {
      if (text === '') return parsed({});
      return new RegExp(objectName).test(text)
        ? set({ schedulerNames: [text] })
        : unparsable(`${JSON.stringify(text)} is not a scheduler name`);
    },
  ),
  value(
    'node-scheduler-policy',
    'Setting `nodePolicy`; a word it does not know means `binpack`.',
    nodePolicy,
  ),
  value('gpu-scheduler-policy', 'Setting `devicePolicy`; words it does not know are left out.', devicePolicy),
  value('metrics-bind-address', 'Setting `listenMetrics`.', (text) => {
    const address = text === '' ? parsed(text) : parseListenAddress(text);
    return address.ok ? set({ listenMetrics: text }) : address;
  }),
  value('node-label-selector', 'Setting `nodeLabelSelector`; given twice, both apply.', (text) =>
    new RegExp(labelPairs).test(text)
      ? set({ nodeLabelSelector: text })
      : unparsable(`${JSON.stringify(text)} is not a comma list of label=value`),
  ),
  value('node-lock-timeout', 'Setting `nodeLockExpirySeconds`; wins over `HAMI_NODELOCK_EXPIRE`.', (text) => {
    const seconds = parseExpirySeconds(text);
    return seconds.ok ? set({ nodeLockExpirySeconds: seconds.value }) : seconds;
  }),
  onOff(
    'force-overwrite-default-scheduler',
    'Setting `forceOverwriteDefaultScheduler`.',
    (forceOverwriteDefaultScheduler) => set({ forceOverwriteDefaultScheduler }),
  ),
  onOff('leader-elect', 'Setting `leaderElection.enabled`.', (enabled) =>
    set({ leaderElection: { enabled } }),
  ),
  value('leader-elect-resource-name', 'Setting `leaderElection.resourceName`.', (resourceName) =>
    set({ leaderElection: { resourceName } }),
  ),
  value(
    'leader-elect-resource-namespace',
    'Setting `leaderElection.resourceNamespace`.',
    (resourceNamespace) => set({ leaderElection: { resourceNamespace } }),
  ),
  onOff('legacy-metrics', 'Setting `hamiMetrics`: `both` with it, else `current`.', (legacy) =>
    set({ hamiMetrics: legacy ? 'both' : 'current' }),
  ),
  value('device-config-file', 'Setting `deviceConfigFile`.', (deviceConfigFile) => set({ deviceConfigFile })),
  card('resource-name', 'resourceCountName'),
  card('resource-mem', 'resourceMemoryName'),
  card('resource-mem-percentage', 'resourceMemoryPercentageName'),
  card('resource-cores', 'resourceCoreName'),
  card('resource-priority', 'resourcePriorityName'),
  cardNumber('default-mem', 'defaultMemory'),
  cardNumber('default-cores', 'defaultCores'),
  cardNumber('default-gpu', 'defaultGPUNum'),
  onOff('overwrite-env', cardFate('overwriteEnv'), (overwriteEnv) => assume({ overwriteEnv })),
  value(
    'node-lock-retry-timeout',
    'Not needed: a bind waits its turn at the node, at most until 5 s before `extenderTimeoutSeconds`.',
  ),
  value('kube-qps', throttle),
  value('kube-burst', throttle),
  value('kube-timeout', 'Not needed: every call to the API server has a time-out of its own.'),
  onOff(
    'profiling',
    'Not carried over: `/debug/pprof` is of Go programs; `/debug/state` and `/explain` answer.',
  ),
  onOff('enable-ascend', otherVendor),
  onOff('enable-iluvatar', otherVendor),
  onOff('debug', log),
  value('v', log),
  value('vmodule', log),
  value('log_backtrace_at', log),
  value('log_dir', log),
  value('log_file', log),
  value('log_file_max_size', log),
  value('stderrthreshold', log),
  onOff('logtostderr', log),
  onOff('alsologtostderr', log),
  onOff('add_dir_header', log),
  onOff('one_output', log),
  onOff('skip_headers', log),
  onOff('skip_log_headers', log),
];

/** Whole seconds, rounded up; refuses what is no duration, and one that would call every lock left over. */
export function parseExpirySeconds(text: string): Parsed<number> {
  const durationMs = parseGoDuration(text);
  if (!durationMs.ok) return durationMs;
  if (durationMs.value <= 0) return unparsable(`${JSON.stringify(text)} is not more than 0`);
  return parsed(Math.ceil(durationMs.value / 1000));
}

type Reader<T> = (value: T) => Parsed<CarriedFlag>;

function value(flag: string, fate: string, read?: Reader<string>): HamiFlag {
  return { flag, shape: 'value', fate, ...(read === undefined ? {} : { read }) };
}

function onOff(flag: string, fate: string, read?: Reader<boolean>): HamiFlag {
  if (read === undefined) return { flag, shape: 'switch', fate };
  return {
    flag,
    shape: 'switch',
    fate,
    read: (text) => {
      const on = parseGoBool(text);
      return on.ok ? read(on.value) : on;
    },
  };
}

/** Flags of releases in which the device configuration had not all of it yet. */
function card(flag: string, key: string): HamiFlag {
  return value(flag, cardFate(key), (text) => assume({ [key]: text }));
}

function cardNumber(flag: string, key: string): HamiFlag {
  return value(flag, cardFate(key), (text) =>
    /^-?\d{1,10}$/.test(text)
      ? assume({ [key]: Number(text) })
      : unparsable(`${JSON.stringify(text)} is not a whole number`),
  );
}

function cardFate(key: string): string {
  return `Setting \`vendors.nvidia.${key}\`, below the device configuration (older charts).`;
}

function set(settings: Mapping): Parsed<CarriedFlag> {
  return parsed({ settings });
}

function assume(nvidia: Mapping): Parsed<CarriedFlag> {
  return parsed({ assumed: { vendors: { nvidia } } });
}

function nodePolicy(text: string): Parsed<CarriedFlag> {
  if (text === 'binpack' || text === 'spread') return set({ nodePolicy: text });
  const warning = `${JSON.stringify(text)} is no policy for nodes and means binpack, as in HAMi`;
  return parsed({ settings: { nodePolicy: 'binpack' }, warning });
}

const cardPolicies = ['binpack', 'spread', 'mutex', 'numa', 'topology-aware'];

function devicePolicy(text: string): Parsed<CarriedFlag> {
  const words = text.split(',').map((word) => word.trim());
  const known = words.filter((word) => cardPolicies.includes(word));
  const settings = { devicePolicy: known.length === 0 ? 'spread' : known.join(',') };
  if (known.length === words.length) return parsed({ settings });
  const strange = words.filter((word) => !cardPolicies.includes(word)).map((word) => JSON.stringify(word));
  const warning = `${strange.join(', ')} is no policy for cards; ${settings.devicePolicy} applies, as in HAMi`;
  return parsed({ settings, warning });
}
