/**
 * Every flag of HAMi's scheduler and what becomes of it here: a setting of ours, or a sentence that says why none is
 * needed. `docs/hami-scheduler.md` has its table from these rows, so they are written for operators.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseGoDuration } from '../wire/go-values.ts';
import { type CarriedFlag, type HamiFlag, onOff, set, value } from './hami-flag.ts';
import { vendorFlags } from './hami-vendor-flags.ts';
import { parseListenAddress } from './listen-address.ts';
import { labelPairs, objectName } from './schema.ts';

const throttle = 'Not needed: the client of the API server does not throttle itself.';
const log = 'Not carried over: `TESSERA_LOG_LEVEL` says what is logged, as JSON on stdout.';

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
  ...vendorFlags,
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
