/**
 * Rules about more than one key, or about what a text means: judged after the schema, on complete values. All faults
 * are collected, each with its place. Files named in the configuration are not opened here.
 */
import type { TesseraConfig } from './config.ts';
import { makeVendors, type VendorBlock, vendorFamilies } from '../vendors/vendors.ts';
import { isMapping, type Mapping } from '../wire/mapping.ts';
import { resourceKey } from './hami-device-config.ts';
import { canClash, type ListenAddress, parseListenAddress } from './listen-address.ts';

/** Sentences that must stop the start; empty when there is nothing wrong. */
export function findFaults(config: TesseraConfig): readonly string[] {
  return [
    ...listenFaults(config),
    ...tlsFaults(config),
    ...deadlineFaults(config),
    ...leaseFaults(config),
    ...resourceNameFaults(config),
    ...vendorKeyFaults(config),
    ...workloadFaults(config),
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

/** Every resource needs a name of its own, across all vendors that are switched on. */
function resourceNameFaults({ vendors }: TesseraConfig): readonly string[] {
  const faults: string[] = [];
  const firstPlaceOf = new Map<string, string>();
  for (const [block, { settings }] of Object.entries(vendorFamilies)) {
    const config: Mapping = { ...vendors[block as VendorBlock] };
    if (config['enabled'] !== true) continue;
    const keys = Object.keys(settings.properties);
    for (const { place, name } of keys.flatMap((key) => namesAt(key, config[key], `vendors.${block}`))) {
      const first = firstPlaceOf.get(name);
      if (first === undefined) firstPlaceOf.set(name, place);
      else faults.push(`${place}: ${name} is also ${first}; every resource needs its own name`);
    }
  }
  return faults;
}

interface NamedPlace {
  readonly place: string;
  readonly name: string;
}

/** The resources that a setting names, itself or in a list. */
function namesAt(key: string, value: unknown, above: string): readonly NamedPlace[] {
  const place = `${above}.${key}`;
  if (typeof value === 'string') return resourceKey.test(key) && value !== '' ? [{ place, name: value }] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => namesAt(String(index), item, place));
  return isMapping(value)
    ? Object.entries(value).flatMap(([name, below]) => namesAt(name, below, place))
    : [];
}

/** What is written on nodes and pods is told apart by the vendor's key, which some blocks take from a setting. */
function vendorKeyFaults(config: TesseraConfig): readonly string[] {
  const keys = makeVendors(config).map(({ key }) => key);
  const twice = new Set(keys.filter((key, index) => keys.indexOf(key) !== index));
  return [...twice].map((key) => `vendors: there is more than one vendor ${JSON.stringify(key)}`);
}

/** Cards are asked for by the resource that counts them. */
function workloadFaults(config: TesseraConfig): readonly string[] {
  const known = makeVendors(config).map(({ resources }) => resources.count);
  return config.fragmentation.workload.flatMap(({ resource }, index) =>
    resource === '' || known.includes(resource)
      ? []
      : [
          `fragmentation.workload.${index}.resource: ${resource} counts the cards of no vendor; those are ${known.join(', ')}`,
        ],
  );
}
