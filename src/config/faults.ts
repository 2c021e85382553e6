/**
 * Rules about more than one key, or about what a text means: judged after the schema, on complete values. All faults
 * are collected, each with its place. Files named in the configuration are not opened here.
 */
import type { NvidiaConfig, TesseraConfig } from './config.ts';
import { canClash, type ListenAddress, parseListenAddress } from './listen-address.ts';

/** Sentences that must stop the start; empty when there is nothing wrong. */
export function findFaults(config: TesseraConfig): readonly string[] {
  return [
    ...listenFaults(config),
    ...tlsFaults(config),
    ...deadlineFaults(config),
    ...leaseFaults(config),
    ...resourceNameFaults(config.vendors.nvidia),
  ];
}

/** kube-scheduler keeps idle connections this long (net/http's DefaultTransport). */
const schedulerIdleSeconds = 90;

/** Sentences about values that are allowed and probably not meant. */
export function findDoubts({ keepAliveSeconds, listenExtender, tls }: TesseraConfig): readonly string[] {
  const doubts: string[] = [];
  if (keepAliveSeconds <= schedulerIdleSeconds) {
    doubts.push(
      `keepAliveSeconds: ${keepAliveSeconds} is not more than the ${schedulerIdleSeconds} s for which kube-scheduler keeps idle connections, so calls may fail on a connection that was just closed`,
    );
  }
  if (tls.clientCaFile !== '' && listenExtender !== '') {
    doubts.push(
      'tls.clientCaFile: has no effect while listenExtender is set, for the extender answers there',
    );
  }
  return doubts;
}

function listenFaults(config: TesseraConfig): readonly string[] {
  const faults: string[] = [];
  const taken: { readonly key: string; readonly text: string; readonly address: ListenAddress }[] = [];
  for (const key of ['listen', 'listenExtender', 'listenMetrics'] as const) {
    const text = config[key];
    if (text === '') continue;
    const address = parseListenAddress(text);
    if (!address.ok) {
      faults.push(`${key}: ${address.problem}`);
      continue;
    }
    const clash = taken.find((other) => canClash(other.address, address.value));
    if (clash !== undefined) faults.push(`${key}: ${text} is taken by ${clash.key} (${clash.text})`);
    taken.push({ key, text, address: address.value });
  }
  return faults;
}

function tlsFaults({ tls }: TesseraConfig): readonly string[] {
  const faults: string[] = [];
  if ((tls.certFile === '') !== (tls.keyFile === '')) {
    const missing = tls.certFile === '' ? 'certFile' : 'keyFile';
    faults.push(`tls.${missing}: is missing; tls.certFile and tls.keyFile go together`);
  }
  if (tls.certFile !== '' && tls.secret !== '') {
    faults.push('tls.secret: there is tls.certFile already; only one of the two can be served');
  }
  if (tls.webhookConfigurations.length > 0 && tls.secret === '') {
    faults.push('tls.webhookConfigurations: needs tls.secret, which holds the authority to tell them');
  }
  return faults;
}

function deadlineFaults(config: TesseraConfig): readonly string[] {
  const timeoutMs = config.extenderTimeoutSeconds * 1000;
  return (['filterDeadlineMs', 'prioritizeDeadlineMs'] as const)
    .filter((key) => config[key] >= timeoutMs)
    .map((key) => `${key}: ${config[key]} is not less than extenderTimeoutSeconds (${timeoutMs} ms)`);
}

/** A server that campaigned for kube-scheduler's lease would keep it from scheduling. */
function leaseFaults({ leaderElection, schedulerNames }: TesseraConfig): readonly string[] {
  const { enabled, mode, resourceName } = leaderElection;
  if (!enabled || mode !== 'campaign' || !schedulerNames.includes(resourceName)) return [];
  return [
    `leaderElection.resourceName: ${resourceName} is the lease of kube-scheduler; a server that campaigns needs one of its own`,
  ];
}

const resourceNameKeys = [
  'resourceCountName',
  'resourceMemoryName',
  'resourceMemoryPercentageName',
  'resourceCoreName',
  'resourcePriorityName',
] as const;

function resourceNameFaults(nvidia: NvidiaConfig): readonly string[] {
  const faults: string[] = [];
  const firstKeyOf = new Map<string, string>();
  for (const key of resourceNameKeys) {
    const name = nvidia[key];
    if (name === '') continue;
    const first = firstKeyOf.get(name);
    if (first === undefined) firstKeyOf.set(name, key);
    else
      faults.push(`vendors.nvidia.${key}: ${name} is also the ${first}; every resource needs its own name`);
  }
  return faults;
}
